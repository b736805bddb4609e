"""The planner as a controller of zones.

Every resource of every zone is planned for itself; what couples zones, their nodes, is not modelled. A change is
charged for each resource, though a zone that changes several pays once.
"""

import numpy as np

from agents.baselines.believing import forecast_of
from agents.baselines.mpc.plan import first_level
from agents.baselines.mpc.surrogate import chance_short, spread
from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command, Forecast
from metaverse_env.units import MB_PER_GB, MEMORY, SECONDS_PER_HOUR
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
LEVELS = np.geomspace(0.7, 4.0, 14)
"""Allocations to choose from, over the highest median within the horizon divided by the knee [choice]."""


@controller("mpc")
class Mpc:
    """Plans over the forecast's horizon. A zone without metrics may grow and never shrinks."""

    cpu_knee: float = parameter(0.9, 0.01, 1.0, "Utilisation from which p95 is at risk [E].", search=(0.5, 1.0))
    memory_knee: float = parameter(0.95, 0.01, 1.0, "The same of memory [E].", search=(0.7, 1.0))
    bandwidth_knee: float = parameter(0.9, 0.01, 1.0, "The same of egress [E].", search=(0.5, 1.0))
    least_sigma: float = parameter(0.1, 0.01, 3.0, "Of log demand [E].", search=(0.01, 0.5), logarithmic=True)
    caution: float = parameter(1.0, 0.01, 1000.0, "Weight of violations.", search=(0.01, 30.0), logarithmic=True)
    change_weight: float = parameter(1.0, 0.0, 1000.0, "Weight of changes.", search=(0.01, 30.0), logarithmic=True)
    horizon_s: float = parameter(240.0, 1.0, 3600.0, "How far to plan [choice].", unit="s", search=(15.0, 240.0))
    cpu_eur_per_core_h: float = parameter(0.04, 0.0, 1e3, "Price list [E].", unit="EUR/core-h")
    memory_eur_per_gb_h: float = parameter(0.005, 0.0, 1e3, "Price list [E].", unit="EUR/GB-h")
    bandwidth_eur_per_mbps_h: float = parameter(0.0004, 0.0, 1e3, "Price list [E].", unit="EUR/Mbps-h")
    violated_eur_per_user_h: float = parameter(0.5, 0.0, 1e3, "Price of a violated user [E].", unit="EUR/user-h")
    change_eur: float = parameter(0.0001, 0.0, 1e3, "Price of a change [E].", unit="EUR")
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._knee = np.array([self.cpu_knee, self.memory_knee, self.bandwidth_knee])
        memory_eur = self.memory_eur_per_gb_h / MB_PER_GB
        self._price = np.array([self.cpu_eur_per_core_h, memory_eur, self.bandwidth_eur_per_mbps_h])

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, view: View) -> Command:
        """Plan, and take the first step.

        Raises:
            ConfigurationError: The view has no forecast.
        """
        forecast, pending = forecast_of(view, "mpc"), view.pending.allocation
        count = max(1, sum(tick * view.tick_s <= self.horizon_s for tick in forecast.ticks))
        values = np.moveaxis(forecast.values[:, :, :count, :3], 2, 0).astype(np.float64)
        levels = self._levels(view, values)
        stages = self._stages(view, forecast, values, levels)
        chosen = first_level(stages, self.change_weight * self.change_eur)
        wish = np.take_along_axis(levels, chosen[..., None], axis=-1)[..., 0]
        seen = known(view, self.max_age_s)[:, :, None]
        used_mb = np.where(seen[:, :, 0], view.telemetry.usage[:, :, MEMORY], 0.0)  # gives back more slowly than asked
        floor_mb = np.minimum(used_mb / self.memory_knee, view.limits[1, MEMORY])
        wish[:, :, MEMORY] = np.maximum(wish[:, :, MEMORY], floor_mb)
        ready = (view.telemetry.zones["ready"] > 0)[:, :, None]
        return Command.of(np.where(ready & (seen | (wish > pending)), wish, pending))

    def _levels(self, view: View, values: Array) -> Array:
        """Return the allocations to choose from, ``[W, Z, 3, K]``; the first is what is pending."""
        base = values[..., 0].max(axis=0) / self._knee
        grid = np.clip(base[..., None] * LEVELS, view.limits[0][:, None], view.limits[1][:, None])
        return np.concatenate([view.pending.allocation[..., None], grid], axis=-1)

    def _stages(self, view: View, forecast: Forecast, values: Array, levels: Array) -> Array:
        """Return what each level is expected to cost in each stage, ``[T, W, Z, 3, K]`` EUR."""
        ticks = np.diff(forecast.ticks[: len(values)], prepend=0)
        hours = (ticks * view.tick_s / SECONDS_PER_HOUR)[:, None, None, None, None]
        log_median, sigma = spread(values, self.least_sigma)
        usable = levels * self._knee[:, None]
        short = chance_short(log_median[..., None], sigma[..., None], usable[None])
        per_hour = levels * self._price[:, None] * view.telemetry.weather["price_factor"][:, None, None, None]
        quality = self.caution * self.violated_eur_per_user_h * view.telemetry.users[:, :, None, None]
        cost: Array = hours * (per_hour + quality * short)
        return cost
