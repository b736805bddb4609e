"""Acting without looking: what an untrained agent does, and so what a trained one has to beat."""

from typing import Any, ClassVar

import numpy as np

from agents.baselines.checks import checked
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import RESOURCES
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray


class Random:
    """Multiplies every resource of every zone by a random factor in each tick: a random walk between the limits.

    World ``w`` has its own stream, keyed by ``(seed, w)``, so that it decides the same in a batch of any size.

    Args:
        seed: Makes it reproducible.
        largest_factor: Factors are log-uniform in [1 / largest_factor, largest_factor]; at least 1 [choice].
        largest_handover: Hand-overs are uniform in [0, largest_handover] where a zone has neighbours [choice].

    Raises:
        ConfigurationError: A parameter outside its range.
    """

    reads_forecast: ClassVar[bool] = False

    def __init__(self, seed: int = 0, largest_factor: float = 1.6, largest_handover: float = 0.5) -> None:
        self.seed = int(checked("random", "seed", seed, 0, np.inf))
        self.largest_factor = checked("random", "largest_factor", largest_factor, 1.0, 100.0)
        self.largest_handover = checked("random", "largest_handover", largest_handover, 0.0, 1.0)
        self._streams: list[np.random.Generator] = []
        self._handover: Any = 0.0

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Start every world's stream anew."""
        self._streams = [np.random.default_rng([self.seed, world]) for world in range(worlds)]
        self._handover = self.largest_handover * (zones.neighbours != NO_ZONE).any(axis=1)

    def act(self, view: View) -> Command:
        """Draw factors and hand-overs."""
        zones = view.pending.zones.shape[1]
        drawn = np.stack([stream.random((zones, len(RESOURCES) + 1)) for stream in self._streams])
        factors = self.largest_factor ** (2.0 * drawn[:, :, : len(RESOURCES)] - 1.0)
        allocation = np.clip(view.pending.allocation * factors, *view.limits)
        return Command.of(allocation, drawn[:, :, len(RESOURCES)] * self._handover)
