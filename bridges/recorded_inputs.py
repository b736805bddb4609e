"""From the records of decisions back to what was read."""

from collections.abc import Mapping
from typing import Any

from bridges.contracts import Amounts, Bounds, Node, Pod, Reading, Readings, Snapshot, Workload


def snapshot_from(told: Mapping[str, Any]) -> Snapshot:
    """Return a snapshot from its record.

    Raises:
        KeyError, TypeError: It is none.
    """
    workloads = tuple(_workload(one) for one in told["workloads"])
    nodes = tuple(Node(one["name"], Amounts(**one["capacity"]), Amounts(**one["asked"])) for one in told["nodes"])
    bounds = Bounds(**{name: Amounts(**part) for name, part in told["bounds"].items()})
    return Snapshot(workloads, nodes, bounds, told["read_s"])


def _workload(told: Mapping[str, Any]) -> Workload:
    sizes = {name: Amounts(**told[name]) for name in ("requests", "limits")}
    pods = tuple(
        Pod(**{**pod, **{name: Amounts(**pod[name]) for name in ("requests", "limits")}}) for pod in told["pods"]
    )
    return Workload(**{**told, **sizes, "autoscalers": tuple(told["autoscalers"]), "pods": pods})


def readings_from(told: Mapping[str, Mapping[str, Any]]) -> Readings:
    """Return readings from their record.

    Raises:
        TypeError: They are none.
    """
    return {zone: {name: Reading(**one) for name, one in fields.items()} for zone, fields in told.items()}
