"""What a learned policy sees: one flat vector of named features in [-1, 1], the same from a simulation and a cluster.

:data:`ZONE_FEATURES`, :data:`FORECAST_FEATURES` and :data:`WORLD_FEATURES` document every entry once; the vector is
``zone features x zones, then world features``. A missing metric is held, marked and aged, never NaN.
"""

from typing import Final, NamedTuple

import numpy as np

from metaverse_env.observing import observe
from metaverse_env.simulator.constants import Constants
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Command, Forecast, Telemetry
from metaverse_env.threads import over_worlds
from metaverse_env.units import TARGETS

Array = np.ndarray

_NO_FORECAST: Final = np.zeros((0, 0, 0, len(TARGETS), 3), dtype=np.float32)


class Feature(NamedTuple):
    """One entry of the observation."""

    name: str
    unit: str
    meaning: str
    low: str
    high: str
    """What -1 and 1 stand for."""


ZONE_FEATURES: Final = (
    Feature("users", "users", "active users, relative to the zone's peak, on a log scale", "0", "2 x peak or more"),
    Feature("cpu_utilisation", "1", "CPU in use over allocation", "0", "1 or more"),
    Feature("memory_utilisation", "1", "memory in use over allocation", "0", "1 or more"),
    Feature("bandwidth_utilisation", "1", "egress in use over allocation", "0", "1 or more"),
    Feature("cpu_allocation", "cores", "allocation over that for the peak, log2 / 4", "1/16", "16 x"),
    Feature("memory_allocation", "MB", "allocation over that for the peak, log2 / 4", "1/16", "16 x"),
    Feature("bandwidth_allocation", "Mbps", "allocation over that for the peak, log2 / 4", "1/16", "16 x"),
    Feature("cpu_pending", "cores", "pending command over allocation in effect, log2 / 2", "1/4", "4 x"),
    Feature("memory_pending", "MB", "pending command over allocation in effect, log2 / 2", "1/4", "4 x"),
    Feature("bandwidth_pending", "Mbps", "pending command over allocation in effect, log2 / 2", "1/4", "4 x"),
    Feature("handover", "1", "share of new sessions handed over", "0", "1"),
    Feature("latency", "ms", "p95 latency over its objective, log2 / 4", "1/16", "16 x"),
    Feature("users_trend", "users", "change of users since the last tick, relative to users", "-50 %", "+50 %"),
    Feature("latency_trend", "ms", "change of latency since the last tick, log2 / 2", "1/4", "4 x"),
    Feature("neighbour_utilisation", "1", "largest utilisation, up to 1, mean over neighbours", "0", "1"),
    Feature("neighbour_trend", "users", "users_trend, mean over neighbours", "-50 %", "+50 %"),
    Feature("metric_age", "s", "age of the metrics", "0", "120 or more"),
    Feature("observed", "1", "whether new metrics arrived in this tick", "no", "yes"),
    Feature("ready", "1", "whether the zone serves", "no", "yes"),
    Feature("restarts", "1", "restarts so far in the episode", "0", "4 or more"),
    Feature("node_free", "1", "capacity of the zone's node that nobody has", "-1", "1"),
)
"""Per zone, from telemetry and the pending command alone."""

FORECAST_TICKS: Final = (1, 4, 8, 16)
"""Ticks ahead that the observation shows, and so all that an environment's forecaster computes."""

FORECAST_FEATURES: Final = tuple(
    Feature(f"{target}_{word}_{tick}", "1", f"{word} forecast {tick} ticks ahead, {scale}", low, high)
    for tick in FORECAST_TICKS
    for target in TARGETS
    for word in ("median", "p90")
    for scale, low, high in (
        [("over its objective, log2 / 4", "1/16", "16 x")]
        if target == "latency_ms"
        else [("over the pending allocation, log2 / 2", "1/4", "4 x")]
    )
)
"""Per zone, after :data:`ZONE_FEATURES`, if there is a forecaster."""

WORLD_FEATURES: Final = (
    Feature("day_sin", "1", "time of day", "18 h", "6 h"),
    Feature("day_cos", "1", "time of day", "12 h", "0 h"),
    Feature("week_sin", "1", "time of week", "Saturday 6 h", "Tuesday 18 h"),
    Feature("week_cos", "1", "time of week", "Thursday 12 h", "Monday 0 h"),
    Feature("price", "1", "price level, log2", "1/2", "2 x"),
)
"""Once, at the end."""


class Observer:
    """Turns telemetry, forecast and the pending command into observations.

    Args:
        constants: Peaks, objective and neighbourhood that the features are relative to.
        forecast: Whether there is a forecaster, and so forecast features.
    """

    def __init__(self, constants: Constants, forecast: bool) -> None:
        peaks = np.column_stack([2.0 * constants.zones["peak_users"], constants.zones["peak_allocation"]])
        peaks[:, 0] = np.log2(1.0 + peaks[:, 0])
        neighbours = np.ascontiguousarray(constants.edges["zone"])
        self._fixed = (peaks, neighbours, float(constants.rules["latency_objective_ms"][0]))
        self.zone_features: tuple[Feature, ...] = ZONE_FEATURES + (FORECAST_FEATURES if forecast else ())
        self.zones = len(constants.zones)
        self.size = self.zones * len(self.zone_features) + len(WORLD_FEATURES)
        self._rows = Stock((2, np.dtype(np.float32)))

    def __call__(self, telemetry: Telemetry, before: Telemetry, forecast: Forecast | None, pending: Command) -> Array:
        """Return ``float32 [W, size]``, a new array.

        Args:
            telemetry: Of this tick.
            before: Of the last one, for trends.
            forecast: At :data:`FORECAST_TICKS`, or ``None`` without a forecaster.
            pending: The command given last.
        """
        (out,) = self._rows.take((len(telemetry.weather), self.size))
        values = _NO_FORECAST if forecast is None else forecast.values
        batched = (telemetry.zones, before.zones, telemetry.weather, pending.zones, values, out)
        over_worlds(observe, batched, self._fixed)
        return out


def feature_table() -> str:
    """Return the documentation of the observation as a Markdown page."""
    parts = (
        ("For every zone, in this order", ZONE_FEATURES),
        ("For every zone after these, if there is a forecaster", FORECAST_FEATURES),
        ("Once, after the last zone", WORLD_FEATURES),
    )
    lines = ["# Observation", "", "Made by `python -m metaverse_env.observation`. All values lie in [-1, 1]."]
    for title, features in parts:
        lines += ["", f"## {title}", "", "| # | feature | unit | meaning | -1 is | 1 is |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {number} | `{f.name}` | {f.unit} | {f.meaning} | {f.low} | {f.high} |"
            for number, f in enumerate(features)
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(feature_table())
