"""From the project's units to Prometheus' base units: what a zone measured, has and is proposed, as gauges."""

from collections.abc import Mapping
from typing import Final

from bridges.contracts import Amounts, Change, Reading, Workload
from metaverse_env.units import MS_PER_S

BYTES_PER_MB: Final = 1e6
BYTES_PER_S_PER_MBPS: Final = 1e6 / 8.0

_MEASURED: Final = {
    "users": ("users", 1.0),
    "cpu_cores": ("cpu_cores", 1.0),
    "memory_mb": ("memory_bytes", BYTES_PER_MB),
    "bandwidth_mbps": ("bandwidth_bytes_per_second", BYTES_PER_S_PER_MBPS),
    "latency_ms": ("latency_seconds", 1.0 / MS_PER_S),
    "requests_per_s": ("requests_per_second", 1.0),
    "violated_share": ("violated_ratio", 1.0),
}

Gauges = dict[str, float | None]


def measured(readings: Mapping[str, Reading]) -> Gauges:
    """Return what may be shown of a zone's readings: the fresh ones.

    >>> measured({"latency_ms": Reading(80.0, 1.0, "fresh"), "users": Reading(3.0, 900.0, "stale", "Old")})
    {'metaverse_bridge_measured_latency_seconds': 0.08}
    """
    return {
        f"metaverse_bridge_measured_{_MEASURED[field][0]}": _times(reading.value, _MEASURED[field][1])
        for field, reading in readings.items()
        if field in _MEASURED and reading.quality == "fresh"
    }


def ages_s(readings: Mapping[str, Reading]) -> dict[str, float]:
    """Return how old the readings of a zone are, s, by field; those that have an age."""
    return {field: reading.age_s for field, reading in readings.items() if reading.age_s is not None}


def allocated(workload: Workload) -> Gauges:
    """Return what a zone's pods may use together, as their template says it: limits, else requests."""
    return {
        **_amounts("allocated", workload.ceiling, workload.bandwidth_mbps, workload.replicas),
        "metaverse_bridge_replicas": float(workload.replicas),
        "metaverse_bridge_ready_replicas": float(workload.ready_replicas),
    }


def proposed(change: Change, workload: Workload) -> Gauges:
    """Return what a zone might use if a change were made; what the change leaves as it is, stays."""
    replicas = workload.replicas if change.replicas is None else change.replicas
    bandwidth_mbps = workload.bandwidth_mbps if change.bandwidth_mbps is None else change.bandwidth_mbps
    return {
        **_amounts("proposed", _ceiling(change, workload), bandwidth_mbps, replicas),
        "metaverse_bridge_proposed_replicas": float(replicas),
    }


def _ceiling(change: Change, workload: Workload) -> Amounts:
    """Return what one pod might use after a change of its requests, to which limits keep their ratio."""
    if change.requests is None:
        return workload.ceiling
    each = zip(change.requests, workload.requests, workload.ceiling, strict=True)
    return Amounts(*(new if new is None or not old or top is None else top * new / old for new, old, top in each))


def _amounts(kind: str, one: Amounts, bandwidth_mbps: float | None, pods: int) -> Gauges:
    """Return the gauges of amounts of one pod, times the pods."""
    return {
        f"metaverse_bridge_{kind}_cpu_cores": _times(one[0], pods),
        f"metaverse_bridge_{kind}_memory_bytes": _times(one[1], BYTES_PER_MB * pods),
        f"metaverse_bridge_{kind}_bandwidth_bytes_per_second": _times(bandwidth_mbps, BYTES_PER_S_PER_MBPS * pods),
    }


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
