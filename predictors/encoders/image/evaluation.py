"""How near captions come to references: BLEU [Papineni et al., 2002] and ROUGE-L [Lin, 2004], with intervals.

BLEU is sacrebleu's corpus BLEU (13a tokens, lower case, exponential smoothing), 0 to 100, against any number of
references an image. ROUGE-L is rouge-score's F measure with stems, the best over the references, mean over the images,
0 to 100. Both compare words, not meaning. Intervals are the middle 95 % of 1,000 bootstrap draws of the images.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from metaverse_env.errors import ConfigurationError

DRAWS: Final = 1000
COVERED: Final = (2.5, 97.5)
_ORDER: Final = 4
"""n-grams up to this length, as in the paper."""

Array = np.ndarray


class Counts(NamedTuple):
    """What BLEU counts in each image: ``[images, 4]`` n-grams that match and that are there, ``[images]`` words."""

    matching: Array
    there: Array
    words: Array
    reference_words: Array


def evaluate_captions(
    references: Sequence[Sequence[str]], texts: Sequence[str], *, seed: int = 0, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Judge captions.

    Args:
        references: Of each image, at least one sentence.
        texts: What was said about each image.
        seed: Of the bootstrap.
        draws: Of the bootstrap.

    Returns:
        A row each for ``"BLEU"`` and ``"ROUGE-L"``: ``figure``, ``value``, ``low``, ``high`` (0 to 100), ``samples``.

    Raises:
        ConfigurationError: There are no texts, not as many as images, or an image without a reference.
    """
    _check(references, texts)
    counts, rouge = _counts(references, texts), _rouge(references, texts)
    random = np.random.default_rng(seed)
    drawn = random.integers(len(texts), size=(draws, len(texts)))
    figures: dict[str, Callable[[Array], float]] = {
        "BLEU": lambda places: _bleu(Counts(*(one[places] for one in counts))),
        "ROUGE-L": lambda places: float(rouge[places].mean()),
    }
    return [_row(name, figure, drawn) for name, figure in figures.items()]


def _row(name: str, figure: Callable[[Array], float], drawn: Array) -> dict[str, Any]:
    low, high = np.percentile([figure(places) for places in drawn], COVERED)
    samples = drawn.shape[1]
    return {
        "figure": name, "value": figure(np.arange(samples)), "low": float(low), "high": float(high), "samples": samples,
    }  # fmt: skip


def _check(references: Sequence[Sequence[str]], texts: Sequence[str]) -> None:
    if not texts or len(references) != len(texts):
        raise ConfigurationError(f"{len(texts)} captions for {len(references)} images; give one for each of at least 1")
    for place, sentences in enumerate(references):
        if isinstance(sentences, str) or not sentences:
            raise ConfigurationError(f"image {place}: a list of at least one reference is needed, not {sentences!r}")


def _counts(references: Sequence[Sequence[str]], texts: Sequence[str]) -> Counts:
    bleu = BLEU(lowercase=True, effective_order=True)
    scores = [bleu.sentence_score(text, list(known)) for text, known in zip(texts, references, strict=True)]
    return Counts(
        np.array([score.counts for score in scores]),
        np.array([score.totals for score in scores]),
        np.array([score.sys_len for score in scores]),
        np.array([score.ref_len for score in scores]),
    )


def _bleu(counts: Counts) -> float:
    score = BLEU.compute_bleu(
        counts.matching.sum(axis=0).tolist(),
        counts.there.sum(axis=0).tolist(),
        int(counts.words.sum()),
        int(counts.reference_words.sum()),
        smooth_method="exp",
        max_ngram_order=_ORDER,
    )
    return float(score.score)


def _rouge(references: Sequence[Sequence[str]], texts: Sequence[str]) -> Array:
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    best = [scorer.score_multi(list(known), text)["rougeL"] for text, known in zip(texts, references, strict=True)]
    return np.array([100.0 * score.fmeasure for score in best])
