"""What may not be taken away after a kill for want of memory.

A zone that was just killed uses nothing. Who follows use or a forecast of it, or learned from worlds in which that is
rare, may give it even less, so that it is killed again when its users are back. So a floor stays for a while under what
is asked for, by the rule of Kubernetes' VerticalPodAutoscaler (:func:`metaverse_env.autoscaling.memory.bumped`); and a
zone that does not serve keeps what was asked for last.
"""

from typing import Final

import numpy as np

from metaverse_env.autoscaling.memory import bumped
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY

Array = np.ndarray

KEPT_S: Final = 600.0
"""How long the floor stays [choice]."""
_BYTES_PER_MB: Final = 1e6


class MemoryFloor:
    """Floors of every zone, from the restarts that telemetry counts."""

    def __init__(self) -> None:
        self._before: tuple[Array, Array] | None = None  # restarts, and memory in effect, at the view before
        self._floor_mb: Array = np.zeros((0, 0), dtype=np.float32)
        self._age_s: Array = self._floor_mb

    def under(self, command: Command, view: View) -> Command:
        """Return the command, raised where a kill or a zone that does not serve asks for it."""
        self._look(view)
        allocation = command.allocation.copy()
        serves = view.telemetry.zones["ready"][..., None] > 0.0
        allocation = np.where(serves, allocation, np.maximum(allocation, view.pending.allocation))
        raised = np.minimum(np.maximum(allocation[..., MEMORY], self._floor_mb), view.limits[1, MEMORY])
        allocation[..., MEMORY] = raised
        return Command.of(allocation, command.handover)

    def _look(self, view: View) -> None:
        zones = view.telemetry.zones
        restarts, memory_mb = zones["restarts"].copy(), zones["allocation"][..., MEMORY].copy()
        if self._before is None or self._before[0].shape != restarts.shape:
            self._floor_mb = np.zeros_like(memory_mb)
            self._age_s = np.zeros_like(memory_mb)
        else:
            killed = restarts > self._before[0]
            needed_mb = bumped(self._before[1] * _BYTES_PER_MB, 0.0) / _BYTES_PER_MB
            self._age_s = np.where(killed, 0.0, self._age_s + view.tick_s)
            kept = np.where(self._age_s <= KEPT_S, self._floor_mb, 0.0)
            self._floor_mb = np.where(killed, np.maximum(kept, needed_mb), kept)
        self._before = restarts, memory_mb
