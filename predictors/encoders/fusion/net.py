"""The fusion in torch: a projection a modality, and heads that only training and the activity need."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from predictors.encoders.fusion.worlds import AHEAD_TICKS, Experience

Array = np.ndarray

HIDDEN: Final = 64
"""Between embedding and intent [choice]."""
SAMPLE_DROPOUT: Final = 0.3
"""Share of an embedding's numbers that are hidden in training [choice]: there are more numbers than samples."""
MODALITY_DROPOUT: Final = 0.25
"""How often a modality is hidden from a moment in training [choice]."""
GROWING: Final = 2
"""Resources whose growth is told: CPU and bandwidth. Memory follows neither within minutes."""
HEAD_HIDDEN: Final = 48
_START: Final = 0.2
"""Size of the first vectors beside torch's default [choice]: those of the bank to agree with are short."""


class Projection(nn.Module):
    """From the embedding of a signal to its part of the intent.

    Args:
        embeddings: ``[samples, d]`` to learn from; their mean and spread become part of the weights.
        dimension: Of the intent.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, embeddings: Array, dimension: int) -> None:
        super().__init__()
        spread = embeddings.std(axis=0)
        self.register_buffer("mean", torch.from_numpy(embeddings.mean(axis=0).astype(np.float32)))
        self.register_buffer("scale", torch.from_numpy((spread + 0.1 * spread.mean() + 1e-6).astype(np.float32)))
        self.hide = nn.Dropout(SAMPLE_DROPOUT)
        self.inner = nn.Linear(embeddings.shape[1], HIDDEN)
        self.outer = nn.Linear(HIDDEN, dimension)
        with torch.no_grad():
            self.outer.weight.mul_(_START)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Project ``[samples, d]`` to ``[samples, dimension]``."""
        outer: Tensor = self.outer(torch.tanh(self.inner(self.hide((embeddings - self.mean) / self.scale))))
        return outer


class Heads(nn.Module):
    """What an intent, and what is observed beside it, tell of now and of later.

    Args:
        dimension: Of the intent.
        activities: How many.
        context: Means and spreads ``[2, 4]`` of what is observed.
    """

    context: Tensor

    def __init__(self, dimension: int, activities: int, context: Array) -> None:
        super().__init__()
        self.register_buffer("context", torch.from_numpy(context.astype(np.float32)))
        self.now = nn.Linear(dimension, activities)
        self.later = nn.Linear(dimension, len(AHEAD_TICKS) * activities)
        inputs = dimension + context.shape[1]
        self.grown = nn.Sequential(
            nn.Linear(inputs, HEAD_HIDDEN), nn.ReLU(), nn.Linear(HEAD_HIDDEN, len(AHEAD_TICKS) * GROWING)
        )

    def forward(self, intents: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores ``[N, K]`` of now, ``[N, 3, K]`` of later, and growth ``[N, 3, 2]``."""
        seen = torch.cat([intents, (context - self.context[0]) / self.context[1]], dim=1)
        later = self.later(intents).reshape(len(intents), len(AHEAD_TICKS), -1)
        return self.now(intents), later, self.grown(seen).reshape(len(intents), len(AHEAD_TICKS), GROWING)


class FusionNet(nn.Module):
    """Projections and heads.

    Args:
        embeddings: By modality ``[samples, d]``, activity by activity; to learn from.
        dimension: Of the intent.
        activities: How many.
        context: See :class:`Heads`.
    """

    def __init__(self, embeddings: Mapping[str, Array], dimension: int, activities: int, context: Array) -> None:
        super().__init__()
        self.projections = nn.ModuleDict({name: Projection(rows, dimension) for name, rows in embeddings.items()})
        self.heads = Heads(dimension, activities, context)

    def vectors(self, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors of all samples, ``[modalities x samples, dimension]``."""
        return torch.cat([projection(embeddings[name]) for name, projection in self.projections.items()])


def pooled(shares: Tensor, vectors: Tensor) -> Tensor:
    """Return intents ``[N, dimension]`` as means over signals; ``shares [N, P]`` need not add up to 1."""
    return (shares @ vectors) / shares.sum(dim=1, keepdim=True).clamp_min(1e-6)


def hide_modalities(shares: Tensor, modalities: int) -> Tensor:
    """Hide modalities by chance; where that would leave a moment without a signal, hide none of it."""
    blocks = shares.reshape(len(shares), modalities, -1)
    keep = (torch.rand(len(shares), modalities, 1) >= MODALITY_DROPOUT).to(shares.dtype)
    left = blocks * keep
    empty = left.sum(dim=(1, 2), keepdim=True) <= 0.0
    return torch.where(empty, blocks, left).reshape(shares.shape)


def moments(experience: Experience, places: Sequence[int] | Array | None = None) -> dict[str, Tensor]:
    """Return some moments, or all, as tensors by the names of their fields."""
    names = ("shares", "now", "later", "growth", "context")
    columns = {name: getattr(experience, name) for name in names}
    return {name: torch.from_numpy(rows if places is None else rows[places]) for name, rows in columns.items()}


def heads_loss(found: tuple[Tensor, Tensor, Tensor], truth: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the cross entropies of now and of later, and of twice the absolute error of the growth."""
    now, later, growth = found
    ahead = functional.cross_entropy(later.reshape(-1, later.shape[-1]), truth["later"].reshape(-1))
    return functional.cross_entropy(now, truth["now"]) + ahead + 2.0 * (growth - truth["growth"]).abs().mean()
