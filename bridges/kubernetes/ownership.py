"""Who else decides about a zone, and what is therefore left alone. Pure functions of what was read."""

from collections.abc import Iterable, Mapping
from typing import Final

from bridges.kubernetes.autoscalers import Autoscaler
from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.fields import Owners
from bridges.kubernetes.limits import Refusal
from bridges.kubernetes.settings import ClusterSettings, is_autoscaler

PARTS: Final = ("cpu", "memory", "replicas", "bandwidth")
REPLICAS: Final = "spec.replicas"
GITOPS_LABELS: Final = {
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}
GITOPS_NOTES: Final = {"argocd.argoproj.io/tracking-id": "Argo CD"}
GITOPS_MANAGERS: Final = {"argocd": "Argo CD", "kustomize-controller": "Flux", "helm-controller": "Flux"}


def held_by_autoscalers(autoscalers: Iterable[Autoscaler], settings: ClusterSettings) -> dict[str, Refusal]:
    """Return which parts of a zone other autoscalers decide about.

    One that scales replicas by utilisation of CPU is misled by any change of the CPU request; memory may be left to
    the bridge. A VPA holds what it controls, unless its mode is ``Off``: then it only recommends.
    """
    held: dict[str, Refusal] = {}
    for one in autoscalers:
        if not one.paused:
            for part, refusal in _held_by(one, settings).items():
                held.setdefault(part, refusal)
    return held


def _held_by(one: Autoscaler, settings: ClusterSettings) -> dict[str, Refusal]:
    if one.kind == "VerticalPodAutoscaler":
        refusal = Refusal("OwnedByVPA", f"{one} in mode {one.mode} decides; set its mode to Off to let the bridge")
        return {part: refusal for part in ("cpu", "memory") if part in one.resources}
    code = "OwnedByKEDA" if one.kind == "ScaledObject" else "OwnedByHPA"
    by = " and ".join(sorted(one.metrics)) or "other metrics"
    held = {"replicas": Refusal(code, f"{one} decides about replicas, by {by}; delete or pause it to let the bridge")}
    asked = Refusal(code, f"{one} scales by {by}; what pods ask for decides what that means")
    if "cpu" in one.metrics:
        held["cpu"] = asked
    if "memory" in one.metrics or ("cpu" in one.metrics and not settings.memory_beside_hpa):
        held["memory"] = asked
    return held


def held_by_state(facts: DeploymentFacts, manager: str, settings: ClusterSettings) -> dict[str, Refusal]:
    """Return which parts may not be written as the Deployment stands, whoever asks."""
    whole = _held_whole(facts, manager)
    if whole is not None:
        return dict.fromkeys(PARTS, whole)
    held: dict[str, Refusal] = {}
    for side, amount in zip(("cpu", "memory"), facts.sizing.requests if facts.sizing else (), strict=True):
        if amount is None:
            held[side] = Refusal(
                "NoRequest",
                f"container {facts.workload.container!r} asks for no {side}; give it a request once, by hand",
            )
    foreign = foreign_owners(facts.owners, [REPLICAS], manager, settings)
    if foreign:
        held["replicas"] = conflict(foreign)
    return held


def _held_whole(facts: DeploymentFacts, manager: str) -> Refusal | None:
    workload, mark = facts.workload, facts.mark
    if workload.deleting:
        return Refusal("Deleting", "the Deployment is being deleted")
    if facts.paused:
        return Refusal("Paused", "rollouts of the Deployment are paused; `kubectl rollout resume` lets them go on")
    if facts.sizing is None:
        wanted = repr(workload.container) if workload.container else "its only one"
        return Refusal("UnknownContainer", f"there is no such container as {wanted}; name one of its containers")
    if mark is not None and mark.manager != manager:
        return Refusal("AnotherBridge", f"the bridge {mark.manager!r} writes to it; stop one of the two")
    if workload.replicas == 0:
        return Refusal("ZeroReplicas", "it is scaled to 0, which means that nobody shall scale it")
    return None


def foreign_owners(owners: Owners, paths: Iterable[str], manager: str, settings: ClusterSettings) -> dict[str, str]:
    """Return the paths, and their managers, that somebody else owns and that may not be taken from them."""
    found: dict[str, str] = {}
    for path in paths:
        others = [owner.manager for owner in owners.get(path, ()) if owner.manager != manager]
        kept = [other for other in others if not may_force({path: other}, settings)]
        if kept:
            found[path] = kept[0]
    return found


def may_force(fields: Mapping[str, str], settings: ClusterSettings) -> bool:
    """Return whether all of these fields may be taken from those who own them."""
    managers = set(fields.values())
    listed = settings.conflict == "force" and managers <= set(settings.force_from)
    return bool(managers) and listed and not any(map(is_autoscaler, managers))


def takable(owners: Owners, paths: Iterable[str], manager: str, settings: ClusterSettings) -> bool:
    """Return whether others own some of these fields, and all of them may be taken from."""
    others = {owner.manager for path in paths for owner in owners.get(path, ()) if owner.manager != manager}
    return bool(others) and all(may_force({"": other}, settings) for other in others)


def conflict(fields: Mapping[str, str]) -> Refusal:
    """Return the refusal that names who owns what."""
    listed = ", ".join(f"{manager!r} owns {path}" for path, manager in sorted(fields.items()))
    remedy = "let it drop these fields from what it applies, or allow to take them (conflict: force, force_from)"
    return Refusal("FieldManagerConflict", f"{listed}; {remedy}")


def gitops_of(facts: DeploymentFacts) -> str:
    """Return which GitOps tool keeps a Deployment as its manifest says, or ``""``."""
    for marks, found in ((GITOPS_LABELS, facts.labels), (GITOPS_NOTES, facts.workload.annotations)):
        for key, tool in marks.items():
            if key in found:
                return tool
    managers = {owner.manager for those in facts.owners.values() for owner in those}
    return next((tool for key, tool in GITOPS_MANAGERS.items() if any(each.startswith(key) for each in managers)), "")


def ambiguous(all_facts: Iterable[DeploymentFacts]) -> dict[str, Refusal]:
    """Return the Deployments, by name, whose zone or whose pods are not theirs alone.

    As for a HorizontalPodAutoscaler, nothing is done to any of them.
    """
    listed, found = list(all_facts), dict[str, Refusal]()
    zones: dict[str, list[str]] = {}
    for facts in listed:
        zones.setdefault(facts.workload.zone, []).append(facts.workload.name)
    for zone, those in zones.items():
        if len(those) > 1:
            message = f"the Deployments {', '.join(sorted(those))} all say that they are zone {zone!r}; one may"
            found.update(dict.fromkeys(those, Refusal("AmbiguousZone", message)))
    for first, second in _overlapping(listed):
        message = f"the selectors of {first} and {second} choose the same pods; give each a label of its own"
        found.setdefault(first, Refusal("AmbiguousSelector", message))
        found.setdefault(second, Refusal("AmbiguousSelector", message))
    return found


def _overlapping(listed: list[DeploymentFacts]) -> Iterable[tuple[str, str]]:
    """Yield pairs of which one's selector chooses the other's pods; by labels, so that thousands are quick."""
    by_label: dict[tuple[str, str], list[DeploymentFacts]] = {}
    for facts in listed:
        for label in facts.pod_labels.items():
            by_label.setdefault(label, []).append(facts)
    for facts in listed:
        if facts.selector:
            rarest = min(facts.selector.items(), key=lambda label: len(by_label.get(label, ())))
            for other in by_label.get(rarest, ()):
                if other is not facts and facts.selector.items() <= other.pod_labels.items():
                    yield facts.workload.name, other.workload.name
