"""What the training loop is given: the network, motions with their sentences, and how well it does on others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from predictors.encoders.motion import evaluation
from predictors.encoders.motion.contrast import alike_pairs, contrast
from predictors.encoders.motion.frames import FEATURES, SEEN, features_of
from predictors.encoders.motion.network import MotionNetwork
from predictors.encoders.motion.samples import Labelled
from predictors.encoders.motion.weights import save_weights

Array = np.ndarray
_SHORTEST: Final = 10
"""Frames of the shortest part that is learnt from, 0.8 s [choice]."""
_LONGEST: Final = 48
"""Frames of the longest part, 3.84 s [choice]: whole motions are seen over the steps, at less than half of the cost."""
_NOISE: Final = 0.1
"""Added to features, in deviations [choice]."""
_FORGET: Final = 0.25
"""Share of motions of which joints are hidden [choice]; it teaches to do without."""
_ROOT: Final = len(FEATURES) - 6 * len(SEEN)


@dataclass(frozen=True)
class Known:
    """Motions as the network sees them.

    Attributes:
        rows: Of each, ``[frames, 89]``, not standardised.
        present: Of each, ``bool [89]``.
        captions: Of each.
        sources: Of each.
    """

    rows: tuple[Array, ...]
    present: tuple[Array, ...]
    captions: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All captions, each once."""
        return tuple(dict.fromkeys(caption for known in self.captions for caption in known))


def known_of(samples: Sequence[Labelled]) -> Known:
    """Turn motions into features."""
    made = [(*features_of(sample.motion), sample.captions, sample.source) for sample in samples]
    rows, present, captions, sources = zip(*made, strict=True) if made else ((), (), (), ())
    return Known(rows, present, captions, sources)


class MotionLearner:
    """A :class:`predictors.encoders.training.learner.Learner` of motions and sentences.

    Args:
        net: To train; it is standardised to the motions.
        training: To learn from.
        validation: That decide when to stop.
        sentences: Sentence to the language model's embedding ``float32 [384]``, for all captions.
        data: Of the run, in words.
        card: What the weights' file tells besides.
    """

    kind = "motion-encoder"
    watched = "missed"
    words: Mapping[str, str] = {
        **{f"r_precision_{depth}": f"R-precision@{depth}, %" for depth in evaluation.DEPTHS},
        "missed": "100 less the mean of these, %",
    }

    def __init__(
        self, net: MotionNetwork, training: Known, validation: Known, sentences: Mapping[str, Array], *, data: str,
        card: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.net: nn.Module = net
        self._motions, self.data, self.size = net, data, len(training)
        self._card, self._training, self._validation = dict(card), training, validation
        net.standardise(training.rows)
        self._rows = [net.ready(*pair) for pair in zip(training.rows, training.present, strict=True)]
        self._held = [net.ready(*pair) for pair in zip(validation.rows, validation.present, strict=True)]
        self._captions = [frozenset(known) for known in training.captions]
        self._sentences = sentences
        self._texts = tuple(dict.fromkeys((*training.sentences, *validation.sentences)))

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        """Return the contrast of some motions and one sentence of each."""
        texts = [str(random.choice(self._training.captions[place])) for place in places]
        motions = self._motions([altered(self._rows[place], random) for place in places])
        embeddings = self._embedded(texts)
        alike = alike_pairs([self._captions[place] for place in places], texts, embeddings)
        return contrast(motions, self._motions.sentences(embeddings), self._motions.scale, alike)

    def validate(self) -> dict[str, float]:
        """Return R-precision among all sentences of the held-out motions, and what its mean lacks of 100; percent."""
        sentences = self._validation.sentences
        similarities = self._motions(self._held) @ self._motions.sentences(self._embedded(sentences)).T
        relevant = evaluation.relevance(self._validation.captions, sentences)
        ranks = evaluation.gallery(similarities.cpu().numpy(), relevant, self._validation.sources)
        found = [100.0 * float(ranks.hits(depth).mean()) for depth in evaluation.DEPTHS]
        named = {f"r_precision_{depth}": value for depth, value in zip(evaluation.DEPTHS, found, strict=True)}
        return {**named, "missed": 100.0 - float(np.mean(found))}

    def save(self, folder: Path) -> None:
        """Write the weights with the captions that are found for a motion."""
        with torch.inference_mode():
            table = self._motions.sentences(self._embedded(self._texts)).cpu()
        save_weights(self._motions, self._texts, table, self._card, folder / "model")

    def _embedded(self, texts: Sequence[str]) -> Tensor:
        made = torch.from_numpy(np.stack([self._sentences[text] for text in texts]))
        return made.to(self._motions.centre.device)


def altered(rows: Array, random: np.random.Generator) -> Array:
    """Return a part of a motion with noise, now and then without some joints.

    Args:
        rows: Standardised, ``[frames, 89]``.
        random: Of the alteration.
    """
    count = len(rows)
    length = int(random.integers(min(count, max(_SHORTEST, count // 2)), count + 1))
    length = min(length, _LONGEST)
    begin = int(random.integers(count - length + 1))
    part = rows[begin : begin + length] + random.normal(0.0, _NOISE, (length, rows.shape[1])).astype(np.float32)
    if random.random() < _FORGET:
        hidden = random.random(len(SEEN)) < 0.2
        part[:, _ROOT:] *= 1.0 - np.tile(np.repeat(hidden, 3), 2).astype(np.float32)
    return part
