"""A fusion as something that learns; see :mod:`predictors.encoders.training`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.intents import load_bank
from predictors.encoders.collecting import Signals
from predictors.encoders.fusion.net import FusionNet, heads_loss, hide_modalities, moments, pooled
from predictors.encoders.fusion.runtime import NAME, FusionCard, write_card
from predictors.encoders.fusion.worlds import Experience

Array = np.ndarray

AGREEMENT: Final = 3.0
"""Weight of agreeing with the other bank's activities, beside the heads' losses of about 1 [choice]."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Samples, and worlds in which users show them.

    Attributes:
        signals: Embeddings of the samples.
        experience: Moments whose shares are of these samples.
    """

    signals: Signals
    experience: Experience

    def tensors(self) -> dict[str, Tensor]:
        """Return the embeddings by modality, ``[activities x samples, d]``."""
        return {name: torch.from_numpy(rows) for name, rows in self.signals.flat().items()}


class FusionLearner:
    """Learns what to make of embeddings from moments of simulated zones.

    Args:
        lesson: To learn from.
        held_out: Other samples in other worlds, which say when to stop.
        card: Of the fusion; its ``aligned_with`` names a bank whose activities' means its vectors shall be near to.
        seed: Of the first weights.

    Raises:
        UnknownNameError, ScenarioError: There is no such bank, or it lacks an activity.
        ConfigurationError: Its vectors have another length.
    """

    kind = "fusion"
    watched = "loss"
    words: Mapping[str, str] = {
        "told_now": "moments whose activity is told, %",
        "told_later": "moments whose activity in 1, 2, 4 minutes is told, %",
        "disagreement": "squared distance from the means of --align, over theirs",
    }

    def __init__(self, lesson: Lesson, held_out: Lesson, card: FusionCard, seed: int = 0) -> None:
        self.lesson, self.held_out, self.card = lesson, held_out, card
        seen = lesson.experience.context
        context = np.stack([seen.mean(axis=0), seen.std(axis=0) + 1e-6])
        torch.manual_seed(seed)
        self.fusion = FusionNet(lesson.signals.flat(), card.dimension, len(card.activities), context)
        self.net: nn.Module = self.fusion
        self.size = len(lesson.experience.now)
        self.data = f"{card.data}; {_digest(lesson.signals)}, {self.size} moments, aligned with {card.aligned_with!r}"
        self._embeddings, self._held_out = lesson.tensors(), held_out.tensors()
        self._target = _means(card)

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        """Return the loss of some moments, modalities hidden by chance."""
        net, batch = self.fusion, moments(self.lesson.experience, places)
        vectors = net.vectors(self._embeddings)
        shares = hide_modalities(batch["shares"], len(self._embeddings))
        loss = heads_loss(net.heads(pooled(shares, vectors), batch["context"]), batch)
        return loss + AGREEMENT * self._disagreement(vectors)

    def validate(self) -> Mapping[str, float]:
        """Return the loss on held-out samples and worlds, and how many activities are told, percent."""
        net, batch = self.fusion, moments(self.held_out.experience)
        vectors = net.vectors(self._held_out)
        found = net.heads(pooled(batch["shares"], vectors), batch["context"])
        disagreement = self._disagreement(vectors)
        return {
            "loss": float(heads_loss(found, batch) + AGREEMENT * disagreement),
            "told_now": 100.0 * float((found[0].argmax(dim=1) == batch["now"]).float().mean()),
            "told_later": 100.0 * float((found[1].argmax(dim=2) == batch["later"]).float().mean()),
            "disagreement": float(disagreement),
        }

    def save(self, folder: Path) -> None:
        """Write ``fusion.safetensors`` and ``fusion.json``."""
        tensors = weights_of(self.fusion)
        save_file(tensors, folder / f"{NAME}.safetensors", metadata={"kind": self.kind})
        (folder / f"{NAME}.safetensors").chmod(0o644)
        write_card(self.card, folder / NAME)

    def _disagreement(self, vectors: Tensor) -> Tensor:
        """Return the squared distance of vectors from their activity's mean in the other bank, over the means' own."""
        if self._target is None:
            return torch.zeros(())
        activities = len(self._target)
        by_activity = vectors.reshape(len(self._embeddings), activities, -1, vectors.shape[-1])
        return ((by_activity - self._target[:, None]) ** 2).mean() / (self._target**2).mean()


def weights_of(net: FusionNet) -> dict[str, Tensor]:
    """Return the tensors that a fusion at work needs, by their names there."""
    tensors = {name: net.heads.now.state_dict()[name.removeprefix("now.")] for name in ("now.weight", "now.bias")}
    for modality, projection in net.projections.items():
        tensors |= {f"{modality}.{name}": tensor for name, tensor in projection.state_dict().items()}
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def _means(card: FusionCard) -> Tensor | None:
    """Return the mean vector ``[activities, dimension]`` of each activity in the bank to agree with."""
    if not card.aligned_with:
        return None
    means = load_bank(card.aligned_with, card.activities).vectors.mean(axis=(0, 2))
    if means.shape[1] != card.dimension:
        raise ConfigurationError(
            f"--align {card.aligned_with}: its vectors have {means.shape[1]} numbers, and {card.dimension} are needed"
        )
    return torch.from_numpy(means)


def _digest(signals: Signals) -> str:
    """Return a hash of all embeddings."""
    total = hashlib.sha256()
    for rows in signals.flat().values():
        total.update(np.ascontiguousarray(rows, dtype="<f4").tobytes())
    return f"embeddings {total.hexdigest()[:16]}"
