"""Provision once for the peak and never touch it again: what most operators do, and the unit of the reward."""

import numpy as np

from agents.baselines.checks import checked
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


class Static:
    """Sizes each zone when it is first observed, for the peak that is expected of it, and keeps that for ever.

    ``allocation = first usage x peak_factor / utilisation``, resource by resource, within the limits. A zone whose
    metrics are missing or that is not ready keeps what it has until its first sample.

    Args:
        peak_factor: Expected peak over the usage at first sight. Users may double within an hour, and egress grows
            faster than users, for each is sent the others; three times is an operator's round number [choice].
        utilisation: Share of the allocation that the peak may use; p95 latency leaves its floor near 0.7 [E].

    Raises:
        ConfigurationError: A parameter outside its range.
    """

    def __init__(self, peak_factor: float = 3.0, utilisation: float = 0.6) -> None:
        self.peak_factor = checked("static", "peak_factor", peak_factor, 0.01, 1000.0)
        self.utilisation = checked("static", "utilisation", utilisation, 0.01, 1.0)
        self._allocation: Array = np.zeros((0, 0, 3), dtype=np.float32)
        self._sized: Array = np.zeros((0, 0), dtype=np.bool_)

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget every size."""
        self._allocation = np.zeros((worlds, len(zones), 3), dtype=np.float32)
        self._sized = np.zeros((worlds, len(zones)), dtype=np.bool_)

    def act(self, view: View) -> Command:
        """Return the sizes; what is pending where there is none yet."""
        telemetry = view.telemetry
        new = ~self._sized & telemetry.observed & (telemetry.zones["ready"] > 0)
        sizes = np.clip(telemetry.usage * (self.peak_factor / self.utilisation), *view.limits)
        self._allocation = np.where(new[:, :, None], sizes, self._allocation)
        self._sized |= new
        return Command.of(np.where(self._sized[:, :, None], self._allocation, view.pending.allocation))
