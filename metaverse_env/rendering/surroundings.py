"""What lies around the zones: nodes, users on the way, and who is served by a neighbour."""

from typing import Final

import numpy as np

from metaverse_env.rendering.snapshot import Flow, NodeSnapshot, Served, Triple
from metaverse_env.simulator.leaving import BY_PHASE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Telemetry
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray

NEGLIGIBLE: Final = 0.005
"""Share of a zone's users served elsewhere below which nothing is drawn; a choice."""


def read_nodes(telemetry: Telemetry, graph: ZoneGraph, inside: SimulatedWorld | None) -> tuple[NodeSnapshot, ...]:
    """Read the nodes of world 0: of a simulation everything, of a cluster what telemetry tells."""
    seen, homes = telemetry.zones[0], _homes(graph)
    if inside is None:
        taken = [1.0 - float(seen["node_free"][list(zones)].min()) if zones else 0.0 for zones in homes]
        return tuple(
            NodeSnapshot(f"node-{place}", zones, (share, share, share))
            for place, (zones, share) in enumerate(zip(homes, taken, strict=True), 1)
        )
    state, capacity = inside.state.nodes[0], inside.constants.node_capacity
    used, allocated = np.zeros_like(capacity), np.zeros_like(capacity)
    np.add.at(used, graph.node, seen["usage"])
    np.add.at(allocated, graph.node, seen["allocation"])
    columns = (allocated / capacity, used / capacity, capacity)
    rows = zip(homes, *(_triples(column) for column in columns), state, strict=True)
    return tuple(
        NodeSnapshot(
            f"node-{place}",
            zones,
            shares,
            in_use,
            whole,
            float(node["lost_s"]) > 0.0,
            float(node["degraded_rtt_ms"]),
            float(node["steal"]),
        )
        for place, (zones, shares, in_use, whole, node) in enumerate(rows, 1)
    )


def _homes(graph: ZoneGraph) -> list[tuple[int, ...]]:
    """Return which zones live on each node."""
    homes: list[list[int]] = [[] for _ in range(graph.nodes)]
    for zone, node in enumerate(graph.node.tolist()):
        homes[node].append(zone)
    return [tuple(zones) for zones in homes]


def _triples(values: Array) -> list[Triple]:
    return [(a, b, c) for a, b, c in values.tolist()]


def read_flows(inside: SimulatedWorld) -> tuple[Flow, ...]:
    """Read who is on the way in world 0 and where from; nobody unless the world is watched."""
    due, graph = inside.state.travelling[0], inside.zones
    slots = len(due)
    now = int(inside.state.worlds["tick"][0]) % slots
    found = np.argwhere(due[:, :, BY_PHASE:] > 0)
    return tuple(
        Flow(
            int(graph.neighbours[goal, way]),
            goal,
            int(graph.travel_ticks[goal, way]),
            (slot - now) % slots,
            int(due[slot, goal, BY_PHASE + way]),
        )
        for slot, goal, way in found.tolist()
        if slot != now
    )


def read_served(inside: SimulatedWorld) -> tuple[Served, ...]:
    """Read who is served by a neighbour in world 0."""
    remote, neighbours = inside.state.remote[0], inside.zones.neighbours
    found = np.argwhere((remote > NEGLIGIBLE) & (neighbours != NO_ZONE))
    return tuple(Served(zone, int(neighbours[zone, way]), float(remote[zone, way])) for zone, way in found.tolist())
