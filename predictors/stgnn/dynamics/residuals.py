"""How long a zone's deviations from what is usual last.

What the network does not know of a zone, it gives a spread. In the world it stands for, that is no white noise: a zone
that costs more than others do so still does in the next tick. So deviations are carried as the sum of two first-order
autoregressions, a quick and a slow one, whose shares and correlations are read off recordings. Each forgets a share of
itself in every tick and stays standard normal; a zone's own cost per user lives in the slow one.
"""

from itertools import product
from typing import Final, NamedTuple

import numpy as np

Array = np.ndarray

LAGS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""Ticks over which correlations are read."""
_QUICK: Final = np.concatenate([[0.0], np.linspace(0.1, 0.95, 35)])
_SLOW: Final = 1.0 - np.geomspace(0.002, 0.1, 20)
_LEAST_PAIRS: Final = 100.0


class Parts(NamedTuple):
    """How a target deviates.

    Attributes:
        share: Of the quick part in the variance.
        quick: Its correlation from tick to tick.
        slow: That of the slow part.
        size: Standard deviation of both together, 1 if the network foretells it rightly.
    """

    share: float
    quick: float
    slow: float
    size: float = 1.0

    def correlation(self, lags: Array) -> Array:
        """Return the autocorrelation of the sum.

        >>> Parts(0.5, 0.5, 1.0).correlation(np.array([0, 1, 2]))
        array([1.   , 0.75 , 0.625])
        """
        return self.share * self.quick**lags + (1.0 - self.share) * self.slow**lags


def correlations(deviations: Array, counts: Array) -> tuple[Array, Array]:
    """Return autocorrelation at :data:`LAGS` and how many pairs it comes from.

    Args:
        deviations: ``[T, N]``, of mean 0.
        counts: ``[T, N]``, 0 leaves a sample out.
    """
    variance = (counts * deviations**2).sum() / counts.sum()
    pairs = [counts[lag:] * counts[:-lag] for lag in LAGS]
    sums = [(both * deviations[lag:] * deviations[:-lag]).sum() for lag, both in zip(LAGS, pairs, strict=True)]
    number = np.array([both.sum() for both in pairs])
    return np.array(sums) / np.maximum(number, 1.0) / variance, number


def fit_parts(correlation: Array, pairs: Array) -> Parts:
    """Return the two parts whose autocorrelation is nearest to what was read; the squares of the errors are weighed.

    Near lags weigh more, for what follows from tick to tick is seen most.
    """
    lags = np.array(LAGS, dtype=float)
    weights = np.where(pairs >= _LEAST_PAIRS, 1.0 / lags, 0.0)
    best, least = Parts(1.0, 0.0, 0.0), np.inf
    for quick, slow in product(_QUICK, _SLOW):
        one, other = quick**lags, slow**lags
        apart = one - other
        share = (weights * apart * (correlation - other)).sum() / max((weights * apart**2).sum(), 1e-12)
        parts = Parts(float(np.clip(share, 0.0, 1.0)), float(quick), float(slow))
        error = (weights * (correlation - parts.correlation(lags)) ** 2).sum()
        if error < least:
            best, least = parts, error
    return best
