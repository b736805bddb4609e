"""Changes to receipts: the server is asked first, then told, and what it says is never an end of the cycle."""

from collections.abc import Sequence

from bridges.contracts import Change, Cluster, Receipt, Snapshot
from bridges.errors import OutcomeUnknownError, ShutError
from metaverse_env.errors import ClusterError


def write(cluster: Cluster, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool) -> tuple[Receipt, ...]:
    """Write changes; one receipt each.

    Args:
        cluster: Where.
        changes: What is asked for.
        snapshot: What was read last.
        dry_run: Whether the server is asked first; what it refuses is not written.
    """
    if not changes:
        return ()
    asked = _asked(cluster, changes, snapshot, True) if dry_run else ()
    refused = {one.change.zone: one for one in asked if one.result not in ("dry_run", "unchanged")}
    passed = tuple(change for change in changes if change.zone not in refused)
    done = {one.change.zone: one for one in (_asked(cluster, passed, snapshot, False) if passed else ())}
    return tuple({**refused, **done}[change.zone] for change in changes)


def _asked(cluster: Cluster, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool) -> tuple[Receipt, ...]:
    try:
        return cluster.write(changes, snapshot, dry_run)
    except ShutError as shut:
        return tuple(Receipt(change, "skipped", "Fenced", str(shut)) for change in changes)
    except OutcomeUnknownError as error:
        return tuple(Receipt(change, "failed", "OutcomeUnknown", str(error)) for change in changes)
    except ClusterError as error:
        code = type(error).__name__.removesuffix("Error")
        return tuple(Receipt(change, "failed", code, str(error)) for change in changes)
