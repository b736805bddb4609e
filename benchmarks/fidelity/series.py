"""What many series of one target look like, in eight figures, and how far two sets of figures are apart. Pure."""

import math
from typing import Final

import numpy as np

Array = np.ndarray
Figures = dict[str, float]

QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
LAGS: Final = {"acf1": 1, "acf4": 4, "acf16": 16}
"""Autocorrelations, by ticks apart."""
FIGURES: Final = ("mean", *QUANTILES, "cv", *LAGS)
_LEAST: Final = 1e-2
"""Logs are taken of this at least: an idle zone's egress is nothing."""


def figures(values: Array, counts: Array) -> Figures:
    """Return mean, quantiles and coefficient of variation of all values, and the autocorrelation of each series' log.

    Args:
        values: ``[T, N]``, a series in each column.
        counts: ``bool [T, N]``; false leaves a sample out.
    """
    seen = values[counts]
    mean = float(seen.mean())
    found = {"mean": mean} | {name: float(np.quantile(seen, share)) for name, share in QUANTILES.items()}
    found["cv"] = float(seen.std()) / mean
    logs = np.log(np.maximum(values, _LEAST))
    return found | {name: autocorrelation(logs, counts, lag) for name, lag in LAGS.items()}


def autocorrelation(values: Array, counts: Array, lag: int) -> float:
    """Return the correlation of values ``lag`` ticks apart, each series about its own mean, all series together.

    >>> wave = np.array([[1.0], [-1.0]] * 50)
    >>> autocorrelation(wave, np.ones((100, 1), dtype=bool), 1)
    -1.0
    """
    number = np.maximum(counts.sum(axis=0), 1)
    about = np.where(counts, values - (counts * values).sum(axis=0) / number, 0.0)
    pairs = max(int((counts[lag:] & counts[:-lag]).sum()), 1)
    variance = (about**2).sum() / counts.sum()
    return float((about[lag:] * about[:-lag]).sum() / pairs / variance)


def distances(ours: Figures, theirs: Figures) -> Figures:
    """Return how far each figure is from the reference: as a share of it, but correlations by their difference.

    >>> distances({"mean": 1.1, "acf1": 0.8}, {"mean": 1.0, "acf1": 0.9})
    {'mean': 0.095, 'acf1': -0.1}
    """
    return {
        name: round(ours[name] - theirs[name] if name in LAGS else math.log(ours[name] / theirs[name]), 3)
        for name in ours
    }
