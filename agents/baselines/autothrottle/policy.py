"""Captains and tower as one controller of zones."""

from typing import Any, ClassVar

import numpy as np

from agents.baselines.autothrottle.captain import decided, started, throttled_share
from agents.baselines.autothrottle.tower import LADDER, Tower, busy_half, cost_of
from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import BANDWIDTH, CPU, MEMORY
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
THROTTLED = [CPU, BANDWIDTH]


@controller("autothrottle")
class Autothrottle:
    """Two levels; a zone without metrics is held and teaches nothing."""

    reads_forecast: ClassVar[bool] = False
    usage_cv: float = parameter(0.3, 0.01, 3.0, "Of usage from period to period [E].", search=(0.05, 2.0))
    window_s: float = parameter(
        180.0, 1.0, 3600.0, "Of usage that a lower limit must cover [choice].", unit="s", search=(15.0, 600.0)
    )
    first_rung: float = parameter(
        2.0, 0.0, len(LADDER) - 1.0, "Of the ladder of targets [choice].", search=(0, len(LADDER) - 1), whole=True
    )
    tower_s: float = parameter(
        60.0, 1.0, 3600.0, "Between two of the tower's decisions [V].", unit="s", search=(15.0, 600.0)
    )
    explore_every: float = parameter(
        10.0, 1.0, 1e6, "Decisions; exploration of 0.1 [V].", search=(2, 200), logarithmic=True, whole=True
    )
    learning_rate: float = parameter(0.5, 0.01, 1.0, "Weight of a new cost [choice].", search=(0.01, 1.0))
    memory_margin: float = parameter(1.25, 1.0, 10.0, "Memory over its peak in the window [choice].", search=(1.0, 2.0))
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._tower = Tower(0, 0, 1, 1.0)
        self._captains: Any = None
        self._memory: Any = None
        self._worst_ms: Any = 0.0
        self._elapsed_s = 0.0

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget limits, usage and costs."""
        self.__post_init__()
        self._tower = Tower(worlds, round(self.first_rung), round(self.explore_every), self.learning_rate)

    def act(self, view: View) -> Command:
        """Let the captains decide, and once a minute the tower."""
        telemetry, seen = view.telemetry, known(view, self.max_age_s)
        if self._captains is None:
            window = max(1, round(self.window_s / view.tick_s))
            self._captains = started(view.pending.allocation[:, :, THROTTLED].astype(np.float64), window)
            self._memory = np.zeros((window, *telemetry.users.shape))
        group = busy_half(telemetry.usage[:, :, CPU])
        self._look_after(view, seen, group)
        usage = telemetry.usage[:, :, THROTTLED]
        throttled = throttled_share(usage / telemetry.allocation[:, :, THROTTLED], self.usage_cv)
        target = self._tower.targets(group)[:, :, None]
        state = decided(self._captains, usage, throttled, target, seen[:, :, None])
        self._captains = state._replace(limit=np.clip(state.limit, *view.limits[:, THROTTLED]))
        return self._command(view, seen)

    def _look_after(self, view: View, seen: Array, group: Array) -> None:
        """Keep the worst latency of the tower's period, and let it learn at the end."""
        telemetry = view.telemetry
        self._worst_ms = np.maximum(self._worst_ms, np.where(seen, telemetry.latency_ms, 0.0))
        self._elapsed_s += view.tick_s
        if self._elapsed_s >= self.tower_s:
            cpu = view.telemetry.allocation[:, :, CPU], telemetry.usage[:, :, CPU]
            self._tower.learn(cost_of(*cpu, self._worst_ms, view.latency_objective_ms), group)
            self._worst_ms, self._elapsed_s = 0.0, 0.0

    def _command(self, view: View, seen: Array) -> Command:
        used_mb = np.where(seen, view.telemetry.usage[:, :, MEMORY], self._memory[-1])
        self._memory = np.concatenate([self._memory[1:], used_mb[None]])
        asked = view.pending.allocation.copy()
        asked[:, :, THROTTLED] = self._captains.limit
        needed_mb, pending_mb = self.memory_margin * self._memory.max(axis=0), asked[:, :, MEMORY]
        change = (needed_mb > pending_mb) | (needed_mb < 0.9 * pending_mb)
        asked[:, :, MEMORY] = np.where(change, np.clip(needed_mb, *view.limits[:, MEMORY]), pending_mb)
        return Command.of(np.where(seen[:, :, None], asked, view.pending.allocation))
