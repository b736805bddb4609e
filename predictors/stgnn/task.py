"""What training needs to know of a network: its batches and its loss."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor, nn

from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording

Array = np.ndarray
Net = TypeVar("Net", bound=nn.Module)


class Task(ABC, Generic[Net]):
    """What to learn from recordings.

    Attributes:
        kind: Of the network.
        variant: Which parts it has.
        steps: That make an epoch.
        batch_zones: About how many zones a batch has.
        rate: Learning rate at the start.
    """

    kind: Kind
    variant: str = "full"
    steps: int
    batch_zones: int = 2048
    rate: float = 3e-3

    @abstractmethod
    def build(self) -> Net:
        """Return a network with random weights."""

    @abstractmethod
    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> dict[str, Tensor]:
        """Return what the loss needs, at some ticks of some worlds."""

    @abstractmethod
    def loss(self, net: Net, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch."""

    @property
    @abstractmethod
    def first_and_last(self) -> tuple[int, int]:
        """Return the first tick that can be learnt from, and how many must come after it."""

    def sample(self, recordings: Sequence[Recording], random: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch of what :meth:`pick` picks."""
        return self.batch(*self.pick(recordings, random))

    def pick(self, recordings: Sequence[Recording], random: np.random.Generator) -> tuple[Recording, Array, Array]:
        """Return ticks and worlds of one recording, about ``batch_zones`` zones; larger ones come more often."""
        sizes = np.array([recording.latency_ms.size for recording in recordings], dtype=float)
        recording = recordings[random.choice(len(recordings), p=sizes / sizes.sum())]
        count = max(1, self.batch_zones // len(recording.graph))
        first, after = self.first_and_last
        ticks = random.integers(first, len(recording.values) - after, size=count)
        return recording, ticks, random.integers(0, recording.values.shape[1], size=count)
