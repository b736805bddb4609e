"""The buckets of a histogram. Source: ``recommender/util/histogram_options.go`` in Kubernetes' autoscaler [V]."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from metaverse_env.errors import ConfigurationError

Array = np.ndarray


@dataclass(frozen=True)
class Buckets:
    """Where buckets start; the last one has no end.

    Attributes:
        starts: ``float64 [n]``, ascending from 0.
        first: Width of the first bucket.
        ratio: How much wider each is than the one before; 1 makes all equal.
        epsilon: A smaller weight counts as none.
    """

    starts: Array
    first: float
    ratio: float
    epsilon: float

    def find(self, values: Any) -> Array:
        """Return the bucket of each value; those below 0 are in the first, those too large in the last.

        >>> linear(5.0, 0.3, 0.001).find([-1.0, 1.3, 100.0])
        array([ 0,  4, 17])
        """
        values = np.maximum(np.asarray(values, dtype=np.float64), 0.0)
        if self.ratio == 1.0:
            found = np.floor(values / self.first)
        else:
            grown = np.log(values * (self.ratio - 1.0) / self.first + 1.0) / math.log(self.ratio)
            found = np.where(values < self.first, 0.0, np.floor(grown))
        bucket: Array = np.minimum(found, len(self.starts) - 1).astype(np.int64)
        return bucket


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ConfigurationError(f"a histogram's {name} = {value!r}; must be finite and above 0")


def linear(most: float, width: float, epsilon: float) -> Buckets:
    """Return equal buckets up to ``most``, and one for what is beyond.

    Raises:
        ConfigurationError: A value that is not above 0.
    """
    _positive(most=most, width=width, epsilon=epsilon)
    return Buckets(width * np.arange(math.ceil(most / width) + 1), width, 1.0, epsilon)


def exponential(most: float, first: float, ratio: float, epsilon: float) -> Buckets:
    """Return buckets that each are ``ratio`` times as wide as the one before; starts are ``first (r^n - 1) / (r - 1)``.

    Raises:
        ConfigurationError: A value that is not above 0, or a ratio of at most 1.

    >>> len(exponential(1000.0, 0.01, 1.05, 1e-4).starts)
    176
    """
    _positive(most=most, first=first, epsilon=epsilon)
    if not 1.0 < ratio < math.inf:
        raise ConfigurationError(f"a histogram's ratio = {ratio!r}; must be above 1")
    count = math.ceil(math.log(most * (ratio - 1.0) / first + 1.0) / math.log(ratio)) + 1
    starts = first * (ratio ** np.arange(count) - 1.0) / (ratio - 1.0)
    return Buckets(starts, first, ratio, epsilon)
