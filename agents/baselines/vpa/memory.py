"""Memory as the recommender sees it: one peak per interval, and more than that after a kill.

What matters of memory is not how it is distributed but how high it goes. Source: ``recommender/model/container.go`` in
Kubernetes' autoscaler [V].
"""

from typing import Any

import numpy as np

from agents.baselines.vpa.histogram import Histogram
from metaverse_env.autoscaling.memory import bumped

Array = np.ndarray


class MemoryPeaks:
    """Feeds the highest usage of each interval to a histogram, as one sample dated at the interval's end.

    Args:
        histogram: Takes the peaks; its shape is that of all arrays here.
        interval_s: Length of an interval.
    """

    def __init__(self, histogram: Histogram, interval_s: float) -> None:
        shape = histogram.total.shape
        self.histogram, self.interval_s = histogram, interval_s
        self.used_bytes: Array = np.zeros(shape)
        self._killed_bytes: Array = np.zeros(shape)
        self._end_s: Array = np.full(shape, np.nan)

    def add(self, usage_bytes: Any, time_s: Any, known: Any = True, killed: bool = False) -> None:
        """Take a sample where ``known``.

        Args:
            usage_bytes: Usage, or after a kill what is needed.
            time_s: When.
            known: Mask of the elements that have a sample.
            killed: Whether this stands for a kill: kept apart, so that one kill does not raise the next one's estimate.
        """
        end_s = np.where(np.isnan(self._end_s) & known, time_s, self._end_s)
        over = known & ~(time_s < end_s)
        highest = np.maximum(self.used_bytes, self._killed_bytes)
        higher = known & (time_s < end_s) & (highest != 0) & (usage_bytes > highest)
        self.histogram.subtract(highest, higher * 1.0, np.where(higher, end_s, 0.0))
        intervals = np.floor((time_s - end_s) / self.interval_s) + 1.0
        self._end_s = np.where(over, end_s + intervals * self.interval_s, end_s)
        new = higher | over
        self.histogram.add(usage_bytes, new * 1.0, np.where(new, self._end_s, 0.0))
        self._keep(usage_bytes, over, new, killed)

    def _keep(self, usage_bytes: Any, over: Array, new: Array, killed: bool) -> None:
        used, needed = (np.where(over, 0.0, peak) for peak in (self.used_bytes, self._killed_bytes))
        self.used_bytes = used if killed else np.where(new, usage_bytes, used)
        self._killed_bytes = np.where(new, usage_bytes, needed) if killed else needed

    def add_kill(self, request_bytes: Any, time_s: Any, killed: Any) -> None:
        """Take a kill where ``killed``, unless it is older than the interval before."""
        fresh = killed & ~(time_s < self._end_s - self.interval_s)
        self.add(bumped(request_bytes, self.used_bytes), time_s, fresh, killed=True)
