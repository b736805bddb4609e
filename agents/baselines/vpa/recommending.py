"""From percentiles to a recommendation: margin, confidence, least amounts.

Amounts are whole numbers of their smallest unit (milli-cores, bytes), cut off after every step. Source:
``recommender/logic`` in Kubernetes' autoscaler [V].
"""

from typing import Any, Final

import numpy as np

Array = np.ndarray
MOST_AMOUNT: Final = 1e14
"""Larger amounts end here [V]."""


def whole(amounts: Any) -> Array:
    """Cut amounts to whole ones in [0, 1e14].

    >>> float(whole(2.9)), float(whole(np.inf))
    (2.0, 100000000000000.0)
    """
    cut: Array = np.trunc(np.clip(np.nan_to_num(amounts, nan=0.0, posinf=MOST_AMOUNT), 0.0, MOST_AMOUNT))
    return cut


def confidence(first_s: Any, last_s: Any, samples: Any, interval_s: float) -> Array:
    """Return how much is known, in intervals: of time between first and last sample, and of samples, one a minute.

    >>> float(confidence(0.0, 960.0, 9, 1080.0))
    0.5
    """
    known: Array = np.minimum((np.asarray(last_s) - first_s) / interval_s, samples / (interval_s / 60.0))
    return known


def scaled_by_confidence(amounts: Any, known: Any, multiplier: float, exponent: float) -> Array:
    """Return ``amounts x (1 + multiplier / confidence)^exponent``; without any, 0 or the most, as the exponent says.

    >>> float(scaled_by_confidence(3140e6, 0.5, 0.1, 2.0))
    4521600000.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return whole(amounts * (1.0 + multiplier / np.asarray(known, dtype=np.float64)) ** exponent)


def with_margin(amounts: Any, fraction: float) -> Array:
    """Return amounts and their margin, which is cut to a whole one.

    >>> float(with_margin(1001, 0.15))
    1151.0
    """
    return whole(amounts + whole(np.asarray(amounts) * fraction))


def with_least(amounts: Any, pod_least: Any, containers: int = 1) -> Array:
    """Return at least a container's share of what a pod must have.

    >>> float(with_least(10, 25, containers=2))
    12.0
    """
    kept: Array = np.maximum(amounts, whole(pod_least * (1.0 / containers)))
    return kept
