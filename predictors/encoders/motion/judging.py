"""A network held against motions that it did not learn from, and an encoder against labelled motions of anyone's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from predictors.encoders.motion.encoder import KanEncoder
from predictors.encoders.motion.evaluation import Ranks, Row, gallery, pools, relevance, row_of
from predictors.encoders.motion.learning import Known
from predictors.encoders.motion.network import MotionNetwork
from predictors.encoders.motion.samples import Labelled

Array = np.ndarray


def judge(
    net: MotionNetwork, known: Known, candidates: Sequence[str], sentences: Mapping[str, Array], seed: int = 0
) -> Iterator[tuple[Ranks, Row]]:
    """Yield what both protocols say of a network.

    Args:
        net: In evaluation mode.
        known: Motions to find sentences for.
        candidates: All sentences that may be found; those of the motions are among them.
        sentences: What the language model makes of each.
        seed: Of the pools and the intervals.
    """
    device = net.centre.device
    with torch.inference_mode():
        motions = net([net.ready(*pair) for pair in zip(known.rows, known.present, strict=True)])
        texts = net.sentences(torch.from_numpy(np.stack([sentences[text] for text in candidates])).to(device))
        similarities = (motions @ texts.T).cpu().numpy()
    yield from _judged(similarities, relevance(known.captions, candidates), known.sources, seed)


def evaluate(encoder: KanEncoder, samples: Sequence[Labelled], seed: int = 0) -> list[dict[str, Any]]:
    """Judge an encoder on labelled motions: among their own sentences and those that it can find.

    Args:
        encoder: Of motions.
        samples: Motions with captions; see :mod:`.kitml`, :mod:`.clips`, :mod:`.synthesis`.
        seed: Of the pools and the intervals.

    Returns:
        A row for each protocol, as :class:`.evaluation.Row` in JSON: ``protocol``, ``motions``, ``r_precision`` @1 2 3,
        ``low`` and ``high`` (95 %), ``chance``, ``median_rank``.

    Raises:
        SampleError: A motion cannot be encoded.
        ConfigurationError: There is none.
    """
    captions = [sample.captions for sample in samples]
    candidates = tuple(dict.fromkeys((*encoder.captions, *(caption for known in captions for caption in known))))
    relevant = relevance(captions, candidates)
    motions = encoder.encode([sample.motion for sample in samples]).embeddings
    similarities = motions @ encoder.embed_texts(candidates).T
    sources = [sample.source for sample in samples]
    return [row.as_json() for _, row in _judged(similarities, relevant, sources, seed)]


def _judged(similarities: Array, relevant: Array, sources: Sequence[str], seed: int) -> Iterator[tuple[Ranks, Row]]:
    for ranks in (
        pools(similarities, relevant, sources, np.random.default_rng(seed)),
        gallery(similarities, relevant, sources),
    ):
        yield ranks, row_of(ranks, seed)
