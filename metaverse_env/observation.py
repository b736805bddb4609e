"""What a learned policy sees: one flat vector of named features in [-1, 1], the same from a simulation and a cluster.

:data:`ZONE_FEATURES`, :data:`FORECAST_FEATURES` and :data:`WORLD_FEATURES` document every entry once; the vector is
``zone features x zones, then world features``. A missing metric is held, marked and aged, never NaN.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.simulator.constants import Constants
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Command, Forecast, Telemetry
from metaverse_env.threads import over_worlds
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK, TARGETS

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


@compiled
def clip(value: float) -> float:
    """Return ``value`` within [-1, 1]."""
    return min(max(value, -1.0), 1.0)


@compiled
def log_ratio(value: float, reference: float, doublings: float) -> float:
    """Return log2(value / reference) / doublings within [-1, 1]; -1 for nothing at all."""
    if value <= 0.0 or reference <= 0.0:
        return -1.0
    if value == reference:  # nothing pending, no change: the most frequent case, and logarithms are dear
        return 0.0
    return clip(math.log(np.float32(value / reference)) * (1.4426950408889634 / doublings))


@compiled
def share(value: float, most: float) -> float:
    """Map 0..most to -1..1."""
    return clip(2.0 * value / most - 1.0)


@compiled
def users_trend(now: Any, before: Any) -> float:
    """Return the relative change of users, doubled, within [-1, 1]."""
    return clip(2.0 * (now.users - before.users) / max(before.users, 1.0))


@compiled
def _observe_zone(now: Any, before: Any, pending: Any, peak: Any, objective_ms: float, row: Any) -> None:
    row[0] = share(math.log(np.float32(1.0 + now.users)), peak[0])
    for resource in range(3):
        allocation = now.allocation[resource]
        row[1 + resource] = share(now.usage[resource] / allocation, 1.0)
        row[4 + resource] = log_ratio(allocation, peak[1 + resource], 4.0)
        row[7 + resource] = log_ratio(pending.allocation[resource], allocation, 2.0)
    row[10] = share(pending.handover, 1.0)
    row[11] = log_ratio(now.latency_ms, objective_ms, 4.0)
    row[12] = users_trend(now, before)
    row[13] = log_ratio(now.latency_ms, before.latency_ms, 2.0)
    row[16] = share(now.age_s, 120.0)
    row[17], row[18] = 2.0 * now.observed - 1.0, 2.0 * now.ready - 1.0
    row[19] = share(now.restarts, 4.0)
    row[20] = clip(now.node_free)


@compiled
def _pool_neighbours(neighbours: Any, rows: Any, row: Any) -> None:
    """Pool what has been observed of the neighbours; ``rows [Z, features]``."""
    count, utilisation, trend = 0, 0.0, 0.0
    for slot in range(len(neighbours)):
        if neighbours[slot] >= 0:
            other = rows[neighbours[slot]]
            count += 1
            utilisation += max(other[1], other[2], other[3])
            trend += other[12]
    row[14] = utilisation / count if count > 0 else -1.0
    row[15] = trend / max(count, 1)


@compiled
def _observe_forecast(values: Any, pending: Any, objective_ms: float, row: Any, first: int) -> None:
    for tick in range(values.shape[0]):
        for target in range(4):
            for quantile in range(2):
                value, place = values[tick, target, quantile], first + 8 * tick + 2 * target + quantile
                if target == 3:
                    row[place] = log_ratio(value, objective_ms, 4.0)
                else:
                    row[place] = log_ratio(value, pending.allocation[target], 2.0)


@compiled
def _observe_world(weather: Any, row: Any) -> None:
    day, week = 2.0 * math.pi * weather.time_s / SECONDS_PER_DAY, 2.0 * math.pi * weather.time_s / SECONDS_PER_WEEK
    row[0], row[1], row[2], row[3] = math.sin(day), math.cos(day), math.sin(week), math.cos(week)
    row[4] = log_ratio(weather.price_factor, 1.0, 1.0)


@entry_point
def _observe(
    zones: Any,
    before: Any,
    weather: Any,
    pending: Any,
    forecast: Any,
    out: Any,
    peaks: Any,
    neighbours: Any,
    objective_ms: float,
) -> None:
    first, width = 21, 21 + 8 * forecast.shape[2]
    for w in range(zones.shape[0]):
        rows = out[w, : zones.shape[1] * width].reshape(zones.shape[1], width)
        for z in range(zones.shape[1]):
            _observe_zone(zones[w, z], before[w, z], pending[w, z], peaks[z], objective_ms, rows[z])
            if forecast.shape[2]:
                _observe_forecast(forecast[w, z], pending[w, z], objective_ms, rows[z], first)
        for z in range(zones.shape[1]):
            _pool_neighbours(neighbours[z], rows, rows[z])
        _observe_world(weather[w], out[w, zones.shape[1] * width :])


class Observer:
    """Turns telemetry, forecast and the pending command into observations.

    Args:
        constants: Peaks, objective and neighbourhood that the features are relative to.
        forecast: Whether there is a forecaster, and so forecast features.
    """

    def __init__(self, constants: Constants, forecast: bool) -> None:
        peaks = np.column_stack([2.0 * constants.zones["peak_users"], constants.zones["peak_allocation"]])
        peaks[:, 0] = np.log1p(peaks[:, 0])
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
        over_worlds(_observe, batched, self._fixed)
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
