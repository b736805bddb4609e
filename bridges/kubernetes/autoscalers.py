"""Others that scale a Deployment: HorizontalPodAutoscaler, VerticalPodAutoscaler, KEDA's ScaledObject."""

from collections.abc import Iterable
from typing import NamedTuple

from bridges.kubernetes.documents import Document, name_of, part, rows, text, texts

KEDA_PAUSED = "autoscaling.keda.sh/paused"
KEDA_PAUSED_AT = "autoscaling.keda.sh/paused-replicas"
KEDA_PAUSED_IN, KEDA_PAUSED_OUT = "autoscaling.keda.sh/paused-scale-in", "autoscaling.keda.sh/paused-scale-out"
HPA_METRICS_BEFORE_V2 = "autoscaling.alpha.kubernetes.io/metrics"


class Autoscaler(NamedTuple):
    """What one of them does.

    Attributes:
        kind: Such as ``"HorizontalPodAutoscaler"``.
        name: Of the object.
        deployment: What it scales.
        metrics: Resources by which it scales pods' number: ``"cpu"``, ``"memory"``, others as ``"other"``.
        mode: A VPA's update mode.
        resources: What a VPA controls.
        paused: Whether it changes nothing now.
    """

    kind: str
    name: str
    deployment: str
    metrics: frozenset[str] = frozenset()
    mode: str = ""
    resources: frozenset[str] = frozenset()
    paused: bool = False

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def read_autoscalers(
    horizontal: Iterable[Document], vertical: Iterable[Document], scaled: Iterable[Document]
) -> dict[str, tuple[Autoscaler, ...]]:
    """Return those that scale Deployments, by the Deployment's name."""
    found = [*map(read_hpa, horizontal), *map(read_vpa, vertical), *map(read_scaled_object, scaled)]
    by_deployment: dict[str, tuple[Autoscaler, ...]] = {}
    for one in found:
        if one is not None:
            by_deployment[one.deployment] = (*by_deployment.get(one.deployment, ()), one)
    return by_deployment


def _target(document: Document, key: str) -> str:
    target = part(document, "spec", key)
    return text(target, "name") if target.get("kind", "Deployment") == "Deployment" else ""


def read_hpa(document: Document) -> Autoscaler | None:
    """Return a HorizontalPodAutoscaler of any version; ``None`` when it scales no Deployment.

    One without metrics scales by CPU. ``minReplicas`` above 0 with 0 replicas asked for disables it, which is the
    Deployment's business and not told here.
    """
    deployment = _target(document, "scaleTargetRef")
    if not deployment:
        return None
    return Autoscaler("HorizontalPodAutoscaler", name_of(document), deployment, _hpa_metrics(document))


def _hpa_metrics(document: Document) -> frozenset[str]:
    if text(document, "metadata", "annotations", HPA_METRICS_BEFORE_V2):
        return frozenset({"cpu", "memory", "other"})  # version 1 hides them in a text; assume the worst
    if "targetCPUUtilizationPercentage" in part(document, "spec"):
        return frozenset({"cpu"})
    names = {_metric(metric) for metric in rows(document, "spec", "metrics", most=1000)}
    return frozenset(names or {"cpu"})


def _metric(metric: Document) -> str:
    kind = text(metric, "type")
    source = part(metric, {"Resource": "resource", "ContainerResource": "containerResource"}.get(kind, ""))
    name = text(source, "name")
    return name if name in {"cpu", "memory"} else "other"


def read_vpa(document: Document) -> Autoscaler | None:
    """Return a VerticalPodAutoscaler; without a mode it is ``Auto``, which recreates pods."""
    deployment = _target(document, "targetRef")
    if not deployment:
        return None
    mode = text(document, "spec", "updatePolicy", "updateMode") or "Auto"
    resources: set[str] = set()
    for policy in rows(document, "spec", "resourcePolicy", "containerPolicies", most=1000):
        if policy.get("mode") != "Off":
            controlled = policy.get("controlledResources")
            resources |= set(controlled) if isinstance(controlled, list) else {"cpu", "memory"}
    if not rows(document, "spec", "resourcePolicy", "containerPolicies"):
        resources = {"cpu", "memory"}
    kind = "VerticalPodAutoscaler"
    return Autoscaler(kind, name_of(document), deployment, frozenset(), mode, frozenset(resources), mode == "Off")


def read_scaled_object(document: Document) -> Autoscaler | None:
    """Return a ScaledObject of KEDA. It is paused only by annotations that stop it in both directions.

    One that is paused at a number of replicas holds them there, against whoever changes them.
    """
    deployment = _target(document, "scaleTargetRef")
    if not deployment:
        return None
    notes = texts(document, "metadata", "annotations")
    on = {key for key in (KEDA_PAUSED, KEDA_PAUSED_IN, KEDA_PAUSED_OUT) if notes.get(key, "").lower() == "true"}
    paused = (KEDA_PAUSED in on or {KEDA_PAUSED_IN, KEDA_PAUSED_OUT} <= on) and KEDA_PAUSED_AT not in notes
    metrics = {trigger.get("type") for trigger in rows(document, "spec", "triggers", most=1000)}
    known = frozenset(str(name) if name in {"cpu", "memory"} else "other" for name in metrics)
    return Autoscaler("ScaledObject", name_of(document), deployment, known, paused=paused)
