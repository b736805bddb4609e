"""A PID controller for each resource of each zone.

It steers the logarithm of the allocation, so that a zone of any size answers alike, by the error
``e = ln(utilisation / target)``::

    ln allocation = I + kp e + kd de/dt,   dI/dt = ki e

The derivative is filtered by a first-order lag, for metrics are noisy. What the limits cut off is taken back from the
integral (back-calculation), so that it does not wind up. An error below zero counts less, since giving back too late
costs cents and too early costs users. Memory is never asked for below a margin over its usage.

Source: Åström and Murray, *Feedback Systems*, chapter 11 [V].
"""

from typing import Any, ClassVar

import numpy as np

from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
LEAST_UTILISATION = 1e-3
"""Keeps the error of an idle zone finite [choice]."""


@controller("pid")
class Pid:
    """Three controllers per zone; a zone without metrics is held, and its controllers stand still."""

    reads_forecast: ClassVar[bool] = False
    cpu_target: float = parameter(0.45, 0.01, 1.0, "Utilisation of CPU to aim at [choice].", search=(0.3, 0.95))
    memory_target: float = parameter(0.75, 0.01, 1.0, "The same of memory [choice].", search=(0.5, 1.0))
    bandwidth_target: float = parameter(0.45, 0.01, 1.0, "The same of egress [choice].", search=(0.3, 0.98))
    proportional: float = parameter(0.5, 0.0, 10.0, "Answer to an error of 1 [choice].", search=(0.0, 2.0))
    integral_per_min: float = parameter(
        1.0,
        0.0,
        100.0,
        "Answer to it in a minute [choice].",
        unit="1/min",
        search=(0.05, 8.0),
        logarithmic=True,
    )
    derivative_min: float = parameter(
        0.05, 0.0, 10.0, "Answer to its growth by 1/min [choice].", unit="min", search=(0.0, 1.0)
    )
    filter_s: float = parameter(30.0, 0.0, 3600.0, "Lag of the derivative [choice].", unit="s", search=(0.0, 300.0))
    down_factor: float = parameter(0.2, 0.0, 1.0, "Weight of an error below 0 [choice].", search=(0.0, 1.0))
    dead_band: float = parameter(0.05, 0.0, 1.0, "Relative change not worth asking for [choice].", search=(0.0, 0.3))
    memory_margin: float = parameter(1.1, 1.0, 10.0, "Least memory over its usage [choice].", search=(1.0, 1.5))
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._target = np.array([self.cpu_target, self.memory_target, self.bandwidth_target])
        self._integral: Any = None
        self._error: Any = np.nan
        self._slope: Any = 0.0

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Set every controller back."""
        self.__post_init__()

    def act(self, view: View) -> Command:
        """Move the integrals, and ask for what follows."""
        pending = view.pending.allocation.astype(np.float64)
        if self._integral is None:  # starts where the zone is, without a jump
            self._integral = np.log(pending)
        seen = np.repeat(known(view, self.max_age_s)[:, :, None], 3, axis=2)
        error = self._measured(view)
        raw = self._output(error, seen, view.tick_s / 60.0)
        allocation = np.clip(raw, *view.limits)
        self._integral += np.where(seen, np.log(allocation / raw), 0.0)
        worth = seen & (np.abs(allocation - pending) > self.dead_band * pending)
        asked = np.where(worth, allocation, pending)
        asked[:, :, MEMORY] = self._with_floor(view, asked[:, :, MEMORY], seen[:, :, MEMORY])
        return Command.of(asked)

    def _measured(self, view: View) -> Array:
        telemetry = view.telemetry
        utilisation = telemetry.usage / telemetry.allocation / self._target
        error: Array = np.log(np.maximum(utilisation, LEAST_UTILISATION))
        return np.where(error < 0.0, self.down_factor * error, error)

    def _output(self, error: Array, seen: Array, tick_min: float) -> Array:
        """Return the allocation that the three terms give together, before any limit."""
        before = np.where(np.isnan(self._error), error, self._error)
        share = tick_min / (tick_min + self.filter_s / 60.0)
        slope = self._slope + share * ((error - before) / tick_min - self._slope)
        self._slope = np.where(seen, slope, self._slope)
        self._error = np.where(seen, error, self._error)
        self._integral = self._integral + np.where(seen, self.integral_per_min * tick_min * error, 0.0)
        raw: Array = np.exp(self._integral + self.proportional * error + self.derivative_min * self._slope)
        return raw

    def _with_floor(self, view: View, memory_mb: Array, seen: Array) -> Array:
        floor_mb = np.minimum(self.memory_margin * view.telemetry.usage[:, :, MEMORY], view.limits[1, MEMORY])
        return np.where(seen, np.maximum(memory_mb, floor_mb), memory_mb)
