"""The parts of a cluster in memory: its Deployments, and what can be made to go wrong with it."""

from dataclasses import dataclass, field
from typing import Any

from bridges.contracts import Amounts, Rollout, Workload
from metaverse_env.errors import ClusterError


@dataclass
class Faults:
    """What goes wrong, until it is taken back.

    Attributes:
        reading: Raised by every read of the cluster.
        writing: Raised by every write, before anything is done.
        answers_lost: Whether writes are done but never answered.
        stuck: Zones whose changes never take effect.
        silent: Zones of which nothing is measured.
        zeros: Zones whose measurements are all 0.
    """

    reading: ClusterError | None = None
    writing: ClusterError | None = None
    answers_lost: bool = False
    stuck: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    zeros: set[str] = field(default_factory=set)


@dataclass
class Deployment:
    """What is asked of a Deployment, and what its pods still are."""

    asked: Workload
    running: Workload
    changed_s: float = 0.0
    changed_unix_s: float = 0.0
    handover: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether the pods are as asked."""
        return _size(self.asked) == _size(self.running)

    @property
    def rollout(self) -> Rollout:
        """How the latest change fares, deadlines left aside."""
        if self.asked.rollout == "paused":
            return "paused"
        return "complete" if self.settled else "progressing"


def _size(workload: Workload) -> tuple[Any, ...]:
    return workload.replicas, workload.requests, workload.limits, workload.bandwidth_mbps


def together(workload: Workload) -> Amounts:
    """Return what all pods may use together: their limits, or, without one, what they request."""
    pairs = zip(workload.limits, workload.requests, strict=True)
    each = (request if limit is None else limit for limit, request in pairs)
    return Amounts(*(None if value is None else workload.replicas * value for value in each))
