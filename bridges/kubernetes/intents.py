"""What the bridge wants of a Deployment, whole: server-side apply takes away what an intent of ours no longer names."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.documents import part, text
from bridges.kubernetes.fields import applied_by, resource_path
from bridges.kubernetes.limits import Refusal
from bridges.kubernetes.marks import BANDWIDTH, EPOCH, MARK, Mark, State, encode
from bridges.kubernetes.resources import Json
from bridges.kubernetes.sizes import Sizing, container_of, written

SIDES = ("requests", "limits")
AMOUNTS = ("cpu", "memory")


def intent(facts: DeploymentFacts, wanted: State, mark: Mark, epoch: str, manager: str) -> Json:
    """Return all that the bridge wants of a Deployment.

    Args:
        facts: As it stands; its ``uid`` keeps the server from making one anew that was deleted meanwhile.
        wanted: Parts that are ``None`` are left out, unless the bridge owns them: then they are kept as they stand.
        mark: What to remember there.
        epoch: Of the leadership; ``""`` keeps what there is.
        manager: Our field manager.
    """
    owned = applied_by(facts.owners, manager)
    number = epoch or facts.workload.annotations.get(EPOCH, "")
    notes = {MARK: encode(mark), **({EPOCH: number} if number else {})}
    template = _template(facts, wanted, owned)
    body: Json = {"metadata": {"uid": facts.workload.uid, "annotations": notes}}
    return {**body, "spec": {"template": template}} if template else body


def _template(facts: DeploymentFacts, wanted: State, owned: frozenset[str]) -> Json:
    sizing = wanted.resources or (facts.sizing if _owns_any(facts, owned) else None)
    bandwidth = wanted.bandwidth or (
        facts.bandwidth if f"spec.template.metadata.annotations.{BANDWIDTH}" in owned else None
    )
    found: Json = {}
    if bandwidth is not None:
        found["metadata"] = {"annotations": {BANDWIDTH: bandwidth}}
    if sizing is not None:
        found["spec"] = {"containers": [{"name": facts.workload.container, "resources": _spelt(facts, sizing)}]}
    return found


def _spelt(facts: DeploymentFacts, sizing: Sizing) -> Json:
    """Return amounts; those that stay, in the words that stand there: to the server ``64M`` and ``62500Ki`` differ."""
    now = part(container_of(facts.pod_spec, facts.workload.container) or {}, "resources")
    wanted = written(sizing)
    for side, old, new in zip(SIDES, facts.sizing or Sizing(), sizing, strict=True):
        for name, before, after in zip(AMOUNTS, old, new, strict=True):
            if before == after and name in part(now, side):
                wanted[side][name] = text(now, side, name)
    return dict(wanted)


def _owns_any(facts: DeploymentFacts, owned: frozenset[str]) -> bool:
    return any(resource_path(facts.workload.container, side, name) in owned for side in SIDES for name in AMOUNTS)


def incomplete(body: Json, facts: DeploymentFacts, manager: str) -> Refusal | None:
    """Refuse an intent that would take away what we own: somebody may have applied more under our name."""
    missing = sorted(applied_by(facts.owners, manager) - set(paths(body)))
    if not missing:
        return None
    message = f"zone {facts.workload.zone!r}: {manager!r} owns {', '.join(missing)}, which the bridge does not write"
    return Refusal("IncompleteIntent", f"{message}; it would be taken away. Apply that under another field manager")


def paths(body: Any, at: str = "") -> Iterator[str]:
    """Yield the paths of all values of an intent, spelt as owners are.

    >>> list(paths({"spec": {"containers": [{"name": "a", "image": "b"}]}}))
    ['spec.containers[name="a"].name', 'spec.containers[name="a"].image']
    """
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from paths(value, f"{at}.{key}" if at else key)
    elif isinstance(body, list):
        for item in body:
            yield from paths(item, f"{at}[name={json.dumps(item['name'])}]")
    else:
        yield at


def changed_paths(facts: DeploymentFacts, wanted: State) -> list[str]:
    """Return what an intent changes of the template: there, others who own it conflict with us."""
    now, container = facts.sizing or Sizing(), facts.workload.container
    found = [
        resource_path(container, side, name)
        for side, old, new in zip(SIDES, now, wanted.resources or now, strict=True)
        for name, before, after in zip(AMOUNTS, old, new, strict=True)
        if before != after
    ]
    bandwidth = wanted.bandwidth is not None and wanted.bandwidth != facts.bandwidth
    return [*found, f"spec.template.metadata.annotations.{BANDWIDTH}"] if bandwidth else found
