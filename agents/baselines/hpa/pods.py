"""Which pods speak for a workload: those that are going, those not ready yet, and those without metrics.

Source: ``groupPods`` and ``calculatePodRequests`` in Kubernetes' ``replica_calculator.go`` [V]. Amounts are whole
milli-units (1000 is one core, or one byte of memory), times are seconds of any one clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from metaverse_env.errors import MetaverseError

CPU: Final = "cpu"
GONE_PHASES: Final = ("Failed", "Succeeded")
PENDING: Final = "Pending"
RUNNING: Final = "Running"


class MetricsError(MetaverseError, ValueError):
    """Metrics from which no number of replicas follows; an autoscaler then leaves everything as it is."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What the autoscaler knows of a pod.

    Attributes:
        name: Joins it to its metrics.
        phase: ``"Pending"``, ``"Running"``, ``"Succeeded"`` or ``"Failed"``.
        ready: Its Ready condition; ``None`` without one.
        start_time_s: When it started; ``None`` before.
        ready_transition_s: When the Ready condition last changed.
        deleting: Whether it has a deletion timestamp.
        requests_milli: What each container requests; ``None`` where it requests nothing.
    """

    name: str
    phase: str = RUNNING
    ready: bool | None = True
    start_time_s: float | None = 0.0
    ready_transition_s: float = 0.0
    deleting: bool = False
    requests_milli: Mapping[str, int | None] | None = None


class PodSample(NamedTuple):
    """One pod's metric: its value, the end of the window it was measured over, and that window's length."""

    value_milli: int
    timestamp_s: float = 0.0
    window_s: float = 60.0


class Readiness(NamedTuple):
    """How young pods are distrusted; the controller's own defaults [V]."""

    cpu_initialisation_s: float = 300.0
    initial_delay_s: float = 30.0


class Groups(NamedTuple):
    """How many pods are ready, and the names of the others."""

    ready: int
    unready: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]


def group_pods(
    pods: Sequence[Pod], samples: Mapping[str, PodSample], now_s: float, readiness: Readiness, cpu: bool
) -> Groups:
    """Sort pods into ready, unready, missing and ignored.

    Args:
        pods: All that the workload's selector finds.
        samples: Their metrics, by name.
        now_s: The time.
        readiness: How long a pod's CPU is distrusted.
        cpu: Whether the metric is the resource CPU, whose start-up peak says nothing about load.
    """
    groups: dict[str, list[str]] = {"ready": [], "unready": [], "missing": [], "ignored": []}
    for pod in pods:
        groups[_group(pod, samples.get(pod.name), now_s, readiness, cpu)].append(pod.name)
    return Groups(len(groups["ready"]), tuple(groups["unready"]), tuple(groups["missing"]), tuple(groups["ignored"]))


def _group(pod: Pod, sample: PodSample | None, now_s: float, readiness: Readiness, cpu: bool) -> str:
    if pod.deleting or pod.phase in GONE_PHASES:
        return "ignored"
    if pod.phase == PENDING:
        return "unready"
    if sample is None:
        return "missing"
    return "unready" if cpu and _distrusted(pod, sample, now_s, readiness) else "ready"


def _distrusted(pod: Pod, sample: PodSample, now_s: float, readiness: Readiness) -> bool:
    """Tell whether a pod's CPU is that of its start rather than of its load."""
    if pod.ready is None or pod.start_time_s is None:
        return True
    if pod.start_time_s + readiness.cpu_initialisation_s > now_s:
        return not pod.ready or sample.timestamp_s < pod.ready_transition_s + sample.window_s
    never_ready = pod.start_time_s + readiness.initial_delay_s > pod.ready_transition_s
    return not pod.ready and never_ready


def trusted(samples: Mapping[str, PodSample], groups: Groups) -> dict[str, int]:
    """Return the values that count, metrics of unknown pods among them, as in the controller.

    Raises:
        MetricsError: There are none.
    """
    left_out = {*groups.ignored, *groups.unready}
    values = {name: sample.value_milli for name, sample in samples.items() if name not in left_out}
    if not values:
        raise MetricsError("did not receive metrics for targeted pods (pods might be unready)")
    return values


def requests(pods: Sequence[Pod], container: str = "") -> dict[str, int]:
    """Return what each pod requests, of one container or of all, in milli-units.

    Raises:
        MetricsError: A container requests nothing, so that utilisation is not defined.

    >>> requests([Pod("a", requests_milli={"web": 500, "sidecar": 100})])
    {'a': 600}
    """
    return {pod.name: sum(_container_requests(pod, container)) for pod in pods}


def _container_requests(pod: Pod, container: str) -> list[int]:
    amounts = []
    for name, amount in (pod.requests_milli or {}).items():
        if container in ("", name):
            if amount is None:
                raise MetricsError(f"missing request for the resource in container {name} of pod {pod.name}; set one")
            amounts.append(amount)
    return amounts


def pod_samples(
    containers: Mapping[str, Mapping[str, int]], timestamp_s: float, window_s: float, container: str = ""
) -> dict[str, PodSample]:
    """Sum containers' metrics to pods'; a pod whose metrics lack the one container asked for has none.

    >>> pod_samples({"a": {"web": 300, "sidecar": 20}, "b": {"sidecar": 10}}, 0.0, 60.0, "web")
    {'a': PodSample(value_milli=300, timestamp_s=0.0, window_s=60.0)}
    """
    sums = {
        pod: sum(values.values()) if container == "" else values[container]
        for pod, values in containers.items()
        if container in ("", *values)
    }
    return {pod: PodSample(value, timestamp_s, window_s) for pod, value in sums.items()}


def ready_and_running(pods: Sequence[Pod]) -> int:
    """Count the pods that serve."""
    return sum(pod.phase == RUNNING and bool(pod.ready) for pod in pods)
