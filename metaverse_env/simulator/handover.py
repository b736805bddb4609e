"""Load balancing: a share of new sessions is served by the neighbour with the most observed headroom.

The users stay with their zone, their demand moves. Which share of a zone's users is served where is kept per edge as a
fluid ``remote [Z, D]``; it fades as those users leave and grows with the sessions handed over.
"""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.vectors import copy, fill
from metaverse_env.units import MEMORY

_NEGLIGIBLE_SHARE = 1e-4


@compiled
def roomiest_neighbour(index: int, zones: Any, edges: Any) -> int:
    """Return the slot of the running neighbour with the most observed headroom, or -1 if none has any."""
    best, most = -1, 0.0
    for slot in range(edges.shape[1]):
        other = edges[index, slot].zone
        if other >= 0 and zones[other].headroom > most and zones[other].down_s <= 0.0 and zones[other].outage_s <= 0.0:
            best, most = slot, zones[other].headroom
    return best


@stage
def hand_over(index: int, arrivals: float, users: float, zones: Any, remote: Any, edges: Any) -> None:
    """Update the shares of a zone's users that neighbours serve, after ``arrivals`` new sessions among ``users``."""
    if users <= 0.0:
        fill(remote[index], 0.0)
        return
    stayed = (users - arrivals) / users
    for slot in range(edges.shape[1]):
        share = remote[index, slot] * stayed
        remote[index, slot] = share if share > _NEGLIGIBLE_SHARE else 0.0
    if zones[index].handover > 0.0 and arrivals > 0.0:
        slot = roomiest_neighbour(index, zones, edges)
        if slot >= 0:
            remote[index, slot] += zones[index].handover * arrivals / users


@compiled
def served_demand(outcomes: Any, remote: Any, edges: Any, rules: Any) -> None:
    """Move demand to where it is served. What an empty zone needs stays; the rest follows the users."""
    for z in range(len(outcomes)):
        copy(outcomes[z].served, outcomes[z].demand)
    for z in range(len(outcomes)):
        for slot in range(edges.shape[1]):
            share = remote[z, slot]
            if share > 0.0:
                for resource in range(3):
                    base = 0.0
                    if resource == 0:
                        base = rules.cpu_base_cores
                    elif resource == MEMORY:
                        base = rules.memory_base_mb
                    moved = share * max(outcomes[z].demand[resource] - base, 0.0)
                    outcomes[z].served[resource] -= moved
                    outcomes[edges[z, slot].zone].served[resource] += moved


@stage
def feel(index: int, outcomes: Any, remote: Any, edges: Any, rules: Any) -> tuple[float, float, float]:
    """Return what a zone's users feel: p95 latency (ms), violated share, and latency above the objective (ms).

    The p95 of a mixture is taken as the mean of the p95s, weighted by users; the violated share is exact.
    """
    at_home, latency_ms, violated, excess_ms = 1.0, 0.0, 0.0, 0.0
    for slot in range(edges.shape[1]):
        share = remote[index, slot]
        if share > 0.0:
            there = outcomes[edges[index, slot].zone].latency_ms + edges[index, slot].extra_rtt_ms
            at_home -= share
            latency_ms += share * there
            violated += share if there > rules.latency_objective_ms else 0.0
            excess_ms += share * max(there - rules.latency_objective_ms, 0.0)
    here = outcomes[index].latency_ms
    latency_ms += at_home * here
    violated += at_home if here > rules.latency_objective_ms else 0.0
    excess_ms += at_home * max(here - rules.latency_objective_ms, 0.0)
    return latency_ms, violated, excess_ms
