"""May the account do what its mode needs? Asked before the first cycle, so that it is not found out in the middle.

The server is asked about each verb that the bridge uses and no other (SelfSubjectAccessReview); what is missing is
named, and readiness stays false. Questions are sent as dry runs: shadow mode makes no call that is not one or a read.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from bridges.errors import DeniedError, MalformedError
from bridges.kubernetes.conditions import NAME as STATUS
from bridges.kubernetes.discovery import Features
from bridges.kubernetes.lease import LEASE
from bridges.kubernetes.objects import Objects
from bridges.kubernetes.resources import ACCESS_REVIEWS, Json

Mode = Literal["shadow", "canary", "active"]


class Need(NamedTuple):
    """A verb on a resource.

    Attributes:
        verb: As roles name it.
        group: API group, ``""`` for the core's.
        resource: Plural, with a subresource behind a slash.
        name: Of the one object that it is needed for; ``""`` for any.
        everywhere: Whether of the whole cluster, instead of the namespace.
        optional: Whether it is done without where it is refused.
    """

    verb: str
    group: str
    resource: str
    name: str = ""
    everywhere: bool = False
    optional: bool = False

    def __str__(self) -> str:
        title = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"verb {self.verb!r} on {title!r}{f' named {self.name!r}' if self.name else ''}"


class Uses(NamedTuple):
    """What the bridge is set up to do when it acts.

    Attributes:
        vertical: Change requests and limits.
        horizontal: Change replicas.
        handover: Change weights of HTTPRoutes.
        resize: Resize running pods where the server can.
        evict: Evict pods that have no room.
        nodes: Look at nodes.
        lease: Name of the lease; ``""`` without election.
        events: Write events and conditions.
    """

    vertical: bool = True
    horizontal: bool = True
    handover: bool = True
    resize: bool = True
    evict: bool = False
    nodes: bool = True
    lease: str = LEASE
    events: bool = True


def needs(mode: Mode, features: Features, uses: Uses = Uses()) -> tuple[Need, ...]:  # noqa: B008 - immutable
    """Return all that a mode needs on a server with these features."""
    acting = mode != "shadow"
    return (*_to_see(features, uses), *(_to_act(features, uses) if acting else ()))


def _to_see(features: Features, uses: Uses) -> Iterator[Need]:
    yield Need("list", "apps", "deployments")
    for resource in ("pods", "limitranges", "resourcequotas"):
        yield Need("list", "", resource)
    served = (
        (features.autoscaling, "autoscaling", "horizontalpodautoscalers"),
        (features.policy, "policy", "poddisruptionbudgets"),
        (features.vertical, "autoscaling.k8s.io", "verticalpodautoscalers"),
        (features.keda, "keda.sh", "scaledobjects"),
        (features.metrics, "metrics.k8s.io", "pods"),
    )
    for version, group, resource in served:
        if version:
            yield Need("list", group, resource)
    if uses.nodes:
        for resource in ("nodes", "pods"):
            yield Need("list", "", resource, everywhere=True, optional=True)


def _to_act(features: Features, uses: Uses) -> Iterator[Need]:
    yield Need("get", "apps", "deployments")
    yield Need("patch", "apps", "deployments")
    if uses.horizontal:
        yield Need("patch", "apps", "deployments/scale")
    if uses.vertical and uses.resize and features.resize:
        yield Need("patch", "", "pods/resize")
    if uses.evict:
        yield Need("create", "", "pods/eviction")
    if uses.handover and features.gateway:
        for verb in ("get", "patch"):
            yield Need(verb, "gateway.networking.k8s.io", "httproutes")
    if uses.lease:
        yield Need("create", "coordination.k8s.io", "leases")
        for verb in ("get", "update"):
            yield Need(verb, "coordination.k8s.io", "leases", uses.lease)
    if uses.events:
        for verb in ("create", "patch"):
            yield Need(verb, "events.k8s.io", "events", optional=True)
        yield Need("create", "", "configmaps", optional=True)
        yield Need("patch", "", "configmaps", STATUS, optional=True)


def refused(client: Objects, namespace: str, wanted: Sequence[Need]) -> tuple[Need, ...]:
    """Return what the account may not do.

    Raises:
        ClusterError: It could not be asked.
    """
    return tuple(need for need in wanted if not _allowed(client, namespace, need))


def _allowed(client: Objects, namespace: str, need: Need) -> bool:
    resource, _, subresource = need.resource.partition("/")
    where = {"namespace": "" if need.everywhere else namespace, "name": need.name}
    asked: Json = {"verb": need.verb, "group": need.group, "resource": resource, "subresource": subresource, **where}
    answer = client.create(ACCESS_REVIEWS.at(), {"spec": {"resourceAttributes": asked}}, dry_run=True)
    status = answer.get("status")
    if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
        raise MalformedError(f"an access review without an answer to {need}")
    return bool(status["allowed"])


def check(client: Objects, namespace: str, mode: Mode, uses: Uses = Uses()) -> tuple[Need, ...]:  # noqa: B008
    """Make sure that a mode can do its work; return what is refused and done without.

    Raises:
        DeniedError: Something is refused that it cannot do without; the message names every verb (T39).
        ClusterError: It could not be asked.
    """
    missing = refused(client, namespace, needs(mode, client.features(), uses))
    fatal = [str(need) for need in missing if not need.optional]
    if fatal:
        raise DeniedError(
            f"mode {mode} in namespace {namespace!r} is not allowed {'; '.join(fatal)}. Add it to the account's Role"
        )
    return missing
