"""Provisioning for a quantile of the forecast: what is asked now covers demand until it can be undone.

``allocation = highest quantile within the lead / target utilisation``. It grows at once, and shrinks to the highest
wish of a short window. What was just measured is covered too, whatever the forecast says. A zone that was just killed
for want of memory uses none, and its forecast says so: a :class:`~agents.floor.MemoryFloor` lies under what it gets.
"""

from collections import deque

import numpy as np

from agents.baselines.believing import forecast_of, quantile_of, within_lead
from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from agents.floor import MemoryFloor
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


@controller("forecast")
class ForecastDriven:
    """The rule of the module. A zone without metrics may grow by its forecast and never shrinks."""

    quantile: float = parameter(0.9, 0.5, 0.99, "Of demand, to provide for [choice].", search=(0.5, 0.99))
    lead_s: float = parameter(60.0, 0.0, 3600.0, "How far ahead [choice].", unit="s", search=(0.0, 240.0))
    cpu_target: float = parameter(0.6, 0.01, 1.0, "Utilisation of CPU at that demand [choice].", search=(0.4, 0.95))
    memory_target: float = parameter(0.9, 0.01, 1.0, "The same of memory [choice].", search=(0.6, 1.0))
    bandwidth_target: float = parameter(0.6, 0.01, 1.0, "The same of egress [choice].", search=(0.4, 0.98))
    window_s: float = parameter(
        60.0,
        0.0,
        3600.0,
        "How long a wish forbids to shrink below it [choice].",
        unit="s",
        search=(0.0, 600.0),
    )
    dead_band: float = parameter(0.05, 0.0, 1.0, "Relative change not worth asking for [choice].", search=(0.0, 0.3))
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._target = np.array([self.cpu_target, self.memory_target, self.bandwidth_target])
        self._window: deque[Array] = deque()
        self._floor = MemoryFloor()

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget all wishes and kills."""
        self._window.clear()
        self._floor = MemoryFloor()

    def act(self, view: View) -> Command:
        """Provide for what is expected.

        Raises:
            ConfigurationError: The view has no forecast.
        """
        forecast, pending = forecast_of(view, "forecast"), view.pending.allocation
        if not self._window:
            self._window = deque([pending], maxlen=1 + int(self.window_s / view.tick_s))
        ahead = forecast.values[:, :, within_lead(forecast, self.lead_s, view.tick_s), :3]
        seen = known(view, self.max_age_s)[:, :, None]
        demand = np.maximum(quantile_of(ahead, self.quantile).max(axis=2), np.where(seen, view.telemetry.usage, 0.0))
        wish = np.clip(demand / self._target, *view.limits)
        self._window.append(wish)
        steady = np.clip(pending, wish, np.where(seen, np.max(self._window, axis=0), np.inf))
        worth = (np.abs(steady - pending) > self.dead_band * pending) & (view.telemetry.zones["ready"] > 0)[:, :, None]
        return self._floor.under(Command.of(np.where(worth, steady, pending)), view)
