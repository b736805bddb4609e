"""What the cluster itself is told of decisions: events of the zones, and their conditions; nothing in shadow mode."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from bridges.contracts import Receipt, Workload
from bridges.controller.deciding import Decision
from metaverse_env.errors import ClusterError

if TYPE_CHECKING:
    from bridges.kubernetes.conditions import Condition
    from bridges.kubernetes.objects import Objects

LOG: Final = logging.getLogger(__name__)


def teller(client: "Objects", namespace: str, instance: str) -> Callable[[Decision], None]:
    """Return what tells a cluster of each decision of one who acts.

    Args:
        client: Of the API.
        namespace: Of the zones.
        instance: Identity of this replica.
    """
    from bridges.kubernetes.conditions import ConditionBoard  # noqa: PLC0415  one in memory needs no such package
    from bridges.kubernetes.events import EventRecorder  # noqa: PLC0415

    events, board = EventRecorder(client, instance), ConditionBoard(client, namespace)

    def tell(decision: Decision) -> None:
        if decision.permission.zones == "none" or decision.inputs.shut or decision.inputs.error:
            return
        workloads = {one.zone: one for one in decision.inputs.snapshot.workloads}
        events.tell((*decision.receipts, *decision.aftercare), workloads)
        try:
            board.show({zone: conditions_of(decision, one) for zone, one in workloads.items()})
        except ClusterError as error:  # what could not be told is told in the next cycle
            LOG.warning("conditions were not written: %s", error)

    return tell


def conditions_of(decision: Decision, workload: Workload) -> "tuple[Condition, ...]":
    """Return a zone's conditions after a decision, under an autoscaler's names."""
    from bridges.kubernetes.conditions import Condition  # noqa: PLC0415

    zone = workload.zone
    held = decision.held.get(zone) or next(iter(workload.held.values()), "")
    ill = decision.ill.get(zone, "")
    clamps = [clamp for clamp in decision.judged.verdict.clamps if clamp.zone == zone and clamp.rule != "held"]
    codes = {receipt.code for receipt in decision.receipts if receipt.change.zone == zone}
    receipts = [receipt for receipt in decision.receipts if receipt.change.zone == zone]
    return (
        _condition(Condition, "AbleToScale", not held, held, "ReadyForNewScale"),
        _condition(Condition, "ScalingActive", not ill, ill, "ValidMetricFound"),
        Condition("ScalingLimited", bool(clamps), clamps[-1].rule if clamps else "DesiredWithinRange"),
        Condition("FieldManagerConflict", "FieldManagerConflict" in codes, *_why(receipts, "FieldManagerConflict")),
        Condition("RBACDenied", "RBACDenied" in codes, *_why(receipts, "RBACDenied")),
    )


def _condition(kind: "type[Condition]", name: str, well: bool, why: str, reason: str) -> "Condition":
    code, _, message = why.partition(": ")
    return kind(name, well, reason if well else code, "" if well else message)


def _why(receipts: Sequence[Receipt], code: str) -> tuple[str, str]:
    message = next((receipt.message for receipt in receipts if receipt.code == code), "")
    return (code, message) if message else ("None", "")
