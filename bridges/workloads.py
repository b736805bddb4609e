"""Zones as a cluster knows them: Deployments with their pods, the nodes that bear them and what a namespace allows.

Amounts are in the project's units; moments are Unix seconds. A value that is not there is ``None``, never 0.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Rollout = Literal["complete", "progressing", "stuck", "paused"]


class Amounts(NamedTuple):
    """CPU and memory of one container."""

    cpu_cores: float | None
    memory_mb: float | None


class Pod(NamedTuple):
    """A pod of a zone.

    Attributes:
        name: Of the pod.
        node: Where it runs, or ``""``.
        phase: ``"Pending"``, ``"Running"``, ``"Succeeded"``, ``"Failed"`` or ``"Unknown"``.
        ready: Whether it serves.
        address: Of the pod, or ``""``.
        started_s: Unix time of its start.
        ready_since_s: Unix time of the latest change of readiness.
        requests: Of its container: what it really has, which after a resize may differ from the template's.
        limits: Likewise.
        restarts: Of its container.
        killed_for_memory_s: Unix time of the latest OOM kill.
        deleting: Whether it is going.
    """

    name: str
    node: str = ""
    phase: str = "Running"
    ready: bool = True
    address: str = ""
    started_s: float | None = None
    ready_since_s: float | None = None
    requests: Amounts = Amounts(None, None)
    limits: Amounts = Amounts(None, None)
    restarts: int = 0
    killed_for_memory_s: float | None = None
    deleting: bool = False


class Workload(NamedTuple):
    """A zone as its Deployment stands.

    Attributes:
        zone: Its name.
        namespace: Of the Deployment.
        name: Of the Deployment.
        uid: Of the Deployment: another one after it was deleted and made again.
        container: Whose resources are the zone's.
        version: ``resourceVersion``, for writes with a precondition.
        replicas: Asked for.
        ready_replicas: Serving.
        requests: Of one pod's container, from the template.
        limits: Likewise.
        bandwidth_mbps: Egress of one pod, from the annotation.
        annotations: Of the Deployment.
        managers: Who owns a field: path such as ``"spec.replicas"`` to the manager's name.
        autoscalers: Others that scale it, such as ``"HorizontalPodAutoscaler/zone-1"``.
        rollout: How the latest change fares.
        observed: Whether the controllers have seen the latest change.
        deleting: Whether it is going.
        pods: Those that there are.
        problem: Why its pods cannot come about, ``"FailedCreate: exceeded quota …"``; ``""`` when nothing is wrong.
        held: What may not be written now: ``"cpu"``, ``"memory"``, ``"replicas"`` or ``"bandwidth"`` to the reason,
            which begins with its code, such as ``"OwnedByHPA: HorizontalPodAutoscaler/zone-1 scales it by cpu"``.
    """

    zone: str
    namespace: str
    name: str
    uid: str
    container: str
    version: str
    replicas: int
    ready_replicas: int
    requests: Amounts
    limits: Amounts
    bandwidth_mbps: float | None = None
    annotations: Mapping[str, str] = {}
    managers: Mapping[str, str] = {}
    autoscalers: tuple[str, ...] = ()
    rollout: Rollout = "complete"
    observed: bool = True
    deleting: bool = False
    pods: tuple[Pod, ...] = ()
    problem: str = ""
    held: Mapping[str, str] = {}

    @property
    def ceiling(self) -> Amounts:
        """What one pod may use: its limit, else its request. A world's allocation is this times replicas."""
        pairs = zip(self.limits, self.requests, strict=True)
        return Amounts(*(request if limit is None else limit for limit, request in pairs))

    def requests_for(self, ceiling: Amounts) -> Amounts:
        """Return the requests that go with another ceiling: in the ratio that they have to it now."""
        return Amounts(*map(_in_ratio, ceiling, self.requests, self.limits))


def _in_ratio(ceiling: float | None, request: float | None, limit: float | None) -> float | None:
    if ceiling is None or request is None or not limit:
        return ceiling
    return ceiling * request / limit


class Node(NamedTuple):
    """A machine: what it can give, and what is asked of it by everybody, of whatever namespace."""

    name: str
    capacity: Amounts
    asked: Amounts


class Bounds(NamedTuple):
    """What a namespace allows: a LimitRange's least and most of a container, and what is left of its quotas."""

    least: Amounts = Amounts(None, None)
    most: Amounts = Amounts(None, None)
    left: Amounts = Amounts(None, None)


class Snapshot(NamedTuple):
    """A cluster at one moment.

    Attributes:
        workloads: The zones, sorted by name.
        nodes: Empty where they may not be read.
        bounds: Of the namespace.
        read_s: Monotonic time of reading.
    """

    workloads: tuple[Workload, ...]
    nodes: tuple[Node, ...]
    bounds: Bounds
    read_s: float
