"""From a command, which is about zones, to changes, which are about pods: a pure function."""

from collections.abc import Sequence

import numpy as np

from bridges.contracts import Amounts, Change, Snapshot, Workload
from bridges.layout import together
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.actuation import most_replicas, replicas_for
from metaverse_env.telemetry import Command
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray

_SAME = 1e-4
"""Relative difference below which two allocations are the same, as in the simulation: commands are float32."""


def changes_of(
    command: Command, snapshot: Snapshot, graph: ZoneGraph, scenario: Scenario, handed: Array
) -> tuple[Change, ...]:
    """Return what to ask of a cluster; a zone that is as commanded has no change.

    Args:
        command: Of one world.
        snapshot: The cluster.
        graph: The world's zones; one that is gone is left out.
        scenario: Limits of a zone, and whether its pods change their size or their number.
        handed: ``[Z]``, shares that are handed over now.
    """
    there = {workload.zone: workload for workload in snapshot.workloads}
    limits = scenario.actuation.allocation_min, scenario.actuation.allocation_max
    wanted = np.clip(command.allocation[0].astype(np.float64), *limits)
    changes = []
    for index, zone in enumerate(graph.names):
        if zone in there:
            own = _horizontal if scenario.scaling == "horizontal" else _vertical
            change = own(there[zone], wanted[index], scenario)
            share = float(command.handover[0, index])
            asked = None if abs(share - handed[index]) <= _SAME else _handed(graph, index, share)
            changes.append(change._replace(handover=asked))
    return tuple(change for change in changes if change[1:-1] != (None,) * 4)


def _vertical(workload: Workload, wanted: Array, scenario: Scenario) -> Change:
    """Return the new size of each pod."""
    count = max(1, workload.replicas)
    now = together(workload, workload.ceiling, workload.replicas, scenario.actuation.allocation_max)
    goal = [None if _same(new, old) else float(new) / count for new, old in zip(wanted, now, strict=True)]
    requests = workload.requests_for(Amounts(goal[0], goal[1]))
    return Change(workload.zone, requests if requests != (None, None) else None, bandwidth_mbps=goal[2])


def _same(a: float, b: float) -> bool:
    return bool(abs(a - b) <= _SAME * abs(b))


def _horizontal(workload: Workload, wanted: Array, scenario: Scenario) -> Change:
    """Return how many pods of the scenario's size it takes, as far as limits allow."""
    size, most = np.array(scenario.actuation.pod_size), np.array(scenario.actuation.allocation_max)
    pods = int(min(replicas_for(wanted, size), most_replicas(most, size)))
    return Change(workload.zone, replicas=None if pods == workload.replicas else pods)


def _handed(graph: ZoneGraph, index: int, share: float) -> dict[str, float]:
    """Spread the share of new sessions that is handed over among neighbours, by their weights."""
    near: Sequence[int] = [int(other) for other in graph.neighbours[index] if other != NO_ZONE]
    return {graph.names[other]: share * float(graph.weights[index, slot]) for slot, other in enumerate(near)}
