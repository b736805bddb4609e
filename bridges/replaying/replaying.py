"""The replay: each action in its time, exactly once, with a receipt for every zone."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from bridges.contracts import Change, Clock, Cluster, Receipt, Result, Snapshot
from bridges.replaying.actions import Action, change_of
from bridges.replaying.journal import Done, Journal
from metaverse_env.errors import ClusterError

_TRIES: Final = 5
_AGAIN: Final = ("Conflict", "Unavailable", "OutcomeUnknown", "ChangedMeanwhile", "RolloutInProgress", "CoolDown")
"""Codes of receipts after which the same may work a little later."""
_FIRST_WAIT_S: Final = 1.0


def replay(
    actions: Sequence[Action],
    cluster: Cluster,
    clock: Clock,
    journal: Journal,
    speed: float,
    apply: bool,
    told: Callable[[Action, Done], None] = lambda action, done: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Ask a cluster for every action that the journal does not have yet; return receipts by result.

    Args:
        actions: In their order.
        cluster: Where.
        clock: For their times.
        journal: Of what was done.
        speed: So many times faster than recorded.
        apply: Whether they are written, or the server is only asked.
        told: Called after each action with what became of it; of those that were done before, too.
        stopping: Whether to end between two actions.
    """
    left = [action for action in actions if action.number not in journal.done]
    started_s = clock.monotonic_s() - (left[0].at_s / speed if left else 0.0)
    results: Counter[str] = Counter()
    for action in actions:
        done = journal.done.get(action.number)
        if done is None:
            clock.wait_until(started_s + action.at_s / speed)
            if stopping():
                break
            journal.begin(action.number)
            done = journal.finish(action.number, _asked(action, cluster, clock, apply))
        results.update(receipt["result"] for receipt in done.receipts)
        told(action, done)
    return results


def _asked(action: Action, cluster: Cluster, clock: Clock, apply: bool) -> tuple[Receipt, ...]:
    """Ask for an action until every zone has an answer that stays; a zone that has it already has it once."""
    found: dict[str, Receipt] = {}
    for attempt in range(_TRIES):
        if attempt:
            clock.wait_until(clock.monotonic_s() + _FIRST_WAIT_S * 2 ** (attempt - 1))
        waiting = [zone for zone in action.allocation if zone not in found or found[zone].code in _AGAIN]
        if not waiting:
            break
        found |= _once(action, waiting, cluster, apply)
    return tuple(found[zone] for zone in action.allocation)


def _once(action: Action, zones: Sequence[str], cluster: Cluster, apply: bool) -> dict[str, Receipt]:
    try:
        snapshot = cluster.read()
        there = _changes(action, zones, snapshot)
        receipts = cluster.write([receipt.change for receipt in there if not receipt.code], snapshot, not apply)
    except ClusterError as error:
        code = type(error).__name__.removesuffix("Error")
        return {zone: _nothing(zone, action, "failed", code, str(error)) for zone in zones}
    absent = {receipt.change.zone: receipt for receipt in there if receipt.code}
    return absent | {receipt.change.zone: receipt for receipt in receipts}


def _changes(action: Action, zones: Sequence[str], snapshot: Snapshot) -> list[Receipt]:
    """Return each zone's change, or, of one that is not there, its receipt."""
    workloads = {one.zone: one for one in snapshot.workloads}
    return [
        Receipt(change_of(workloads[zone], action.allocation[zone], action.number), "skipped")
        if zone in workloads
        else _nothing(zone, action, "refused", "NotFound", f"zone {zone!r} is not in this cluster; map it with --zones")
        for zone in zones
    ]


def _nothing(zone: str, action: Action, result: Result, code: str, message: str) -> Receipt:
    return Receipt(Change(zone, reason=f"replay of action {action.number}"), result, code, message)
