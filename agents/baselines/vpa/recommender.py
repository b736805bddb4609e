"""What has been learnt of every zone, and the recommendation that follows.

CPU and egress are histograms of samples, memory one of peaks. The autoscaler knows no egress; it is treated like CPU,
in kilobits per second.
"""

from typing import Final, NamedTuple

import numpy as np

from agents.baselines.vpa.buckets import Buckets, exponential
from agents.baselines.vpa.histogram import Histogram
from agents.baselines.vpa.memory import MemoryPeaks
from agents.baselines.vpa.recommending import confidence, scaled_by_confidence, whole, with_least, with_margin
from metaverse_env.units import BANDWIDTH, CPU, MEMORY

Array = np.ndarray

BUCKETS: Final[tuple[Buckets, ...]] = (
    exponential(1000.0, 0.01, 1.05, 1e-4),  # cores [V]
    exponential(1e12, 1e7, 1.05, 1e-4),  # bytes [V]
    exponential(1e6, 0.1, 1.05, 1e-4),  # Mbps [choice]
)
SAMPLE_WEIGHT: Final = 0.1
"""Of a sample of CPU [V] or egress."""
PER_UNIT: Final = np.array([1e3, 1e6, 1e3])
"""Milli-cores, bytes and kbps per core, MB and Mbps."""
BUCKET_UNIT: Final = np.array([1e3, 1.0, 1e3])
"""Milli-cores, bytes and kbps per unit of a bucket."""
POD_LEAST: Final = np.array([25.0, 262_144_000.0, 1.0])
"""25 milli-cores and 250 MiB [V]; 1 kbps [choice]."""
LOWER: Final = (0.001, -2.0)
UPPER: Final = (1.0, 1.0)
"""Multiplier and exponent of the confidence in a bound [V]."""


class Settings(NamedTuple):
    """What a recommendation is made with; see the parameters of :class:`~agents.baselines.vpa.policy.Vpa`."""

    percentiles: tuple[float, float, float]
    margin: float
    half_life_s: float
    memory_interval_s: float
    confidence_s: float


class Recommendation(NamedTuple):
    """Cores, MB and Mbps ``[…, 3]``; 0 where nothing is known."""

    target: Array
    lower: Array
    upper: Array


class Recommender:
    """Learns from samples of many zones at once.

    Args:
        shape: Of the zones, ``(W, Z)``.
        settings: How to learn and recommend.
    """

    def __init__(self, shape: tuple[int, ...], settings: Settings) -> None:
        self.settings = settings
        self._histograms = [Histogram(buckets, shape, settings.half_life_s) for buckets in BUCKETS]
        self._memory = MemoryPeaks(self._histograms[MEMORY], settings.memory_interval_s)
        self._first_s = np.full(shape, np.nan)
        self._last_s = np.zeros(shape)
        self._samples = np.zeros(shape)

    def learn(self, usage: Array, time_s: Array, known: Array) -> None:
        """Take a sample ``[…, 3]`` (cores, MB, Mbps) of each zone where ``known``, measured at ``time_s``."""
        for resource in (CPU, BANDWIDTH):
            self._histograms[resource].add(usage[..., resource], SAMPLE_WEIGHT * known, time_s)
        self._memory.add(usage[..., MEMORY] * PER_UNIT[MEMORY], time_s, known)
        self._first_s = np.where(np.isnan(self._first_s) & known, time_s, self._first_s)
        self._last_s = np.where(known, time_s, self._last_s)
        self._samples += known

    def learn_kill(self, memory_mb: Array, time_s: float, killed: Array) -> None:
        """Take a kill for lack of memory, of zones that had ``memory_mb``."""
        self._memory.add_kill(memory_mb * PER_UNIT[MEMORY], np.full(killed.shape, time_s), killed)

    def recommend(self) -> Recommendation:
        """Return target and bounds."""
        settings = self.settings
        values = [histogram.percentiles(settings.percentiles) for histogram in self._histograms]
        lower, target, upper = (
            with_margin(whole(np.stack(of_all, axis=-1) * BUCKET_UNIT), settings.margin)
            for of_all in zip(*values, strict=True)
        )
        first_s = np.where(np.isnan(self._first_s), self._last_s, self._first_s)
        sure = confidence(first_s, self._last_s, self._samples, settings.confidence_s)[..., None]
        bounds = target, scaled_by_confidence(lower, sure, *LOWER), scaled_by_confidence(upper, sure, *UPPER)
        return Recommendation(*(with_least(bound, POD_LEAST) / PER_UNIT for bound in bounds))
