"""The VerticalPodAutoscaler as a controller of zones.

It recommends once a minute, and updates a zone to its target when what the zone has is outside the bounds, when it was
killed for lack of memory soon after it started, or when it has been left alone for long and is off by a tenth. Updates
are in place: there is no eviction, so the updater's minimum of replicas and its tolerance of evictions have no part in
it. With the autoscaler's own defaults it thinks in days: upper bounds are wide for as long, and within an hour it
hardly ever shrinks anything.
"""

from typing import ClassVar

import numpy as np

from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from agents.baselines.vpa.recommender import Recommendation, Recommender, Settings
from agents.baselines.vpa.updating import priority
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
DAY_S = 86_400.0


@controller("vpa")
class Vpa:
    """The recommender and the updater, with in-place updates.

    A zone that is not ready or whose metrics are missing teaches nothing and keeps what it has.
    """

    reads_forecast: ClassVar[bool] = False
    target_percentile: float = parameter(0.9, 0.01, 1.0, "Of usage, to recommend [V].", search=(0.5, 1.0))
    lower_percentile: float = parameter(0.5, 0.01, 1.0, "For the lower bound [V].", search=(0.05, 1.0))
    upper_percentile: float = parameter(0.95, 0.01, 1.0, "For the upper bound [V].", search=(0.5, 1.0))
    margin: float = parameter(0.15, 0.0, 10.0, "Added to every percentile [V].", search=(0.0, 2.0))
    half_life_s: float = parameter(
        DAY_S, 1.0, 1e7, "Of a sample's weight [V].", unit="s", search=(15.0, DAY_S), logarithmic=True
    )
    memory_interval_s: float = parameter(
        DAY_S, 1.0, 1e7, "One peak of memory in each [V].", unit="s", search=(15.0, DAY_S), logarithmic=True
    )
    confidence_s: float = parameter(
        DAY_S, 60.0, 1e7, "Time after which bounds are trusted [V].", unit="s", search=(60.0, DAY_S), logarithmic=True
    )
    recommend_every_s: float = parameter(
        60.0, 1.0, 3600.0, "Recommender's and updater's interval [V].", unit="s", search=(15.0, 120.0)
    )
    update_threshold: float = parameter(0.1, 0.0, 10.0, "Difference worth an update after long [V].", search=(0.0, 0.5))
    in_bounds_s: float = parameter(
        43_200.0, 0.0, 1e7, "How long is long [V].", unit="s", search=(15.0, 43_200.0), logarithmic=True
    )
    quick_kill_s: float = parameter(600.0, 0.0, 1e6, "A kill this soon after a start updates at once [V].", unit="s")
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        percentiles = self.lower_percentile, self.target_percentile, self.upper_percentile
        self._settings = Settings(percentiles, self.margin, self.half_life_s, self.memory_interval_s, self.confidence_s)
        self._forget((0, 0))

    def _forget(self, shape: tuple[int, int]) -> None:
        self._recommender = Recommender(shape, self._settings)
        self._now_s = self._next_s = 0.0
        self._updated_s: Array = np.zeros(shape)
        self._ready_s: Array = np.full(shape, -np.inf)
        self._restarts: Array = np.full(shape, np.inf)
        self._killed: Array = np.zeros(shape, dtype=np.bool_)

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget all that was learnt."""
        self._forget((worlds, len(zones)))

    def act(self, view: View) -> Command:
        """Learn; once an interval recommend, and update what is worth it."""
        self._now_s += view.tick_s
        seen = known(view, self.max_age_s)
        self._learn(view, seen)
        if self._now_s < self._next_s:
            return Command.of(view.pending.allocation)
        self._next_s = self._now_s + self.recommend_every_s
        return self._update(view, seen, self._recommender.recommend())

    def _learn(self, view: View, seen: Array) -> None:
        zones = view.telemetry.zones
        self._recommender.learn(view.telemetry.usage, self._now_s - zones["age_s"].astype(np.float64), seen)
        killed = zones["restarts"] > self._restarts
        self._recommender.learn_kill(view.telemetry.allocation[:, :, MEMORY], self._now_s, killed)
        self._killed |= killed & (self._now_s - self._ready_s < self.quick_kill_s)
        self._ready_s = np.where(killed, self._now_s, self._ready_s)
        self._restarts = zones["restarts"].copy()

    def _update(self, view: View, seen: Array, recommended: Recommendation) -> Command:
        """Return the targets of the zones that are worth it, and what is pending for the others."""
        pending = view.pending.allocation
        target, lower, upper = (np.clip(bound, *view.limits) for bound in recommended)
        outside, _, difference = priority(pending[:, :, None], target[:, :, None], lower[:, :, None], upper[:, :, None])
        long = self._now_s - self._updated_s >= self.in_bounds_s
        due = seen & (outside | self._killed | (long & (difference >= self.update_threshold)))
        self._updated_s = np.where(due, self._now_s, self._updated_s)
        self._killed &= ~due
        return Command.of(np.where(due[:, :, None], target, pending))
