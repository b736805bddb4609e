"""A Deployment as it stands: what controllers see of it, and what writing to it needs to know."""

from collections.abc import Mapping
from typing import NamedTuple

from bridges.contracts import Rollout, Workload
from bridges.errors import MalformedError
from bridges.kubernetes.documents import Document, condition, flag, name_of, part, quantity, text, texts, whole
from bridges.kubernetes.fields import Owners, names, owners_of
from bridges.kubernetes.marks import BANDWIDTH, MARK, Mark, State, decode
from bridges.kubernetes.sizes import Sizing, amounts_of, container_of, sizing_of

BITS_PER_MBIT = 1_000_000


class Strategy(NamedTuple):
    """How pods are replaced: how many may be too many, and how many may lack."""

    surge: int
    unavailable: int


class DeploymentFacts(NamedTuple):
    """More of a Deployment than controllers need.

    Attributes:
        workload: What they do.
        sizing: Of its container, exactly; ``None`` where there is no such container.
        bandwidth: The annotation of its pods as it stands.
        pod_spec: Of the template.
        pod_labels: Of the template.
        selector: Labels by which it chooses its pods.
        labels: Of the Deployment.
        strategy: How pods are replaced.
        owners: Of its fields.
        mark: What the bridge left there.
        created: Time of its creation, as text.
        paused: Whether rollouts are paused.
    """

    workload: Workload
    sizing: Sizing | None
    bandwidth: str | None
    pod_spec: Document
    pod_labels: Mapping[str, str]
    selector: Mapping[str, str]
    labels: Mapping[str, str]
    strategy: Strategy
    owners: Owners
    mark: Mark | None
    created: str
    paused: bool

    @property
    def state(self) -> State:
        """Return the values that the bridge writes, as they stand."""
        return State(self.sizing, self.workload.replicas, self.bandwidth)


def read_deployment(document: Document, container: str, zone_label: str) -> DeploymentFacts:
    """Return a Deployment.

    Args:
        document: As it came.
        container: Whose resources are the zone's; ``""`` for the only one.
        zone_label: Label whose value names the zone; the Deployment's name where it is ``""`` or there is none.

    Raises:
        MalformedError: It is not what the API promises; the message names the Deployment.
    """
    try:
        return _read(document, container, zone_label)
    except MalformedError as error:
        raise MalformedError(f"Deployment {text(document, 'metadata', 'name')!r}: {error}") from error


def _read(document: Document, container: str, zone_label: str) -> DeploymentFacts:
    template = part(document, "spec", "template")
    pod_spec, notes = part(template, "spec"), texts(template, "metadata", "annotations")
    found, replicas = container_of(pod_spec, container), whole(document, "spec", "replicas", default=1)
    sizing = None if found is None else sizing_of(found)
    owners, labels = owners_of(document), texts(document, "metadata", "labels")
    workload = _workload(document, replicas, sizing or Sizing(), notes.get(BANDWIDTH))._replace(
        zone=labels.get(zone_label) or name_of(document),
        container=container if found is None else text(found, "name"),
        managers=names(owners),
    )
    return DeploymentFacts(
        workload=workload,
        sizing=sizing,
        bandwidth=notes.get(BANDWIDTH),
        pod_spec=pod_spec,
        pod_labels=texts(template, "metadata", "labels"),
        selector=texts(document, "spec", "selector", "matchLabels"),
        labels=labels,
        strategy=_strategy(document, replicas),
        owners=owners,
        mark=decode(workload.annotations.get(MARK)),
        created=text(document, "metadata", "creationTimestamp"),
        paused=flag(document, "spec", "paused"),
    )


def _workload(document: Document, replicas: int, sizing: Sizing, bandwidth: str | None) -> Workload:
    uid, version = text(document, "metadata", "uid"), text(document, "metadata", "resourceVersion")
    if not uid or not version:
        raise MalformedError("metadata without uid or resourceVersion")
    problem = problem_of(document)
    return Workload(
        zone="",
        namespace=text(document, "metadata", "namespace"),
        name=name_of(document),
        uid=uid,
        container="",
        version=version,
        replicas=replicas,
        ready_replicas=whole(document, "status", "readyReplicas"),
        requests=amounts_of(sizing.requests),
        limits=amounts_of(sizing.limits),
        bandwidth_mbps=_mbps(bandwidth),
        annotations=texts(document, "metadata", "annotations"),
        rollout=rollout_of(document, replicas, problem),
        observed=_observed(document),
        deleting=bool(text(document, "metadata", "deletionTimestamp")),
        problem=problem,
    )


def _mbps(bandwidth: str | None) -> float | None:
    return None if bandwidth is None else float(quantity(bandwidth, BANDWIDTH) / BITS_PER_MBIT)


def _observed(document: Document) -> bool:
    return whole(document, "status", "observedGeneration") >= whole(document, "metadata", "generation")


def problem_of(document: Document) -> str:
    """Return why pods cannot come about, as ``"Code: message"``; old news while a change is not yet observed."""
    if not _observed(document):
        return ""
    late, failure = condition(document, "Progressing"), condition(document, "ReplicaFailure")
    if failure.get("status") == "True":
        return f"{text(failure, 'reason') or 'ReplicaFailure'}: {text(failure, 'message')[:500]}"
    if late.get("status") == "False" and late.get("reason") == "ProgressDeadlineExceeded":
        return f"ProgressDeadlineExceeded: {text(late, 'message')[:500]}"
    return ""


def rollout_of(document: Document, replicas: int, problem: str) -> Rollout:
    """Return how the latest change fares, as ``kubectl rollout status`` tells it."""
    if flag(document, "spec", "paused"):
        return "paused"
    if problem:
        return "stuck"
    counts = {key: whole(document, "status", key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    done = _observed(document) and all(count == replicas for count in counts.values())
    return "complete" if done else "progressing"


def _strategy(document: Document, replicas: int) -> Strategy:
    if text(document, "spec", "strategy", "type") == "Recreate":
        return Strategy(0, replicas)
    rolling = part(document, "spec", "strategy", "rollingUpdate")
    surge = _share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return Strategy(surge, unavailable if surge or unavailable else 1)  # the server lets neither both be 0


def _share(value: object, replicas: int, *, up: bool) -> int:
    """Return a number of pods, or a percentage of them, rounded as the Deployment controller does."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit():
        exact = int(value[:-1][:6]) * replicas
        return -(-exact // 100) if up else exact // 100
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise MalformedError(f"spec.strategy.rollingUpdate: expected a number or a percentage, not {value!r}")
