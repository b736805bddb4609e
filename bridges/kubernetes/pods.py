"""Pods and nodes as they are."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bridges.contracts import Amounts, Node, Pod
from bridges.kubernetes.documents import Document, condition, flag, moment, name_of, part, rows, text, whole
from bridges.kubernetes.sizes import Size, Sizing, amounts_of, container_of, pod_total, sizing_of

NEVER_READY = re.compile("Succeeded|Failed")


class Resize(NamedTuple):
    """How a resize of a pod fares.

    Attributes:
        state: ``""`` when there is none under way, else ``"Deferred"``, ``"Infeasible"`` or ``"InProgress"``.
        since_s: Unix time since when.
        message: What the kubelet says.
    """

    state: str = ""
    since_s: float | None = None
    message: str = ""


class PodFacts(NamedTuple):
    """More of a pod than controllers need.

    Attributes:
        pod: What they do.
        version: ``resourceVersion``.
        desired: What its container is told to have.
        actual: What it has: another thing while a resize is under way.
        resize: How that fares.
        spec: Of the pod, for its class of service.
    """

    pod: Pod
    version: str
    desired: Sizing
    actual: Sizing
    resize: Resize
    spec: Document


def read_pod(document: Document, container: str) -> PodFacts:
    """Return a pod; amounts are of the container that is named, or of the only one.

    Raises:
        MalformedError: It is not what the API promises.
    """
    spec, status = part(document, "spec"), _container_status(document, container)
    found = container_of(spec, container)
    desired = Sizing() if found is None else sizing_of(found)
    actual = sizing_of(status) if part(status, "resources") else desired
    ready = condition(document, "Ready")
    pod = Pod(
        name=name_of(document),
        node=text(document, "spec", "nodeName"),
        phase=text(document, "status", "phase") or "Unknown",
        ready=ready.get("status") == "True",
        address=text(document, "status", "podIP"),
        started_s=moment(document, "status", "startTime"),
        ready_since_s=moment(ready, "lastTransitionTime"),
        requests=amounts_of(actual.requests),
        limits=amounts_of(actual.limits),
        restarts=whole(status, "restartCount"),
        killed_for_memory_s=_killed_for_memory_s(status),
        deleting=bool(text(document, "metadata", "deletionTimestamp")),
    )
    return PodFacts(pod, text(document, "metadata", "resourceVersion"), desired, actual, read_resize(document), spec)


def _container_status(document: Document, container: str) -> Document:
    statuses = rows(document, "status", "containerStatuses", most=1000)
    if not container:
        return statuses[0] if len(statuses) == 1 else {}
    return next((status for status in statuses if status.get("name") == container), {})


def _killed_for_memory_s(status: Document) -> float | None:
    ends = [part(status, key, "terminated") for key in ("state", "lastState")]
    times = [moment(end, "finishedAt") for end in ends if end.get("reason") == "OOMKilled"]
    return max((time for time in times if time is not None), default=None)


def read_resize(document: Document) -> Resize:
    """Return how a resize fares: by conditions, as from Kubernetes 1.33 on, or by ``status.resize``, as before."""
    pending, working = condition(document, "PodResizePending"), condition(document, "PodResizeInProgress")
    if pending.get("status") == "True":
        return Resize(text(pending, "reason"), moment(pending, "lastTransitionTime"), text(pending, "message"))
    if working.get("status") == "True":
        return Resize("InProgress", moment(working, "lastTransitionTime"), text(working, "message"))
    return Resize(text(document, "status", "resize").removeprefix("Proposed"))


def deployment_of(document: Document) -> str:
    """Return the name of the Deployment behind a pod, or ``""``.

    A Deployment's ReplicaSets are named like it with the hash of the pod template, which is also a label of the pods.
    """
    digest = part(document, "metadata", "labels").get("pod-template-hash")
    for owner in rows(document, "metadata", "ownerReferences", most=100):
        if flag(owner, "controller") and owner.get("kind") == "ReplicaSet":
            return text(owner, "name").removesuffix(f"-{digest}") if digest else ""
    return ""


def by_deployment(pods: Iterable[Document]) -> dict[str, list[Document]]:
    """Return pods by the Deployment that made them; without those that have ended."""
    found: dict[str, list[Document]] = {}
    for pod in pods:
        name = deployment_of(pod)
        if name and not NEVER_READY.fullmatch(text(pod, "status", "phase")):
            found.setdefault(name, []).append(pod)
    return found


def read_nodes(nodes: Iterable[Document], pods: Iterable[Document]) -> tuple[Node, ...]:
    """Return nodes on which pods may be put, with what all pods that were given a node ask of it."""
    asked: dict[str, list[Size]] = {}
    for pod in pods:
        node = text(pod, "spec", "nodeName")
        if node and not NEVER_READY.fullmatch(text(pod, "status", "phase")):
            asked.setdefault(node, []).append(pod_total(part(pod, "spec")).requests)
    return tuple(_node(node, asked) for node in sorted(nodes, key=name_of) if _usable(node))


def _usable(node: Document) -> bool:
    return not flag(node, "spec", "unschedulable") and condition(node, "Ready").get("status") == "True"


def _node(document: Document, asked: Mapping[str, list[Size]]) -> Node:
    name = name_of(document)
    capacity = sizing_of({"resources": {"requests": dict(part(document, "status", "allocatable"))}}).requests
    sizes = asked.get(name, [])
    total = Size(sum(size.millicores or 0 for size in sizes), sum(size.bytes or 0 for size in sizes))
    return Node(name, amounts_of(capacity), Amounts(*amounts_of(total)))
