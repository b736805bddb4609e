"""How the bridge reads and writes a cluster: one frozen record, checked when it is made."""

import math
from dataclasses import dataclass
from typing import Literal

from metaverse_env.errors import ConfigurationError

ZONE_LABEL = "metaverse-env.dev/zone"
"""Label that the manifests give zones' Deployments."""
AUTOSCALERS = ("horizontal-pod-autoscaler", "kube-controller-manager", "vpa", "keda", "vertical-pod-autoscaler")
"""Beginnings of the field managers of other autoscalers: nothing is ever taken from them by force."""
KUBECTL = ("kubectl", "kubectl-client-side-apply", "kubectl-create", "kubectl-edit", "kubectl-patch", "kubectl-set")


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Which Deployments are zones, and what may be done to them.

    Attributes:
        namespace: Of the Deployments.
        selector: Label selector that chooses them.
        zone_label: Label of a Deployment whose value is the zone's name; its own name where it has none.
        container: Whose resources are the zone's; ``""`` for the only one.
        conflict: What to do about fields that others own: ``"refuse"``, or ``"force"`` with those in ``force_from``.
        force_from: Field managers from whom fields may be taken. Autoscalers are never among them.
        allow_rollout: Whether pods of a Deployment with one replica may be replaced; a second one comes up first.
        rollout_cool_down_s: Between two replacements of a Deployment's pods, s.
        memory_beside_hpa: Whether memory may be changed where an autoscaler scales replicas by CPU alone.
        resize: Whether running pods are resized where the server can, instead of being replaced.
        resize_failure: What to do where a node has no room for a resize: ``"hold"``; ``"rollout"``, replace the pods;
            ``"evict"``, let them find another node, if a disruption budget allows it.
        resize_deferred_s: How long a resize may wait for room, s. As in the VPA's updater.
        resize_in_progress_s: How long one may take, s. As in the VPA's updater.
        bandwidth: ``"annotation"`` where the network plugin honours ``kubernetes.io/egress-bandwidth`` (the API cannot
            tell), else ``"advice"``: it is only said.
        handover: ``"route"``: weights of the HTTPRoute that is named like the zone's Deployment; else ``"advice"``.
        read_nodes: Whether to look for room on nodes; where the account may not, it is done without.
        undone_most: After so many times that others undid a change nothing more is written.
        undone_window_s: Until so long after the last of them, s.
        tries: How often a change is recomputed that somebody else's came before.
        most_zones: A selector that matches more is a mistake.
    """

    namespace: str
    selector: str = ZONE_LABEL
    zone_label: str = ZONE_LABEL
    container: str = ""
    conflict: Literal["refuse", "force"] = "refuse"
    force_from: tuple[str, ...] = KUBECTL
    allow_rollout: bool = False
    rollout_cool_down_s: float = 60.0
    memory_beside_hpa: bool = False
    resize: bool = True
    resize_failure: Literal["hold", "rollout", "evict"] = "hold"
    resize_deferred_s: float = 300.0
    resize_in_progress_s: float = 3600.0
    bandwidth: Literal["annotation", "advice"] = "advice"
    handover: Literal["route", "advice"] = "route"
    read_nodes: bool = True
    undone_most: int = 2
    undone_window_s: float = 3600.0
    tries: int = 5
    most_zones: int = 10_000

    def __post_init__(self) -> None:
        if not self.namespace:
            raise ConfigurationError("namespace '': name the one whose Deployments are zones")
        if not self.selector:
            raise ConfigurationError(
                "selector '': all Deployments of a namespace are not zones; choose them by a label"
            )
        _one_of("conflict", self.conflict, ("refuse", "force"))
        _one_of("resize_failure", self.resize_failure, ("hold", "rollout", "evict"))
        _one_of("bandwidth", self.bandwidth, ("annotation", "advice"))
        _one_of("handover", self.handover, ("route", "advice"))
        for name in ("rollout_cool_down_s", "resize_deferred_s", "resize_in_progress_s", "undone_window_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ConfigurationError(f"{name} {getattr(self, name)!r}: a finite number of seconds from 0 is needed")
        for name in ("undone_most", "tries", "most_zones"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} {getattr(self, name)!r}: at least 1 is needed")
        forbidden = [manager for manager in self.force_from if is_autoscaler(manager)]
        if forbidden:
            raise ConfigurationError(f"force_from {forbidden}: fields are never taken from autoscalers; remove them")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name} {value!r}: one of {', '.join(allowed)} is needed")


def is_autoscaler(manager: str) -> bool:
    """Return whether a field manager is another autoscaler.

    The controller manager is one: the HorizontalPodAutoscaler of most clusters runs in it.
    """
    return manager.lower().startswith(AUTOSCALERS)
