"""How well zones are, and how much is known of them: pure functions of what was read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bridges.contracts import Readings, Workload

Array = np.ndarray


class Quality(NamedTuple):
    """What may be made of what was read.

    Attributes:
        ill: Zone to why it is ill or unmeasured; zones that are well are left out.
        grow_only: ``bool [Z]``, where nothing may be taken away, for what is known of usage is not new.
        share: Of zones that are ill.
    """

    ill: dict[str, str]
    grow_only: Array
    share: float


def quality_of(workloads: Sequence[Workload], readings: Readings, expected: Sequence[str]) -> Quality:
    """Judge what was read.

    Args:
        workloads: ``Z`` zones that there are.
        readings: What was measured of them.
        expected: Zones that there should be.
    """
    ill = {one.zone: why for one in workloads if (why := why_ill(one, readings))}
    there = {one.zone for one in workloads}
    ill |= {zone: "Gone: there is no Deployment" for zone in expected if zone not in there}
    grow_only = np.array([not _used(one.zone, readings) for one in workloads], dtype=np.bool_)
    return Quality(ill, grow_only, len(ill) / max(1, len(there | set(expected))))


def why_ill(workload: Workload, readings: Readings) -> str:
    """Return why a zone is not well, or not known, beginning with its code; ``""`` for one that is well."""
    if workload.deleting:
        return "Deleting: the Deployment is going"
    if workload.problem:
        return f"Problem: {workload.problem}"
    if workload.rollout == "stuck":
        return "RolloutStuck: the latest change does not come about"
    if workload.replicas > 0 and workload.ready_replicas == 0:
        return f"NotReady: none of {workload.replicas} pods serves"
    fields = readings.get(workload.zone, {})
    if not any(reading.quality == "fresh" for reading in fields.values()):
        codes = sorted({reading.code for reading in fields.values() if reading.code})
        return f"Unmeasured: {', '.join(codes) or 'no readings'}"
    return ""


def _used(zone: str, readings: Readings) -> bool:
    """Tell whether use of CPU and memory is known and new."""
    fields = readings.get(zone, {})
    return all(name in fields and fields[name].quality == "fresh" for name in ("cpu_cores", "memory_mb"))


def breaks_objective(zone: str, readings: Readings, objective_ms: float) -> bool:
    """Tell whether a zone was measured to be above its objective; of one that was not, nothing is told."""
    latency = readings.get(zone, {}).get("latency_ms")
    return latency is not None and latency.quality == "fresh" and (latency.value or 0.0) > objective_ms
