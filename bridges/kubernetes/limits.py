"""Whether what is asked for can come about, told before it is asked for.

A server accepts in a Deployment what its pods are then refused for, also in a dry run.

Pure functions. A :class:`Ledger` holds what is left; every change that is granted takes its part of it.
"""

from typing import NamedTuple

from bridges.contracts import Node, Workload
from bridges.kubernetes.documents import Document
from bridges.kubernetes.rules import Quota, Range, Rules
from bridges.kubernetes.sizes import BYTES_PER_MB, Ratios, Size, Sizing, pod_total, qos_of, ratios_of

NAMES = (("cpu", "m of CPU"), ("memory", " bytes of memory"))


class Refusal(NamedTuple):
    """Why something is not done: one word, and a sentence."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Room(NamedTuple):
    """What is free on a node."""

    name: str
    free: Size


class Ledger(NamedTuple):
    """What is left to be given. ``rooms`` is ``None`` where nodes may not be read."""

    rules: Rules
    rooms: tuple[Room, ...] | None


class Demand(NamedTuple):
    """What a change needs of the namespace and of the nodes.

    Attributes:
        zone: For messages.
        before: One pod, now.
        after: One pod, then.
        pods_before: How many.
        pods_after: How many.
        surge: How many more while pods are replaced; 0 where none is.
        in_place: Whether pods keep running with another size.
    """

    zone: str
    before: Sizing
    after: Sizing
    pods_before: int
    pods_after: int
    surge: int
    in_place: bool = False


def open_ledger(rules: Rules, nodes: tuple[Node, ...]) -> Ledger:
    """Return what there is to give."""
    rooms = tuple(Room(node.name, Size(*_free(node))) for node in nodes)
    return Ledger(rules, rooms or None)


def _free(node: Node) -> tuple[int, int]:
    cores = (node.capacity.cpu_cores or 0.0) - (node.asked.cpu_cores or 0.0)
    megabytes = (node.capacity.memory_mb or 0.0) - (node.asked.memory_mb or 0.0)
    return round(cores * 1000), round(megabytes * BYTES_PER_MB)


def invalid(zone: str, wanted: Sizing) -> Refusal | None:
    """Refuse a request above its limit: no server takes it."""
    for (name, unit), request, limit in zip(NAMES, wanted.requests, wanted.limits, strict=True):
        if request is not None and limit is not None and request > limit:
            return Refusal("Invalid", f"zone {zone!r}: {name} request {request}{unit} is above the limit {limit}{unit}")
    return None


def changes_qos(zone: str, pod_spec: Document, container: str, wanted: Sizing) -> Refusal | None:
    """Refuse what would make pods another class of service: a resize may not, and eviction order would change."""
    before, after = qos_of(pod_spec), qos_of(pod_spec, {container: wanted})
    if before == after:
        return None
    message = f"zone {zone!r}: pods of class {before} would become {after}; change the Deployment's requests and limits"
    return Refusal("QoSChange", f"{message} by hand if that is meant")


def out_of_range(zone: str, pod_spec: Document, container: str, wanted: Sizing, rules: Rules) -> Refusal | None:
    """Refuse what a LimitRange would refuse to the pods."""
    whole = pod_total(pod_spec, {container: wanted})
    for item in rules.ranges:
        refusal = _outside(zone, item, wanted if item.kind == "Container" else whole)
        if refusal:
            return refusal
    return None


def _outside(zone: str, item: Range, sizing: Sizing) -> Refusal | None:
    ratios: Ratios = ratios_of(sizing)
    for side, (name, unit) in enumerate(NAMES):
        request, limit, least, most = sizing.requests[side], sizing.limits[side], item.least[side], item.most[side]
        given = [value for value in (request, limit) if value is not None]
        what = f"zone {zone!r}: LimitRange {item.name!r} "
        if least is not None and (request is None or min(given) < least):
            return Refusal("LimitRange", f"{what}wants at least {least}{unit} of a {item.kind}, not {request}{unit}")
        if most is not None and (limit is None or max(given) > most):
            return Refusal(
                "LimitRange", f"{what}allows at most {most}{unit} to a {item.kind}, not {max(given, default=0)}{unit}"
            )
        allowed, ratio = item.ratio[side], ratios[side]
        if allowed is not None and (ratio is None or ratio > allowed):
            return Refusal(
                "LimitRange", f"{what}allows a limit of at most {float(allowed):g} times the request of {name}"
            )
    return None


def grant(ledger: Ledger, demand: Demand, workload: Workload) -> tuple[Ledger, Refusal | None]:
    """Return what is left after a change, or the reason why there is not enough for it."""
    refusal = _over_quota(ledger.rules.quotas, demand) or _no_room(ledger.rooms, demand, workload)
    if refusal:
        return ledger, refusal
    extra = _extra(demand)
    quotas = tuple(
        quota._replace(left={key: left - max(0, extra.get(key) or 0) for key, left in quota.left.items()})
        for quota in ledger.rules.quotas
    )
    return Ledger(ledger.rules._replace(quotas=quotas), _taken(ledger.rooms, demand)), None


def _extra(demand: Demand) -> dict[str, int | None]:
    """Return what more is in use at the worst moment of a change; ``None`` where pods do not say.

    While ``k`` more pods than the ``n`` asked for may run, either ``k`` new ones join all old, or ``k`` old ones are
    left beside all new.
    """
    pods, surge, more = demand.pods_before, demand.surge, demand.pods_after - demand.pods_before
    found: dict[str, int | None] = {"pods": surge + max(0, more)}
    for side, old_size, new_size in (
        ("requests", demand.before.requests, demand.after.requests),
        ("limits", demand.before.limits, demand.after.limits),
    ):
        for (name, _), old, new in zip(NAMES, old_size, new_size, strict=True):
            before, after = old or 0, new or 0
            worst = max(surge * after, pods * (after - before) + surge * before)
            found[f"{side}.{name}"] = None if new is None else max(0, worst) + max(0, more) * after
    return found


def _over_quota(quotas: tuple[Quota, ...], demand: Demand) -> Refusal | None:
    extra = _extra(demand)
    for quota in quotas:
        for key, left in sorted(quota.left.items()):
            needed, what = extra[key], f"zone {demand.zone!r}: ResourceQuota {quota.name!r} "
            if needed is None:
                return Refusal("Quota", f"{what}wants every pod to say its {key}; the Deployment does not")
            if needed > max(0, left):
                unit = "m" if key.endswith("cpu") else ""
                message = f"{what}has {max(0, left)}{unit} of {key} left, the change needs {needed}{unit} more"
                return Refusal("Quota", f"{message}; raise the quota or ask for less")
    return None


def _no_room(rooms: tuple[Room, ...] | None, demand: Demand, workload: Workload) -> Refusal | None:
    if rooms is None:
        return None
    more = demand.surge + max(0, demand.pods_after - demand.pods_before)
    freed = _without(rooms, demand.before.requests, workload)
    unchanged = demand.before == demand.after
    now = _fitting(rooms, demand.after.requests) >= more
    then = unchanged or _fitting(freed, demand.after.requests) >= max(demand.pods_before, demand.pods_after)
    if now and then:
        return None
    cpu, memory = demand.after.requests
    size = f"{cpu or 0}m of CPU and {memory or 0} bytes of memory"
    return Refusal(
        "NoCapacity", f"zone {demand.zone!r}: no node has room for a pod of {size}; add nodes or ask for less"
    )


def _without(rooms: tuple[Room, ...], size: Size, workload: Workload) -> tuple[Room, ...]:
    """Return the rooms as they are when all pods of a workload are gone."""
    count: dict[str, int] = {}
    for pod in workload.pods:
        count[pod.node] = count.get(pod.node, 0) + 1
    return tuple(room._replace(free=_plus(room.free, size, count.get(room.name, 0))) for room in rooms)


def _plus(free: Size, size: Size, times: int) -> Size:
    return Size(*((have or 0) + times * (part or 0) for have, part in zip(free, size, strict=True)))


def _fitting(rooms: tuple[Room, ...], size: Size) -> int:
    """Return how many pods of a size find a place; a resource of which none is asked sets no bound."""
    return sum(max(0, min(_times(room.free, size), default=1 << 30)) for room in rooms)


def _times(free: Size, size: Size) -> list[int]:
    return [(have or 0) // part for have, part in zip(free, size, strict=True) if part]


def _taken(rooms: tuple[Room, ...] | None, demand: Demand) -> tuple[Room, ...] | None:
    """Return the rooms after the pods that come found theirs, in the order of nodes."""
    if rooms is None:
        return None
    left, after = max(0, demand.pods_after - demand.pods_before) + demand.surge, []
    for room in rooms:
        here = min(left, max(0, min(_times(room.free, demand.after.requests), default=left)))
        left -= here
        after.append(room._replace(free=_plus(room.free, demand.after.requests, -here)))
    return tuple(after)
