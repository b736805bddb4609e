"""The zones of a cluster as a graph, and the scenario that describes them: pure functions of a snapshot."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from bridges.contracts import Amounts, Snapshot, Workload
from metaverse_env.errors import ConfigurationError, did_you_mean
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.scenario.root import MOST_METRIC_AGE_TICKS, LayoutSpec
from metaverse_env.zones import NO_ZONE, ZoneGraph, grid_positions

Array = np.ndarray
Neighbours = Mapping[str, Sequence[str]]

NEIGHBOURS: Final = "metaverse-env.dev/neighbours"
"""Annotation of a Deployment: the zones to which its users go, separated by commas."""
_ROOM: Final = 10.0
"""A zone may be given from a tenth of what it has at first to ten times as much, if nobody says otherwise [choice]."""


def graph_of(snapshot: Snapshot, neighbours: Neighbours | None = None) -> ZoneGraph:
    """Lay out a cluster's zones.

    Args:
        snapshot: The cluster.
        neighbours: Zone to its neighbours, both ways; by default the annotations :data:`NEIGHBOURS` say so.

    Raises:
        ConfigurationError: There is no zone, or a neighbour is none.
    """
    names = tuple(workload.zone for workload in snapshot.workloads)
    if not names:
        raise ConfigurationError("the cluster has no zone: no Deployment has the label that chooses zones")
    named = _annotated(snapshot.workloads) if neighbours is None else neighbours
    table = _table(names, named)
    shape, near = table.shape, table != NO_ZONE
    return ZoneGraph(
        names=names,
        neighbours=table,
        weights=(near / np.maximum(near.sum(axis=1, keepdims=True), 1)).astype(np.float32),
        extra_rtt_ms=np.zeros(shape, dtype=np.float32),
        travel_ticks=np.ones(shape, dtype=np.int32),
        node=_nodes(snapshot.workloads),
        position=_ring(len(names)) if near.any() else grid_positions(len(names)),
    )


def _ring(count: int) -> Array:
    """Return places on a ring, where edges between any two zones can be seen."""
    places = 2.0 * np.pi * np.arange(count) / count
    return np.stack([0.5 + 0.42 * np.sin(places), 0.5 - 0.42 * np.cos(places)], axis=1).astype(np.float32)


def _annotated(workloads: Sequence[Workload]) -> dict[str, list[str]]:
    texts = {workload.zone: workload.annotations.get(NEIGHBOURS, "") for workload in workloads}
    return {zone: [name for name in re.split(r"[\s,]+", text) if name] for zone, text in texts.items()}


def _table(names: tuple[str, ...], neighbours: Neighbours) -> Array:
    """Return ``int32 [Z, D]`` of neighbours both ways."""
    near: dict[str, set[str]] = {name: set() for name in names}
    for zone, others in neighbours.items():
        for name in (zone, *others):
            if name not in near:
                hint = did_you_mean(name, names)
                raise ConfigurationError(f"zone {zone!r} has a neighbour {name!r}, which is no zone here.{hint}")
        for other in set(others) - {zone}:
            near[zone].add(other)
            near[other].add(zone)
    table = np.full((len(names), max(1, *map(len, near.values()), 1)), NO_ZONE, dtype=np.int32)
    for index, zone in enumerate(names):
        table[index, : len(near[zone])] = sorted(names.index(other) for other in near[zone])
    return table


def node_of(workload: Workload) -> str:
    """Return the node of a zone's first pod that has one, or ``""``."""
    return next((pod.node for pod in workload.pods if pod.node and not pod.deleting), "")


def _nodes(workloads: Sequence[Workload]) -> Array:
    """Return ``int32 [Z]``; zones whose node nobody knows share the first."""
    nodes = [node_of(workload) for workload in workloads]
    known = sorted({node for node in nodes if node})
    return np.array([known.index(node) if node else 0 for node in nodes], dtype=np.int32)


def scenario_of(snapshot: Snapshot, graph: ZoneGraph, base: str | Scenario | None, tick_s: float | None) -> Scenario:
    """Return the scenario of a cluster's zones.

    Args:
        snapshot: The cluster.
        graph: Its zones.
        base: Constants of everything but the layout; by default those of ``"multi_zone"``, with limits and the size of
            a pod taken from what the zones have.
        tick_s: Length of a tick, s; the base's, if ``None``.
    """
    chosen = load_scenario("multi_zone" if base is None else base)
    tick_s = chosen.tick_s if tick_s is None else tick_s
    actuation = chosen.actuation
    if base is None:
        actuation = actuation.model_copy(update=_room(snapshot.workloads, actuation.allocation_max))
    if not (graph.neighbours != NO_ZONE).any():
        actuation = actuation.model_copy(update={"handover_shares": (0.0,)})
    nodes = max(1, graph.nodes)
    layout = LayoutSpec(zones=len(graph), names=graph.names, zones_per_node=max(1, -(-len(graph) // nodes)))
    age_s = tuple(min(age, MOST_METRIC_AGE_TICKS * tick_s) for age in chosen.monitoring.metric_age_s)
    travel_s = tuple(max(travel, 2.0 * tick_s) for travel in chosen.workload.travel_s)
    return chosen.with_changes(
        name="cluster" if base is None else chosen.name,
        tick_s=tick_s,
        layout=layout,
        actuation=actuation,
        monitoring=chosen.monitoring.model_copy(update={"metric_age_s": age_s}),
        workload=chosen.workload.model_copy(update={"travel_s": travel_s}),
    )


def _room(workloads: Sequence[Workload], most: Sequence[float]) -> dict[str, tuple[float, ...]]:
    """Return limits of a zone and the size of a pod, from what zones have; what has no limit is bounded by ``most``."""
    ceilings = [(*workload.ceiling, workload.bandwidth_mbps) for workload in workloads]
    sizes, least, highest = [], [], []
    for part, bound in enumerate(most):
        known = [ceiling[part] for ceiling in ceilings if ceiling[part]] or [bound]
        pod = float(np.median(np.array(known, dtype=float)))
        sizes.append(pod)
        least.append(min(map(float, known)) / _ROOM)  # type: ignore[arg-type]  # those that are not None
        highest.append(min(max(map(float, known)) * _ROOM, max(bound, pod)))  # type: ignore[arg-type]
    return {"pod_size": tuple(sizes), "allocation_min": tuple(least), "allocation_max": tuple(highest)}


def together(workload: Workload, ceiling: Amounts, replicas: int, most: Sequence[float]) -> tuple[float, float, float]:
    """Return what so many pods may use together: cores, MB, Mbps; what is not limited is ``most``.

    A zone without pods counts as one pod: what it would have.
    """
    count = max(1, replicas)
    parts = (*ceiling, workload.bandwidth_mbps)
    cores, megabytes, mbps = (high if part is None else part * count for part, high in zip(parts, most, strict=True))
    return cores, megabytes, mbps
