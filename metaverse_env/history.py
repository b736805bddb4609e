"""The recent past, as forecasters and controllers read it.

Time-major ``[2L, W, Z, F]`` with every tick written twice, so that the last ``L`` ticks are always one contiguous view:
never copied, never re-stacked.
"""

from copy import copy as copy_of
from typing import Any, Final

import numpy as np

from metaverse_env.compiling import entry_point
from metaverse_env.simulator.vectors import copy
from metaverse_env.telemetry import Telemetry
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

HISTORY_FEATURES: Final = (
    "users",
    "cpu_cores",
    "memory_mb",
    "bandwidth_mbps",
    "latency_ms",
    "allocated_cpu_cores",
    "allocated_memory_mb",
    "allocated_bandwidth_mbps",
    "age_s",
    "observed",
    "signals",
)
"""Raw values in their units; the intent follows them. ``observed`` is 0 where a value is held or not there at all."""

TICKS: Final = 12
"""How much is kept: 12 ticks are 3 minutes at 15 s."""


@entry_point
def _write(zones: Any, intents: Any, values: Any, row: int, ticks: int) -> None:
    width = values.shape[3] - intents.shape[2]
    for w in range(zones.shape[0]):
        for z in range(zones.shape[1]):
            zone, new = zones[w, z], values[row, w, z]
            new[0] = zone.users
            for resource in range(3):
                new[1 + resource] = zone.usage[resource]
                new[5 + resource] = zone.allocation[resource]
            new[4] = zone.latency_ms
            new[8], new[9], new[10] = zone.age_s, zone.observed, zone.signals
            for e in range(intents.shape[2]):
                new[width + e] = intents[w, z, e]
            copy(values[row + ticks, w, z], new)


class History:
    """A window over the last ticks of every world.

    Args:
        worlds: ``W``.
        graph: The zones, ``Z`` of them, and who neighbours whom.
        embedding: ``E``, width of the intents; 0 leaves them out.
        ticks: ``L``, how many are kept.
    """

    def __init__(self, worlds: int, graph: ZoneGraph, embedding: int = 0, ticks: int = TICKS) -> None:
        self.graph = graph
        self.ticks = ticks
        width = len(HISTORY_FEATURES) + embedding
        self._values = np.zeros((2 * ticks, worlds, len(graph), width), dtype=np.float32)
        self._time_s = np.zeros((2 * ticks, worlds))
        self._next = 0
        self.length = 0

    def clear(self, worlds: Array | None = None) -> None:
        """Mark as never observed what the worlds named by the mask ``[W]`` (all when ``None``) remember."""
        if worlds is None:
            rows = (self._next - 1 - np.arange(self.length)) % self.ticks  # the others were never written
            for row in (*rows, *(rows + self.ticks)):
                self._values[row] = self._time_s[row] = 0.0
            self.length = 0
        else:
            self._values[:, worlds] = 0.0
            self._time_s[:, worlds] = 0.0

    def anew(self) -> "History":
        """Return an empty history in the memory of this one, which is over."""
        self.clear()
        return copy_of(self)

    def append(self, telemetry: Telemetry) -> None:
        """Remember one tick."""
        self._next = (self._next + 1) % self.ticks
        self.length = min(self.length + 1, self.ticks)
        self.rewrite(telemetry)

    def rewrite(self, telemetry: Telemetry) -> None:
        """Replace the last tick: after some worlds started anew within it."""
        row = (self._next - 1) % self.ticks
        _write(telemetry.zones, telemetry.intents, self._values, row, self.ticks)
        self._time_s[row] = self._time_s[row + self.ticks] = telemetry.weather["time_s"]

    @property
    def values(self) -> Array:
        """``float32 [L, W, Z, F + E]``, oldest first: a view, valid until the next tick. Unfilled rows are zeros."""
        return self._values[self._next : self._next + self.ticks]

    @property
    def time_s(self) -> Array:
        """``float64 [L, W]``, the time within the week at the end of each tick."""
        return self._time_s[self._next : self._next + self.ticks]
