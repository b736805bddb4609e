"""Kubernetes' VerticalPodAutoscaler: its histograms, recommender and updater, and the controller made of them.

They follow the autoscaler's source, ``vertical-pod-autoscaler/pkg`` [V], and are held against its own unit tests. All
take arrays of any shape, one element per container or zone; a single one is an array of shape ``()``.
"""

from agents.baselines.vpa.buckets import Buckets, exponential, linear
from agents.baselines.vpa.histogram import Checkpoint, Histogram
from agents.baselines.vpa.memory import MemoryPeaks
from agents.baselines.vpa.recommending import confidence, scaled_by_confidence, with_least, with_margin
from agents.baselines.vpa.updating import Priority, priority
from metaverse_env.autoscaling.memory import bumped

__all__ = [
    "Buckets",
    "Checkpoint",
    "Histogram",
    "MemoryPeaks",
    "Priority",
    "bumped",
    "confidence",
    "exponential",
    "linear",
    "priority",
    "scaled_by_confidence",
    "with_least",
    "with_margin",
]
