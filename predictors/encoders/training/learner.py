"""What the loop asks of a modality."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor, nn


class Learner(Protocol):
    """A model and what it learns from.

    Attributes:
        kind: What is trained, such as ``"image-encoder"``; part of the checkpoint.
        data: What tells other data or another start apart, in words and hashes; a run is not resumed with another.
        net: Trained in place; parameters that do not require a gradient stay.
        size: How many samples there are to learn from.
        watched: The figure of :meth:`validate` that decides which weights are kept; lower is better.
        words: What each other figure of :meth:`validate` is, with its unit at the end after a comma: ``"…, %"``.
    """

    kind: str
    data: str
    net: nn.Module
    size: int
    watched: str
    words: Mapping[str, str]

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        """Return the mean loss of the samples at these places, as a scalar with a gradient.

        Args:
            places: From 0 to ``size - 1``, at most a batch of them.
            random: For augmentation and dropout of one's own; depends on the seed and the step alone.
        """
        ...

    def validate(self) -> Mapping[str, float]:
        """Return figures on samples that it does not learn from; the net is in evaluation mode, without gradients."""
        ...

    def save(self, folder: Path) -> None:
        """Write into an empty folder what ``from_pretrained`` of the encoder reads, safetensors only."""
        ...
