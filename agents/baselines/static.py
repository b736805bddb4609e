"""Provision once for the peak and never touch it again: what most operators do, and the unit of the reward."""

from typing import ClassVar

import numpy as np

from agents.baselines.parameters import controller, parameter
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


@controller("static")
class Static:
    """Sizes each zone when it is first observed, for the peak that is expected of it, and keeps that for ever.

    ``allocation = first usage x peak_factor / utilisation``, resource by resource, within the limits. A zone whose
    metrics are missing or that is not ready keeps what it has until its first sample. Users may double within an hour,
    and egress grows faster than users, for each is sent the others; a factor of three is an operator's round number.
    """

    reads_forecast: ClassVar[bool] = False
    peak_factor: float = parameter(
        3.0,
        0.01,
        1000.0,
        "Expected peak over the usage at first sight [choice].",
        search=(0.5, 100.0),
        logarithmic=True,
    )
    utilisation: float = parameter(
        0.6, 0.01, 1.0, "Share of the allocation that the peak may use; p95 leaves its floor near 0.7 [E]."
    )

    def __post_init__(self) -> None:
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
