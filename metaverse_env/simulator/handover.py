"""Load balancing: a share of new sessions is served by the neighbour with the most observed headroom.

The users stay with their zone, their demand moves. Which share of a zone's users is served where is kept per edge as a
fluid ``remote [Z, D]``; it fades as those users leave and grows with the sessions handed over. A slot without neighbour
keeps a share of 0 and so needs no branch: it points to the last zone, with nothing to add.
"""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.vectors import copy
from metaverse_env.units import BANDWIDTH, CPU, MEMORY

_NEGLIGIBLE_SHARE = 1e-4


@stage
def roomiest_neighbour(index: int, zones: Any, edges: Any) -> int:
    """Return the slot of the neighbour with the most observed headroom, or -1 if none has any."""
    best, most = -1, 0.0
    for slot in range(edges.shape[1]):
        room = zones[edges[index, slot].zone].headroom * (edges[index, slot].zone >= 0)
        best = slot if room > most else best
        most = max(room, most)
    return best


@stage
def hand_over(index: int, arrivals: float, users: float, zones: Any, remote: Any, edges: Any) -> None:
    """Update the shares of a zone's users that neighbours serve, after ``arrivals`` new sessions among ``users``."""
    zone = zones[index]
    if zone.away + zone.handover <= 0.0 or (arrivals <= 0.0 and users > 0.0):
        return  # as it was
    fresh = arrivals / users if users > 0.0 else 1.0
    stayed, given = 1.0 - fresh, zone.handover * fresh * (arrivals > 0.0)
    best = roomiest_neighbour(index, zones, edges)
    zone.away = 0.0
    for slot in range(edges.shape[1]):
        share = remote[index, slot] * stayed
        share = (share if share > _NEGLIGIBLE_SHARE else 0.0) + given * (slot == best)
        remote[index, slot] = share
        zone.away += share


@stage
def served_demand(zones: Any, outcomes: Any, remote: Any, edges: Any, rules: Any) -> None:
    """Move demand to where it is served. What an empty zone needs stays; the rest follows the users."""
    for z in range(len(outcomes)):
        copy(outcomes[z].served, outcomes[z].demand)
    for z in range(len(outcomes)):
        if zones[z].away > 0.0:
            cores = max(outcomes[z].demand[CPU] - rules.cpu_base_cores, 0.0)
            megabytes = max(outcomes[z].demand[MEMORY] - rules.memory_base_mb, 0.0)
            mbps = outcomes[z].demand[BANDWIDTH]
            _serve(outcomes[z].served, -min(zones[z].away, 1.0), cores, megabytes, mbps)
            for slot in range(edges.shape[1]):
                there = outcomes[edges[z, slot].zone]
                _serve(there.served, remote[z, slot], cores, megabytes, mbps)


@compiled
def _serve(served: Any, share: float, cores: float, megabytes: float, mbps: float) -> None:
    """Add a share of some demand to what a zone serves."""
    served[CPU] += share * cores
    served[MEMORY] += share * megabytes
    served[BANDWIDTH] += share * mbps


@stage
def feel(index: int, away: float, outcomes: Any, remote: Any, edges: Any, rules: Any) -> tuple[float, float, float]:
    """Return what a zone's users feel: p95 latency (ms), violated share, and latency above the objective (ms).

    The p95 of a mixture is taken as the mean of the p95s, weighted by users; the violated share is exact.
    """
    objective_ms, here = rules.latency_objective_ms, float(outcomes[index].latency_ms)
    latency_ms, violated, excess_ms = here, 1.0 * (here > objective_ms), max(here - objective_ms, 0.0)
    if away > 0.0:
        latency_ms, violated, excess_ms = (1.0 - away) * latency_ms, (1.0 - away) * violated, (1.0 - away) * excess_ms
        for slot in range(edges.shape[1]):
            share = remote[index, slot]
            there = outcomes[edges[index, slot].zone].latency_ms + edges[index, slot].extra_rtt_ms
            latency_ms += share * there
            violated += share * (there > objective_ms)
            excess_ms += share * max(there - objective_ms, 0.0)
    return latency_ms, violated, excess_ms
