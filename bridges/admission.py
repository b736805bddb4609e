"""Whether a change may be asked of a cluster, judged from what was read of it: pure functions, no calls.

Every refusal has one word for metrics and a sentence for people. The server is the second line: what it refuses beyond
this becomes a receipt too.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from bridges.contracts import Amounts, Bounds, Change, Pod, Receipt, Result, Workload

HPA, VPA, SCALED_OBJECT = "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject"
MOST_REPLICAS: Final = 10_000
MILLI: Final = 1e-3
_SAME_MB: Final = 1e-6
"""One byte."""


class Refusal(NamedTuple):
    """Why a change is not made."""

    result: Result
    code: str
    message: str

    def receipt(self, change: Change) -> Receipt:
        """Return it as the receipt of a change."""
        return Receipt(change, self.result, self.code, self.message)


def rounded(amounts: Amounts) -> Amounts:
    """Return whole millicores and whole bytes, as a cluster keeps them.

    >>> rounded(Amounts(0.30049, 64.0000004))
    Amounts(cpu_cores=0.3, memory_mb=64.0)
    """
    cpu, memory = amounts
    return Amounts(None if cpu is None else round(cpu, 3), None if memory is None else round(memory, 6))


def limits_for(workload: Workload, requests: Amounts) -> Amounts:
    """Return the limits that go with requests: in the ratio that they have now; none where there is none.

    >>> zone = Workload("a", "n", "a", "u", "c", "1", 1, 1, Amounts(0.1, 100.0), Amounts(0.3, None))
    >>> limits_for(zone, Amounts(0.2, 200.0))
    Amounts(cpu_cores=0.6, memory_mb=None)
    """
    kept = (
        _in_ratio(new, old, limit) for new, old, limit in zip(requests, workload.requests, workload.limits, strict=True)
    )
    return rounded(Amounts(*kept))


def _in_ratio(new: float | None, old: float | None, limit: float | None) -> float | None:
    if limit is None or new is None:
        return limit
    return new * limit / old if old else max(new, limit)


def requested(workload: Workload, change: Change) -> Amounts:
    """Return the requests after a change; a part that it leaves out stays."""
    if change.requests is None:
        return workload.requests
    pairs = zip(change.requests, workload.requests, strict=True)
    return rounded(Amounts(*(old if new is None else new for new, old in pairs)))


def changes_nothing(workload: Workload, change: Change) -> bool:
    """Tell whether a workload already is as a change asks; quantities are compared as a cluster rounds them (T24)."""
    replicas = workload.replicas if change.replicas is None else change.replicas
    bandwidth = workload.bandwidth_mbps if change.bandwidth_mbps is None else change.bandwidth_mbps
    now = workload.replicas, rounded(workload.requests), workload.bandwidth_mbps
    return (replicas, requested(workload, change), bandwidth) == now and not change.handover


def refusal(change: Change, workload: Workload | None, bounds: Bounds) -> Refusal | None:
    """Return the first reason against a change, or ``None``.

    Args:
        change: What is asked.
        workload: The zone as it was read; ``None`` if there is no such zone.
        bounds: What the namespace allows.
    """
    if workload is None:
        return not_found(change)
    owned = (*_owned(change, workload), *_held(change, workload))
    reasons = (*_invalid(change), *_not_now(workload), *owned, *_outside(change, workload, bounds))
    return next(iter(reasons), None)


def not_found(change: Change) -> Refusal:
    """Return what to say of a zone that there is not."""
    return Refusal("refused", "NotFound", f"zone {change.zone!r} is not in this cluster; read it again")


def _invalid(change: Change) -> Iterator[Refusal]:
    """Yield what can never be (T63)."""
    amounts = change.requests or Amounts(None, None)
    named = ("cpu_cores", amounts.cpu_cores, MILLI), ("memory_mb", amounts.memory_mb, 1.0)
    for name, value, least in (*named, ("bandwidth_mbps", change.bandwidth_mbps, MILLI)):
        if value is not None and not least <= value < math.inf:
            yield _refused(change, "Invalid", f"{name} = {value}; must be a number from {least} up")
    replicas = change.replicas
    if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int)):
        yield _refused(change, "Invalid", f"replicas = {replicas!r} must be a whole number")
    elif replicas is not None and not 1 <= replicas <= MOST_REPLICAS:
        yield _refused(change, "Invalid", f"replicas = {replicas} must be from 1 to {MOST_REPLICAS}")
    for neighbour, share in (change.handover or {}).items():
        if not 0.0 <= share <= 1.0:
            yield _refused(change, "Invalid", f"handover to {neighbour!r} = {share}; must be a share in [0, 1]")


def _not_now(workload: Workload) -> Iterator[Refusal]:
    """Yield why it has to wait (T65)."""
    name = f"zone {workload.zone!r}: Deployment {workload.name!r}"
    if workload.deleting:
        yield Refusal("skipped", "Deleting", f"{name} is being deleted")
    if workload.rollout == "paused":
        yield Refusal("skipped", "Paused", f"{name} is paused; resume it with kubectl rollout resume")
    if workload.replicas == 0:
        yield Refusal("skipped", "ZeroReplicas", f"{name} is scaled to 0 replicas, by which people switch a zone off")


def _owned(change: Change, workload: Workload) -> Iterator[Refusal]:
    """Yield which other controller decides this (T27, T28)."""
    for owner in workload.autoscalers:
        kind = owner.partition("/")[0]
        if change.replicas is not None and kind in (HPA, SCALED_OBJECT):
            yield _refused(change, "OwnedByHPA", f"replicas are set by {owner}; remove it, or leave replicas to it")
        if change.requests is not None and kind == VPA:
            yield _refused(change, "OwnedByVPA", f"requests are set by {owner}; switch it Off, or leave them to it")
        if change.requests is not None and change.requests.cpu_cores is not None and kind == HPA:
            yield _refused(change, "OwnedByHPA", f"{owner} scales by the use of the CPU that is requested; leave it")


def _held(change: Change, workload: Workload) -> Iterator[Refusal]:
    """Yield which part may not be written, as the cluster said when it was read."""
    amounts = change.requests or Amounts(None, None)
    asked = {
        "cpu": amounts.cpu_cores,
        "memory": amounts.memory_mb,
        "replicas": change.replicas,
        "bandwidth": change.bandwidth_mbps,
    }
    for part, reason in workload.held.items():
        if asked.get(part) is not None:
            yield _refused(change, reason.partition(":")[0], reason)


def _outside(change: Change, workload: Workload, bounds: Bounds) -> Iterator[Refusal]:
    """Yield which limit of the namespace it breaks (T62)."""
    requests = requested(workload, change)
    limits = limits_for(workload, requests) if change.requests is not None else workload.limits
    replicas = workload.replicas if change.replicas is None else change.replicas
    for place, name in enumerate(Amounts._fields):
        asked, most, least, left = requests[place], bounds.most[place], bounds.least[place], bounds.left[place]
        highest = asked if limits[place] is None else limits[place]
        if asked is None or highest is None:
            continue
        if change.requests is not None and most is not None and highest > most + _SAME_MB:
            yield _refused(
                change, "AboveLimitRange", f"{name} = {highest:g} of a pod; the LimitRange's max is {most:g}"
            )
        if change.requests is not None and least is not None and asked < least - _SAME_MB:
            yield _refused(change, "BelowLimitRange", f"{name} = {asked:g} of a pod; the LimitRange's min is {least:g}")
        more = replicas * asked - workload.replicas * (workload.requests[place] or 0.0)
        if left is not None and more > left + _SAME_MB:
            yield _refused(change, "QuotaExceeded", f"needs {more:g} {name} more; the quota has {left:g} left")


def _refused(change: Change, code: str, why: str) -> Refusal:
    return Refusal("refused", code, f"zone {change.zone!r}: {why}")


def serving(pods: tuple[Pod, ...]) -> int:
    """Return how many pods serve."""
    return sum(pod.ready and not pod.deleting for pod in pods)
