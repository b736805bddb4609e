"""A cluster read: a few paged lists, whatever the number of zones, made into one :class:`Picture`."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bridges.contracts import Clock, Node, Snapshot
from bridges.errors import DeniedError, MalformedError
from bridges.kubernetes.autoscalers import Autoscaler, read_autoscalers
from bridges.kubernetes.budgets import Budget, read_budgets
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.deployments import DeploymentFacts, read_deployment
from bridges.kubernetes.documents import Document
from bridges.kubernetes.limits import Refusal
from bridges.kubernetes.ownership import ambiguous, held_by_autoscalers, held_by_state
from bridges.kubernetes.pods import PodFacts, by_deployment, read_nodes, read_pod
from bridges.kubernetes.resources import (
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LIMIT_RANGES,
    NODES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    RESOURCE_QUOTAS,
    SCALED_OBJECTS,
    VERTICAL_POD_AUTOSCALERS,
    Json,
    Resource,
)
from bridges.kubernetes.rules import Rules, bounds_of, read_rules
from bridges.kubernetes.settings import ClusterSettings
from metaverse_env.zones import name_order

AGAIN_S = 600.0
"""After so long it is tried again whether nodes may be read."""


class Picture(NamedTuple):
    """All that was read at one moment.

    Attributes:
        snapshot: What controllers see.
        facts: Of each zone.
        pods: Of each zone.
        rules: Of the namespace.
        budgets: For disruptions.
        held: Parts of a zone that may not be written, by name of the Deployment.
    """

    snapshot: Snapshot
    facts: Mapping[str, DeploymentFacts]
    pods: Mapping[str, tuple[PodFacts, ...]]
    rules: Rules
    budgets: tuple[Budget, ...]
    held: Mapping[str, Mapping[str, Refusal]]


class Reader:
    """Reads zones; makes no change.

    Args:
        client: Of the cluster.
        settings: Which Deployments are zones.
        clock: For the moment of reading.
    """

    def __init__(self, client: ApiClient, settings: ClusterSettings, clock: Clock) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._nodes_from_s = float("-inf")

    def read(self) -> Picture:
        """Return how things stand.

        Raises:
            ClusterError: A list could not be read. What the account may not read, and what decides whether writing is
                safe (autoscalers, rules, budgets), is an error too.
        """
        read_s = self._clock.monotonic_s()
        deployments = self._list(DEPLOYMENTS, self._settings.selector)
        if len(deployments) > self._settings.most_zones:
            many, most = len(deployments), self._settings.most_zones
            raise MalformedError(f"selector {self._settings.selector!r} matches {many} Deployments, more than {most}")
        pods = by_deployment(self._list(PODS))
        facts = [read_deployment(one, self._settings.container, self._settings.zone_label) for one in deployments]
        rules = read_rules(self._list(LIMIT_RANGES), self._list(RESOURCE_QUOTAS))
        return self._picture(read_s, facts, pods, rules)

    def read_one(self, name: str) -> DeploymentFacts:
        """Return one Deployment as it stands now.

        Raises:
            NotFoundError: It is gone.
        """
        document = self._client.get(DEPLOYMENTS.at(self._settings.namespace, name))
        return read_deployment(document, self._settings.container, self._settings.zone_label)

    def _picture(
        self, read_s: float, facts: list[DeploymentFacts], pods: Mapping[str, list[Document]], rules: Rules
    ) -> Picture:
        held = judge_held(facts, self._autoscalers(), self._client.options.field_manager, self._settings)
        kept = {one.workload.zone: one for one in _oldest_last(facts)}
        of_zone = {zone: _pods(pods.get(one.workload.name, ()), one) for zone, one in kept.items()}
        seen = [
            one.workload._replace(
                pods=tuple(each.pod for each in of_zone[zone]),
                autoscalers=held[one.workload.name].scalers,
                held={part: str(refusal) for part, refusal in held[one.workload.name].parts.items()},
            )
            for zone, one in sorted(kept.items(), key=lambda item: name_order(item[0]))
        ]
        snapshot = Snapshot(tuple(seen), self._nodes(), bounds_of(rules), read_s)
        return Picture(snapshot, kept, of_zone, rules, self._budgets(), {name: one.parts for name, one in held.items()})

    def _list(self, resource: Resource, selector: str = "", version: str = "") -> tuple[Json, ...]:
        chosen = resource._replace(version=version) if version else resource
        return self._client.list(chosen.at(self._settings.namespace), selector).items

    def _autoscalers(self) -> dict[str, tuple[Autoscaler, ...]]:
        offered = self._client.features()
        kinds = (
            (HORIZONTAL_POD_AUTOSCALERS, offered.autoscaling),
            (VERTICAL_POD_AUTOSCALERS, offered.vertical),
            (SCALED_OBJECTS, offered.keda),
        )
        return read_autoscalers(*(self._list(kind, "", version) if version else () for kind, version in kinds))

    def _budgets(self) -> tuple[Budget, ...]:
        version = self._client.features().policy
        return read_budgets(self._list(POD_DISRUPTION_BUDGETS, "", version)) if version else ()

    def _nodes(self) -> tuple[Node, ...]:
        """Return the nodes, or none where the account may not: then the server alone says that there is no room."""
        if not self._settings.read_nodes or self._clock.monotonic_s() < self._nodes_from_s:
            return ()
        try:
            nodes = self._client.list(NODES.at()).items
            pods = self._client.list(PODS.at(), field_selector="status.phase!=Succeeded,status.phase!=Failed").items
        except DeniedError:
            self._nodes_from_s = self._clock.monotonic_s() + AGAIN_S
            return ()
        return read_nodes(nodes, pods)


class Held(NamedTuple):
    """What may not be written of a Deployment, and who else scales it."""

    parts: Mapping[str, Refusal]
    scalers: tuple[str, ...]


def judge_held(
    facts: Iterable[DeploymentFacts],
    autoscalers: Mapping[str, tuple[Autoscaler, ...]],
    manager: str,
    settings: ClusterSettings,
) -> dict[str, Held]:
    """Return for each Deployment, by name, what may not be written and why; the gravest reason of each part."""
    listed = list(facts)
    shared = ambiguous(listed)
    found: dict[str, Held] = {}
    for one in listed:
        name = one.workload.name
        others = autoscalers.get(name, ())
        parts = {**held_by_autoscalers(others, settings), **held_by_state(one, manager, settings)}
        if name in shared:
            parts = dict.fromkeys(("cpu", "memory", "replicas", "bandwidth"), shared[name])
        found[name] = Held(parts, tuple(str(other) for other in others))
    return found


def _oldest_last(facts: Iterable[DeploymentFacts]) -> list[DeploymentFacts]:
    """Sort so that of Deployments of one zone the first that there was is kept."""
    return sorted(facts, key=lambda one: (one.created, one.workload.name), reverse=True)


def _pods(documents: Iterable[Document], facts: DeploymentFacts) -> tuple[PodFacts, ...]:
    found = [read_pod(document, facts.workload.container) for document in documents]
    return tuple(sorted(found, key=lambda one: one.pod.name))
