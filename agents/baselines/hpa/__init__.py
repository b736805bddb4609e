"""Kubernetes' HorizontalPodAutoscaler, version 2: its arithmetic as pure functions, and the controller made of them.

The functions follow the controller's source, ``pkg/controller/podautoscaler`` (``replica_calculator.go`` and
``horizontal.go``) [V], and are held against its own unit tests. What decides about replicas (:mod:`.replicas`,
and, shared with the bridge, :mod:`metaverse_env.autoscaling`) takes numbers or arrays, so that one formula serves a
single workload and a thousand zones; what looks at pods one by one (:mod:`.pods`, :mod:`.metrics`) takes pods.
"""

from agents.baselines.hpa.metrics import (
    average_value_replicas,
    pods_replicas,
    utilisation_replicas,
    value_replicas,
)
from agents.baselines.hpa.pods import MetricsError, Pod, PodSample, Readiness
from agents.baselines.hpa.replicas import combined
from metaverse_env.autoscaling.behaviour import Behaviour, RatePolicy, Rules, limited, limited_by_rates
from metaverse_env.autoscaling.stabilising import Change, Recommended, stabilised, stabilised_down
from metaverse_env.autoscaling.tolerance import Tolerance

__all__ = [
    "Behaviour",
    "Change",
    "MetricsError",
    "Pod",
    "PodSample",
    "RatePolicy",
    "Readiness",
    "Recommended",
    "Rules",
    "Tolerance",
    "average_value_replicas",
    "combined",
    "limited",
    "limited_by_rates",
    "pods_replicas",
    "stabilised",
    "stabilised_down",
    "utilisation_replicas",
    "value_replicas",
]
