"""Histograms whose samples fade: a sample counts half as much as one that is a half-life younger.

Instead of shrinking what is old, what is new is added with a weight that grows with time,
``w 2^((t - reference) / half_life)``; only when that grows past 2^100 is all scaled back and the reference moved.
Source: ``recommender/util/{histogram,decaying_histogram}.go`` in Kubernetes' autoscaler [V].
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from agents.baselines.vpa.buckets import Buckets
from metaverse_env.errors import CheckpointError

Array = np.ndarray
MOST_DOUBLINGS: Final = 100.0
YEAR_ONE_S: Final = -62_135_596_800.0
"""Unix time of 1 January of the year 1; the reference is a whole number of half-lives after it [V]."""
CHECKPOINT_SCALE: Final = 10_000.0
"""Weight of the heaviest bucket in a checkpoint [V]."""


class Checkpoint(NamedTuple):
    """A histogram as it is stored: weights rounded to a ten-thousandth of the heaviest, and what they add up to."""

    total_weight: float
    bucket_weights: Mapping[int, int]
    reference_s: float = YEAR_ONE_S


class Histogram:
    """As many histograms as ``shape`` has elements, over the same buckets.

    Args:
        buckets: Where samples fall.
        shape: Of the arrays of samples; ``()`` for a single histogram.
        half_life_s: After how long a sample counts half; infinite for never.
    """

    def __init__(self, buckets: Buckets, shape: tuple[int, ...] = (), half_life_s: float = math.inf) -> None:
        self.buckets, self.half_life_s = buckets, half_life_s
        self.weights: Array = np.zeros((*shape, len(buckets.starts)))
        self.total: Array = np.zeros(shape)
        self._reference_s = YEAR_ONE_S

    def add(self, values: Any, weights: Any, times_s: Any = 0.0) -> None:
        """Add one sample to each; a weight of 0 adds none."""
        faded = np.broadcast_to(weights * self._factor(times_s), self.total.shape)
        self._flat()[self._places(values)] += faded.ravel()
        self.total += faded

    def subtract(self, values: Any, weights: Any, times_s: Any = 0.0) -> None:
        """Take back a sample that was added; what is left below epsilon is gone."""
        faded = np.broadcast_to(weights * self._factor(times_s), self.total.shape)
        flat, places, taken = self._flat(), self._places(values), faded.ravel() > 0
        flat[places] = np.where(taken, self._less(flat[places], faded.ravel()), flat[places])
        self.total = np.where(faded > 0, self._less(self.total, faded), self.total)

    def _less(self, weight: Array, sub: Array) -> Array:
        left = weight - sub
        return np.where(left < self.buckets.epsilon, 0.0, left)

    def _flat(self) -> Array:
        return self.weights.reshape(-1, self.weights.shape[-1])

    def _places(self, values: Any) -> tuple[Array, Array]:
        found = np.broadcast_to(self.buckets.find(values), self.total.shape).ravel()
        return np.arange(len(found)), found

    def _factor(self, times_s: Any) -> Any:
        """Return the weight of samples of some times, after moving the reference if it would grow too large."""
        if math.isinf(self.half_life_s):
            return 1.0
        latest_s = float(np.max(times_s))
        if latest_s > self._reference_s + MOST_DOUBLINGS * self.half_life_s:
            self._shift(latest_s)
        return np.exp2((np.asarray(times_s) - self._reference_s) / self.half_life_s)

    def _shift(self, time_s: float) -> None:
        lives = math.floor((time_s - YEAR_ONE_S) / self.half_life_s + 0.5)
        reference_s = YEAR_ONE_S + lives * self.half_life_s
        factor = 2.0 ** round((self._reference_s - reference_s) / self.half_life_s)
        self.weights *= factor
        self.total *= factor
        self._reference_s = reference_s

    @property
    def empty(self) -> Array:
        """Tell of each whether no bucket has a weight that counts."""
        empty: Array = np.asarray(~(self.weights >= self.buckets.epsilon).any(axis=-1))
        return empty

    def percentiles(self, shares: Sequence[float]) -> list[Array]:
        """Return for each share the end of the first bucket up to which that much of the weight lies; 0 if empty.

        The last bucket has no end, and answers with its start.
        """
        heavy = self.weights >= self.buckets.epsilon
        last = heavy.shape[-1] - 1
        low, high = heavy.argmax(axis=-1), last - heavy[..., ::-1].argmax(axis=-1)
        below = np.arange(last + 1) < low[..., None]
        summed = np.cumsum(np.where(below, 0.0, self.weights), axis=-1)
        ends = np.append(self.buckets.starts[1:], self.buckets.starts[-1])
        values = [ends[self._bucket(share, summed, low, high)] for share in shares]
        empty = ~np.take_along_axis(heavy, low[..., None], axis=-1)[..., 0]
        return [np.where(empty, 0.0, value) for value in values]

    def _bucket(self, share: float, summed: Array, low: Array, high: Array) -> Array:
        """Return the first bucket up to which a share of the weight lies, among those that count."""
        reached = summed >= (share * self.total)[..., None]
        first = reached.argmax(axis=-1)
        some = np.take_along_axis(reached, first[..., None], axis=-1)[..., 0]
        bucket: Array = np.where(some, np.clip(first, low, high), high)
        return bucket

    def save(self) -> Checkpoint:
        """Return a single histogram in the form that the autoscaler stores."""
        heaviest = float(self.weights.max())
        scale = CHECKPOINT_SCALE / heaviest if heaviest > 0 else 0.0
        rounded = np.floor(self.weights * scale + 0.5).astype(np.int64)
        kept = {int(bucket): int(rounded[bucket]) for bucket in np.flatnonzero(rounded)}
        return Checkpoint(float(self.total), kept, self._reference_s)

    def load(self, saved: Checkpoint) -> None:
        """Take over what was stored.

        Raises:
            CheckpointError: A bucket that there is not, or a negative weight.
        """
        count = len(self.buckets.starts)
        wrong = [bucket for bucket, weight in saved.bucket_weights.items() if not 0 <= bucket < count or weight < 0]
        if wrong:
            raise CheckpointError(
                f"histogram bucket {wrong[0]} is not one of 0 to {count - 1}, or its weight is negative"
            )
        if not 0 <= saved.total_weight < math.inf:
            raise CheckpointError(f"a histogram's total weight = {saved.total_weight}; must be finite and at least 0")
        self.weights[:] = 0.0
        stored = sum(saved.bucket_weights.values())
        for bucket, weight in saved.bucket_weights.items():
            self.weights[bucket] = weight * saved.total_weight / stored if stored else 0.0
        self.total = np.asarray(saved.total_weight if stored else 0.0)
        self._reference_s = saved.reference_s
