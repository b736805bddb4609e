"""How well sentences are found for motions: R-precision and median rank, beside chance, with intervals.

Two protocols. *Pools of 32*: a motion's own sentence among 31 of others (Guo et al., CVPR 2022; there the 32 are one
batch, here every motion has a pool of its own, and no other sentence in it fits the motion). *Gallery*: all sentences
at once, where any that was written for the motion is right.

Intervals are 95 % bootstraps over sources: performers or clips are drawn, not motions, for motions of one performer
are alike.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, Final

import numpy as np

from metaverse_env.errors import ConfigurationError

Array = np.ndarray
POOL: Final = 32
"""Sentences in a pool [V: Guo et al. 2022]."""
DEPTHS: Final = (1, 2, 3)
"""Of R-precision."""
REPEATS: Final = 20
"""Pools that are drawn for a motion [choice]."""
_DRAWS: Final = 2_000


@dataclass(frozen=True)
class Ranks:
    """Where the right sentence of each motion came.

    Attributes:
        protocol: ``"pools of 32"`` or ``"gallery of 322"``.
        ranks: From 1, ``[repeats, motions]``.
        chance: R-precision@1, 2, 3 of a random order.
        sources: Of each motion.
    """

    protocol: str
    ranks: Array
    chance: tuple[float, float, float]
    sources: tuple[str, ...]

    def hits(self, depth: int) -> Array:
        """Return how often each motion's sentence was among the first, ``[motions]``."""
        made: Array = (self.ranks <= depth).mean(axis=0)
        return made


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        protocol: As in :class:`Ranks`.
        motions: How many.
        sources: Performers or clips that they come from; of one there is no interval, its ends are the figure itself.
        r_precision: At 1, 2, 3.
        low: Lower ends of the 95 % intervals.
        high: Upper ends.
        chance: At 1, 2, 3.
        median_rank: Of the right sentence.
    """

    protocol: str
    motions: int
    sources: int
    r_precision: tuple[float, float, float]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    chance: tuple[float, float, float]
    median_rank: float

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def gallery(similarities: Array, relevant: Array, sources: Sequence[str]) -> Ranks:
    """Rank all sentences for each motion.

    Args:
        similarities: ``[motions, sentences]``.
        relevant: ``bool [motions, sentences]``, at least one a motion.
        sources: Of the motions.
    """
    ranks = _ranks(similarities, relevant)
    count = similarities.shape[1]
    right = relevant.sum(axis=1)
    chance = [1.0 - np.mean([comb(count - own, depth) / comb(count, depth) for own in right]) for depth in DEPTHS]
    return Ranks(f"gallery of {count}", ranks[np.newaxis], _three(chance), tuple(sources))


def pools(
    similarities: Array, relevant: Array, sources: Sequence[str], random: np.random.Generator, repeats: int = REPEATS
) -> Ranks:
    """Rank one right sentence of each motion among 31 that are not; see :func:`gallery`.

    No two of a pool were written for the same motion, so that it does not say the same twice.
    """
    kinds = _kinds(relevant)
    size = min(POOL, int(kinds.max()) + 1)
    rounds = [_ranks_in_pools(similarities, relevant, kinds, size, random) for _ in range(repeats)]
    chance = [min(1.0, depth / size) for depth in DEPTHS]
    return Ranks(f"pools of {size}", np.stack(rounds), _three(chance), tuple(sources))


def _ranks(similarities: Array, relevant: Array) -> Array:
    """Return the rank of the best right sentence; a wrong one that is as near goes before it."""
    best = np.where(relevant, similarities, -np.inf).max(axis=1, keepdims=True)
    made: Array = ((similarities >= best) & ~relevant).sum(axis=1) + 1
    return made


def _kinds(relevant: Array) -> Array:
    """Return a number for each sentence: the same for those of the same motions, one of its own for those of none."""
    _, kinds = np.unique(relevant, axis=1, return_inverse=True)
    kinds = np.asarray(kinds).ravel()
    alone = ~relevant.any(axis=0)
    kinds[alone] = kinds.max() + 1 + np.arange(alone.sum())
    return np.asarray(np.unique(kinds, return_inverse=True)[1])


def _ranks_in_pools(
    similarities: Array, relevant: Array, kinds: Array, size: int, random: np.random.Generator
) -> Array:
    """Draw a pool for each motion, and return the rank of its right sentence ``[motions]``."""
    own = np.where(relevant, random.random(relevant.shape), -1.0).argmax(axis=1)
    drawn = random.permutation(len(kinds))
    _, first = np.unique(kinds[drawn], return_index=True)
    shown = drawn[first]  # one sentence of each kind
    keys = np.where(relevant[:, shown], np.inf, random.random((len(own), len(shown))))
    others = shown[np.argsort(keys, axis=1)[:, : size - 1]]
    wrong = np.take_along_axis(similarities, others, axis=1)
    unlike = ~np.take_along_axis(relevant, others, axis=1)
    right = np.take_along_axis(similarities, own[:, np.newaxis], axis=1)
    made: Array = ((wrong >= right) & unlike).sum(axis=1) + 1
    return made


def row_of(ranks: Ranks, seed: int = 0) -> Row:
    """Summarise ranks."""
    hits = np.stack([ranks.hits(depth) for depth in DEPTHS], axis=1)
    low, high = interval(hits, ranks.sources, seed)
    return Row(
        ranks.protocol,
        hits.shape[0],
        len(set(ranks.sources)),
        _three(hits.mean(axis=0)),
        _three(low),
        _three(high),
        ranks.chance,
        float(np.median(ranks.ranks)),
    )


def interval(values: Array, sources: Sequence[str], seed: int = 0) -> tuple[Array, Array]:
    """Return the 95 % interval of the mean of ``[motions, columns]``, by drawing sources.

    >>> low, high = interval(np.array([[0.0], [1.0]]), ["a", "b"])
    >>> float(low[0]), float(high[0])
    (0.0, 1.0)
    """
    names, owner = np.unique(list(sources), return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, owner, values)
    counts = np.bincount(owner).astype(float)
    drawn = np.random.default_rng(seed).integers(len(names), size=(_DRAWS, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, np.newaxis]
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high


def relevance(captions: Sequence[Sequence[str]], sentences: Sequence[str]) -> Array:
    """Return which sentences were written for which motions, ``bool [motions, sentences]``.

    Raises:
        ConfigurationError: One has none among the sentences, or there is no motion.
    """
    place = {sentence: number for number, sentence in enumerate(sentences)}
    relevant = np.zeros((len(captions), len(sentences)), dtype=bool)
    for row, known in enumerate(captions):
        relevant[row, [place[caption] for caption in known if caption in place]] = True
    if not len(captions) or not relevant.any(axis=1).all():
        raise ConfigurationError(f"of {len(captions)} motions to judge, each needs a caption among the sentences")
    return relevant


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
