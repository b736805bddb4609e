"""Who goes: sessions end, and users move on to a neighbouring zone (world model, section 1).

How many leave a zone, and how many of them move, is drawn for each kind of session; where to, for each who moves. The
movers of all zones stand in one list, because most zones have none or one: a loop over each zone's own would be
mispredicted at every other zone, a loop over the list never is.
"""

from typing import Any, Final

from metaverse_env.compiling import stage
from metaverse_env.simulator import rows, streams
from metaverse_env.simulator.arithmetic import log2
from metaverse_env.simulator.counts import FEW, binomial, few_happening, few_successes, happening
from metaverse_env.simulator.rng import draw, uniform

_LARGEST_CHURN_DOUBLINGS = 4.0
"""Users do not leave ever faster: the churn of latency stops growing at 16 times the objective [E]."""
BY_PHASE: Final = 2
"""Columns of ``travelling`` by phase; where travellers are watched, one for each neighbour they come from follows."""
_LISTED: Final = FEW + 1
"""Movers of one zone and one kind that are listed; the last of them stands for all the rest."""


@stage
def churn_factor(latency_ms: float, objective_ms: float, churn: float) -> float:
    """Return how much faster users leave: ``1 + churn`` per doubling of latency over the objective."""
    return 1.0 + churn * min(max(log2(latency_ms / objective_ms), 0.0), _LARGEST_CHURN_DOUBLINGS)


@stage
def pull(index: int, way: int, zones: Any, edges: Any) -> float:
    """Return how strongly a neighbour attracts those who move: edge weight times the attraction of what it does."""
    edge = edges[index, way]
    weight: float = edge.weight * zones[edge.zone].attraction
    return weight


@stage
def send(index: int, phase: int, number: int, slot: int, zones: Any, travelling: Any, edges: Any) -> None:
    """Let one user set out for a neighbour; which one goes by :func:`pull`."""
    where = uniform(draw(zones[index].user_key, streams.WHERE + 1000 * (2 * number + phase + 1)))
    total, passed, goal = 0.0, 0.0, 0
    for way in range(edges.shape[1]):
        total += pull(index, way, zones, edges)
    for way in range(edges.shape[1] - 1):
        passed += pull(index, way, zones, edges)
        goal += int(where * total > passed)
    due = slot + edges[index, goal].travel_ticks  # a round buffer: no one travels longer than it is
    due -= len(travelling) * (due >= len(travelling))
    travelling[due, edges[index, goal].zone, phase] += 1
    if travelling.shape[2] > BY_PHASE:
        note_origin(index, due, edges[index, goal].zone, travelling, edges)


@stage
def note_origin(index: int, due: int, goal: int, travelling: Any, edges: Any) -> None:
    """Note from which neighbour a user comes, where a picture wants to know; physics does not."""
    for way in range(edges.shape[1]):
        travelling[due, goal, BY_PHASE + way] += edges[goal, way].zone == index


@stage
def write_hazards(zones: Any, first: int, some: int, users: Any, hazard: Any, share: Any, constants: Any) -> None:
    """Write who could leave some zones in this tick, with which hazard, and which share of it is that of moving."""
    rules, latency_ms = constants.rules[0], rows.floats()
    for n in range(some):
        zone = zones[first + n]
        has_ways = constants.edges[first + n, 0].zone >= 0
        for phase in range(2):
            users[2 * n + phase], latency_ms[2 * n + phase] = zone.users[phase], zone.felt_latency_ms
            hazard[2 * n + phase] = constants.activities[zone.activity].leave_rate[phase] * rules.tick_s
            share[2 * n + phase] = rules.move_hazard * has_ways
    for n in range(2 * some):
        churn = churn_factor(latency_ms[n], rules.latency_objective_ms, rules.qoe_churn)
        hazard[n] = hazard[n] * churn + rules.move_hazard
        share[n] /= hazard[n]


@stage
def draw_leavers(zones: Any, first: int, some: int, leavers: Any, movers: Any, constants: Any) -> None:
    """Write how many leave some zones, and how many of them move."""
    key, users, hazard, share = rows.keys(), rows.counts(), rows.floats(), rows.floats()
    write_hazards(zones, first, some, users, hazard, share, constants)
    for n in range(2 * some):
        key[n] = zones[first + n // 2].user_key
    for n in range(2 * some):
        leavers[n] = few_happening(draw(key[n], streams.LEAVE + (n & 1)), users[n], hazard[n])
        movers[n] = few_successes(draw(key[n], streams.MOVE + (n & 1)), leavers[n], share[n])
    for n in range(2 * some):
        if leavers[n] > FEW:
            leavers[n] = happening(draw(key[n], streams.LEAVE + (n & 1)), users[n], hazard[n])
            movers[n] = binomial(draw(key[n], streams.MOVE + (n & 1)), leavers[n], share[n])


@stage
def leave(slot: int, zones: Any, travelling: Any, outcomes: Any, constants: Any) -> None:
    """Let users of all zones go home or move on."""
    leavers, movers, listed = rows.counts(), rows.counts(), rows.counts()
    for first in range(0, len(zones), rows.ZONES):
        some, count = min(rows.ZONES, len(zones) - first), 0
        draw_leavers(zones, first, some, leavers, movers, constants)
        for n in range(2 * some):
            zone, outcome = zones[first + n // 2], outcomes[first + n // 2]
            zone.users[n & 1] -= leavers[n]
            outcome.moved_out += movers[n]
            outcome.departures += leavers[n] - movers[n]
            for number in range(_LISTED):  # as if there were so many: the list goes on behind those there are
                listed[count + number] = _LISTED * n + number
            count += min(movers[n], _LISTED)
        for place in range(count):
            n, number = listed[place] // _LISTED, listed[place] % _LISTED
            last = number + 1 if number < _LISTED - 1 else movers[n]
            for each in range(number, last):
                send(first + n // 2, n & 1, each, slot, zones, travelling, constants.edges)
