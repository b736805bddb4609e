"""Choosing among candidates by their errors on the validation part, without being fooled by chance.

Candidates that are nearly as good as the best are averaged: which of them is the best is chance, and their mean is
better than most of them. All zones make one choice together; a zone makes its own where that would clearly have been
better.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCKS: Final = 10
"""Of validation time, between which candidates are compared."""
NEARLY: Final = 0.5
"""Standard errors by which a candidate may be worse than the best and still count [E]."""
CLEARLY: Final = 2.0
"""Standard errors by which a zone's own choice must be better than the common one [E]."""
LEAST_VALUES: Final = 20
"""Observed values from which a zone can choose for itself [E]."""


def block_of(targets: NDArray[np.int64], first: int, end: int) -> NDArray[np.int64]:
    """Return which block of ``[first, end)`` each target lies in, the first or last if outside.

    >>> block_of(np.array([5, 10, 19, 20]), 10, 20)
    array([0, 0, 9, 9])
    """
    return np.clip((targets - first) * BLOCKS // (end - first), 0, BLOCKS - 1)


def choose(errors: Array, counts: Array, usual: Array | None = None) -> Array:
    """Return the share of each candidate in each zone's choice, and in that of an unknown one.

    Args:
        errors: ``[C, N, BLOCKS]``, summed over the values of a zone in a block of time.
        counts: ``[N, BLOCKS]``, how many values they are.
        usual: ``[C]``, shares that all zones together leave only for what is clearly better. A few extreme moments
            decide squared errors: without it their winner would be taken for all the others too.

    Returns:
        ``[N + 1, C]``; rows sum to 1.

    >>> counts = np.full((2, 10), 9.0)
    >>> noise = np.tile([-0.1, 0.1], 5)
    >>> errors = np.stack([[1.0 + noise, 1.0 + noise], [1.0 - noise, 1.0 - noise], [5.0 + noise, 0.4 + noise]])
    >>> choose(errors, counts)
    array([[0.5, 0.5, 0. ],
           [0. , 0. , 1. ],
           [0.5, 0.5, 0. ]])
    """
    together, known = errors.sum(axis=1), counts.sum(axis=0) > 0.0
    common = _shares(together, counts.sum(axis=0))
    if usual is not None and not _beyond_chance((usual - common) @ together, known, CLEARLY):
        common = usual
    shares = np.tile(common, (errors.shape[1] + 1, 1))
    for zone in np.flatnonzero(counts.sum(axis=1) >= LEAST_VALUES):
        own = _shares(errors[:, zone], counts[zone])
        if _beyond_chance((shares[-1] - own) @ errors[:, zone], counts[zone] > 0.0, CLEARLY):
            shares[zone] = own
    return shares


def _shares(errors: Array, counts: Array) -> Array:
    """Return shares ``[C]`` of candidates with errors ``[C, BLOCKS]``; the first one's is all if nothing is known."""
    known = counts > 0.0
    worse = errors - errors[int(errors.sum(axis=1).argmin())]
    good = np.array([not _beyond_chance(one, known, NEARLY) for one in worse]) & known.any()
    good[0] |= not good.any()
    shares: Array = good / good.sum()
    return shares


def _beyond_chance(differences: Array, known: NDArray[np.bool_], errors: float) -> bool:
    """Say whether the sum of differences ``[BLOCKS]`` exceeds so many of its standard errors, and 0."""
    parts = differences[known]
    total = float(parts.sum())
    spread = float(parts.std(ddof=1)) if len(parts) > 1 else 0.0
    return total > errors * spread * math.sqrt(len(parts)) and total > 0.0
