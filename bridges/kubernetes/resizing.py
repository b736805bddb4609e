"""Running pods given another size in place, where the server has ``pods/resize`` (Kubernetes 1.33 on).

The template is left as it is, as changing it would replace the pods. A new pod therefore comes with the old size,
and is brought in line when it runs.
"""

from typing import Literal, NamedTuple

from bridges.kubernetes.pods import PodFacts
from bridges.kubernetes.resources import Json
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Size, Sizing, written

Act = Literal["done", "resize", "wait", "hold", "rollout", "evict"]


class Step(NamedTuple):
    """What to do about one pod. ``code`` and ``message`` say why, unless it is done or resized."""

    act: Act
    code: str = ""
    message: str = ""


def next_step(facts: PodFacts, target: Sizing, settings: ClusterSettings, unix_s: float) -> Step:
    """Return what to do so that a pod has a size.

    Time-outs are those of the VPA's updater: five minutes without room, one hour under way. An infeasible resize is not
    asked for again, nor is a larger one.
    """
    pod, resize = facts.pod, facts.resize
    if pod.deleting or pod.phase != "Running":
        return Step("wait", "NotRunning", f"pod {pod.name} is {'going' if pod.deleting else pod.phase}")
    smaller = not _no_smaller(target.requests, facts.desired.requests)
    if facts.desired != target and (smaller or resize.state != "Infeasible"):
        return Step("resize")
    return _under_way(facts, target, settings, unix_s)


def _under_way(facts: PodFacts, target: Sizing, settings: ClusterSettings, unix_s: float) -> Step:
    resize = facts.resize
    if resize.state == "Infeasible":
        return _given_up(facts, settings, "ResizeInfeasible", resize.message or "its node is too small")
    waited_s = 0.0 if resize.since_s is None else max(0.0, unix_s - resize.since_s)
    if resize.state == "Deferred":
        return _after(facts, settings, waited_s, settings.resize_deferred_s, "ResizeDeferred")
    if resize.state == "InProgress" or facts.actual != target:
        return _after(facts, settings, waited_s, settings.resize_in_progress_s, "ResizeInProgress")
    return Step("done")


def _no_smaller(target: Size, other: Size) -> bool:
    return all((new or 0) >= (old or 0) for new, old in zip(target, other, strict=True))


def _after(facts: PodFacts, settings: ClusterSettings, waited_s: float, most_s: float, code: str) -> Step:
    said = facts.resize.message or "the kubelet has not done it yet"
    if waited_s <= most_s:
        return Step("wait", code, f"pod {facts.pod.name}: {said}")
    return _given_up(facts, settings, code, f"{said}, for {waited_s:.0f} s; {most_s:g} s are allowed")


def _given_up(facts: PodFacts, settings: ClusterSettings, code: str, why: str) -> Step:
    return Step(settings.resize_failure, code, f"pod {facts.pod.name}: {why}")


def resize_body(facts: PodFacts, container: str, target: Sizing) -> Json:
    """Return the patch of ``pods/resize``, with the pod's version as precondition."""
    container_body = {"name": container, "resources": written(target)}
    return {"metadata": {"resourceVersion": facts.version}, "spec": {"containers": [container_body]}}


def drifted(pods: tuple[PodFacts, ...], target: Sizing) -> tuple[str, ...]:
    """Return the pods that do not have the size that was asked for."""
    return tuple(facts.pod.name for facts in pods if not facts.pod.deleting and facts.actual != target)
