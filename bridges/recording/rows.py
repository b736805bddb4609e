"""From what was read of a cluster to a row of a panel: pure functions. What is not fresh is NaN, never 0."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridges.contracts import FIELDS, Reading, Readings, Snapshot, Workload
from metaverse_env.zones import ZoneGraph

ALLOCATED: Final = ("allocated_cpu_cores", "allocated_memory_mb", "allocated_bandwidth_mbps", "replicas")
FEATURES: Final = (*FIELDS, *ALLOCATED)
"""Columns of a recorded panel; those of :data:`~bridges.contracts.FIELDS`, and what the zone's pods have."""
Row = NDArray[np.float32]


def row_of(snapshot: Snapshot, readings: Readings, graph: ZoneGraph) -> Row:
    """Return ``float32 [N, F]`` of :data:`FEATURES`; NaN where nothing fresh is known."""
    there = {workload.zone: workload for workload in snapshot.workloads}
    rows = [_zone(there.get(zone), readings.get(zone, {})) for zone in graph.names]
    return np.array(rows, dtype=np.float32)


def _zone(workload: Workload | None, readings: Mapping[str, Reading]) -> list[float]:
    measured = [_value(readings.get(field)) for field in FIELDS]
    return measured + (_allocated(workload) if workload is not None else [np.nan] * len(ALLOCATED))


def _value(reading: Reading | None) -> float:
    fresh = reading is not None and reading.quality == "fresh" and reading.value is not None
    return float(reading.value) if fresh and reading is not None and reading.value is not None else np.nan


def _allocated(workload: Workload) -> list[float]:
    """Return what the pods that serve have together; NaN where there is no limit."""
    pods = [pod for pod in workload.pods if pod.ready and not pod.deleting]
    ceilings = [workload._replace(limits=pod.limits, requests=pod.requests).ceiling for pod in pods]
    cores, megabytes = (
        sum((np.nan if ceiling[part] is None else ceiling[part]) or 0.0 for ceiling in ceilings) for part in (0, 1)
    )
    mbps = np.nan if workload.bandwidth_mbps is None else workload.bandwidth_mbps * len(pods)
    return [float(cores), float(megabytes), float(mbps), float(len(pods))]


def users_of(row: Row) -> NDArray[np.float32]:
    """Return the users ``[N]`` of a row, or requests per second where users are not counted; NaN where neither is."""
    users, requests = row[:, FEATURES.index("users")], row[:, FEATURES.index("requests_per_s")]
    counted: NDArray[np.float32] = np.where(np.isnan(users), requests, users)
    return counted
