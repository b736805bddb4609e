"""The network: frames through one layer, their mean and spread through a second, windows to one embedding.

    window    = [mean, deviation] of frame_layer(rows)        over the frames of 2.56 s
    embedding = mean of window_layer(window), weighted by how telling a window is, scaled to length 1

The layers are KANs, or MLPs of as many parameters for comparison; all else is the same. Sentences come in as embeddings
of a language model and are brought to the same 128 numbers by a matrix.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Final, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from metaverse_env.errors import UnknownNameError
from predictors.encoders.motion.frames import FEATURES, windows_of
from predictors.encoders.motion.kan import KanLayer, MlpLayer

Array = np.ndarray
LayersName = Literal["kan", "mlp"]
LAYERS: Final = get_args(LayersName)
DIMENSION: Final = 128
"""Length of an embedding."""
TOGETHER: Final = 256
"""Windows that run together; bounds the memory of long motions [choice]."""
_FARTHEST: Final = 6.0
"""Standard deviations at which features are cut [choice]."""
_WARMEST: Final = 100.0
"""Largest scale of similarities (Radford et al., CLIP, 2021)."""


@dataclass(frozen=True)
class Shape:
    """What a network is made of.

    Attributes:
        layers: ``"kan"`` or ``"mlp"``.
        hidden: Numbers a frame becomes.
        centres: Gaussians an edge of the KAN.
        sentence: Length of the language model's embeddings.

    Raises:
        UnknownNameError: There are no such layers.
    """

    layers: str = "kan"
    hidden: int = 48
    centres: int = 6
    sentence: int = 384

    def __post_init__(self) -> None:
        if self.layers not in LAYERS:
            raise UnknownNameError("kind of layers", self.layers, LAYERS)


class MotionNetwork(nn.Module):
    """Motions and sentences to unit vectors of one space.

    Args:
        shape: What it is made of.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        layer = KanLayer if shape.layers == "kan" else MlpLayer
        self.register_buffer("centre", torch.zeros(len(FEATURES)))
        self.register_buffer("spread", torch.ones(len(FEATURES)))
        self.frame_layer = layer(len(FEATURES), shape.hidden, shape.centres)
        self.window_layer = layer(2 * shape.hidden, DIMENSION, shape.centres)
        self.telling = nn.Linear(2 * shape.hidden, 1)
        self.sentence_layer = nn.Linear(shape.sentence, DIMENSION)
        self.warmth = nn.Parameter(torch.tensor(float(np.log(1.0 / 0.07))))

    def standardise(self, rows: Iterable[Array]) -> None:
        """Learn means and deviations of the features from rows ``[frames, 89]``."""
        everything = np.concatenate(list(rows))
        self.centre.copy_(torch.from_numpy(everything.mean(axis=0)))
        self.spread.copy_(torch.from_numpy(everything.std(axis=0)).clamp(min=1e-3))

    def ready(self, rows: Array, present: Array) -> Array:
        """Return standardised features, zero where the layout has none, cut at six deviations."""
        scaled = (rows - self.centre.cpu().numpy()) / self.spread.cpu().numpy()
        return np.where(present, np.clip(scaled, -_FARTHEST, _FARTHEST), 0.0).astype(np.float32)

    def embed_windows(self, windows: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what windows say and how telling each is.

        Args:
            windows: Standardised rows ``[windows, frames, 89]``.
            mask: ``[windows, frames]``, 1 where there is a frame, 0 where there is none.

        Returns:
            ``[windows, 128]``, and positive weights ``[windows, 1]``.
        """
        made = self.frame_layer(windows)
        weights = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(-1)
        mean = (made * weights).sum(dim=1)
        variance = ((made - mean.unsqueeze(1)).square() * weights).sum(dim=1)
        pooled = torch.cat([mean, torch.sqrt(variance + 1e-5)], dim=-1)
        telling = torch.exp(torch.tanh(self.telling(pooled))) * mask.sum(dim=1, keepdim=True)
        return self.window_layer(pooled), telling

    def forward(self, motions: Sequence[Array]) -> Tensor:
        """Embed motions, each standardised rows ``[frames, 89]``; the mates of a motion do not change its embedding.

        Windows run :data:`TOGETHER` at a time, however long the motions are.

        Returns:
            ``[motions, 128]``, rows of length 1.
        """
        sums = self.centre.new_zeros(len(motions), DIMENSION)
        parts = ((place, part) for place, rows in enumerate(motions) for part in windows_of(rows))
        for block in _blocks(parts):
            owners = torch.tensor([place for place, _ in block], device=sums.device)
            windows, mask = (tensor.to(sums.device) for tensor in padded([part for _, part in block]))
            said, telling = self.embed_windows(windows, mask)
            sums = sums.index_add(0, owners, said * telling)
        return nn.functional.normalize(sums, dim=-1)

    def sentences(self, embeddings: Tensor) -> Tensor:
        """Bring a language model's embeddings ``[sentences, 384]`` to unit vectors ``[sentences, 128]``."""
        made: Tensor = self.sentence_layer(embeddings)
        return nn.functional.normalize(made, dim=-1)

    @property
    def scale(self) -> Tensor:
        """What similarities are multiplied with."""
        return torch.exp(self.warmth).clamp(max=_WARMEST)

    @property
    def settings(self) -> dict[str, object]:
        """The shape, for the file beside the weights."""
        return asdict(self.shape)


def padded(parts: Sequence[Array]) -> tuple[Tensor, Tensor]:
    """Return parts ``[frames, columns]`` as one tensor ``[parts, longest, columns]``, and a mask of their frames."""
    longest = max(len(part) for part in parts)
    values = np.zeros((len(parts), longest, parts[0].shape[1]), dtype=np.float32)
    mask = np.zeros((len(parts), longest), dtype=np.float32)
    for place, part in enumerate(parts):
        values[place, : len(part)], mask[place, : len(part)] = part, 1.0
    return torch.from_numpy(values), torch.from_numpy(mask)


def _blocks(parts: Iterator[tuple[int, Array]]) -> Iterator[list[tuple[int, Array]]]:
    while block := list(islice(parts, TOGETHER)):
        yield block
