"""The fused loops: one tick of one world, stage by stage, and the same over a batch of worlds.

Each stage is a loop over zones that calls the pure physics. :func:`step_physics` chains them all; a learned dynamics
calls :func:`step_people` before its network and :func:`step_learned` after it. Arrays are grouped into :class:`State`
and :class:`Constants` inside the compiled code only: unpacking a named tuple at its border would cost microseconds.
"""

from typing import Any, NamedTuple

import numpy as np

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import handover, nodes, rows, streams
from metaverse_env.simulator.activity import advance_activity, announced_share, gather_intent
from metaverse_env.simulator.counts import poisson
from metaverse_env.simulator.demand import autoregress, sticky
from metaverse_env.simulator.events import advance_event
from metaverse_env.simulator.leaving import leave
from metaverse_env.simulator.monitoring import measure, observe_zone
from metaverse_env.simulator.prefetch import prefetch
from metaverse_env.simulator.provisioning import grant
from metaverse_env.simulator.recorded import follow_trace, is_recorded, replace_demand
from metaverse_env.simulator.records import METRIC_DEPTH
from metaverse_env.simulator.rng import bell, draw, place_key, tick_key
from metaverse_env.simulator.serving import (
    advance_health,
    demand_at_home,
    draw_demand,
    first_noise,
    grow_memory,
    is_running,
    serve,
)
from metaverse_env.simulator.vectors import copy
from metaverse_env.simulator.workload import advance_own_rate, arrive, read_clock
from metaverse_env.units import MEMORY, SECONDS_PER_HOUR, SECONDS_PER_WEEK

Array = np.ndarray


class State(NamedTuple):
    """What a simulation remembers, batch-first. Owned by ``SimulatedWorld``."""

    worlds: Array  # record [W] WORLD_STATE
    nodes: Array  # record [W, N] NODE_STATE
    zones: Array  # record [W, Z] ZONE_STATE
    remote: Array  # float32 [W, Z, D], share of a zone's users served by each neighbour
    travelling: Array  # int32 [W, ticks, Z, 2], users due at each zone, by phase; see SimulatedWorld.watch


class Output(NamedTuple):
    """What a tick writes, into fresh arrays."""

    telemetry: Array  # record [W, Z] TELEMETRY
    outcome: Array  # record [W, Z] OUTCOME
    weather: Array  # record [W] WEATHER
    intents: Array  # float32 [W, Z, E]; E = 0 switches them off


class Replay(NamedTuple):
    """What a trace says; empty arrays when all is simulated."""

    series: Array  # float32 [T, Z, 1 or 4]: users; recorded demand in cores, MB, Mbps, NaN where formulas say it
    time_s: Array  # float64 [T], within the week


@compiled
def advance_world(world: Any, replay: Any, rules: Any) -> int:
    """Move the world's own processes one tick on; return the user key of the tick."""
    world.tick += 1
    world.trace_row += 1
    key = tick_key(world.user_key, world.tick)
    shock = bell(draw(place_key(key, streams.WORLD_PLACE), streams.SHARED_OU))
    world.ou_shared = autoregress(world.ou_shared, rules.ou_shared_keep, rules.ou_shared_gain, shock)
    if rules.price_sigma > 0.0:
        step = rules.price_sigma * (rules.tick_s / SECONDS_PER_HOUR) ** 0.5
        world.log_price += step * bell(draw(place_key(key, streams.WORLD_PLACE), streams.PRICE))
    if len(replay.series):
        world.time_s = replay.time_s[world.trace_row]
    else:
        world.time_s = (world.time_s + rules.tick_s) % SECONDS_PER_WEEK
    read_clock(world, rules)
    return key


@compiled
def clear(outcome: Any, telemetry: Any) -> None:
    """Start a zone's tick with nothing counted; the rest is written in every tick."""
    outcome.arrivals = outcome.departures = outcome.moved_in = outcome.moved_out = outcome.dropped = 0.0
    outcome.changed = outcome.backlog_s = outcome.bandwidth_loss = outcome.down = outcome.out_of_memory = 0.0
    outcome.time_dilation = 1.0
    telemetry.signals = telemetry.node_free = 0.0


@compiled
def note_activity(zone: Any, outcome: Any, rules: Any) -> None:
    """Write what a zone's users do, and what they announce: the same while they announce nothing."""
    outcome.activity = zone.activity
    outcome.announced_activity = zone.announced_activity if announced_share(zone, rules) > 0.0 else zone.activity


@stage
def advance_people(w: int, key: int, state: Any, out: Any, replay: Any, constants: Any) -> None:
    """Users leave, move, arrive; activities and events go on; intents are gathered; hand-overs are settled."""
    world, zones, travelling = state.worlds[w], state.zones[w], state.travelling[w]
    prefetch(state.zones[w + 1])
    prefetch(state.travelling[w + 1])
    prefetch(state.remote[w + 1])
    rules, slot = constants.rules[0], world.tick % len(travelling)
    for z in range(len(zones)):
        zone_key = zones[z].user_key = place_key(key, z)
        clear(out.outcome[w, z], out.telemetry[w, z])
        advance_own_rate(zones[z], zone_key, rules)
        advance_event(zones[z], zone_key, rules)
        advance_activity(zones[z], zone_key, constants)
    if not len(replay.series):
        leave(slot, zones, travelling, out.outcome[w], constants)
        arrive(slot, zones, world, travelling, out.outcome[w], constants)
    for z in range(len(zones)):
        zone, zone_key, outcome = zones[z], zones[z].user_key, out.outcome[w, z]
        if len(replay.series):
            follow_trace(zone, replay.series[world.trace_row, z, 0], outcome)
        outcome.users = zone.users[0] + zone.users[1]
        note_activity(zone, outcome, rules)
        handover.hand_over(z, outcome.arrivals, outcome.users, zones, state.remote[w], constants.edges)
        if out.intents.shape[2]:
            signals = poisson(draw(zone_key, streams.SIGNALS), rules.signals_per_user * outcome.users)
            signals = min(signals, int(rules.max_signals))
            out.telemetry[w, z].signals = signals
            gather_intent(zones, z, zone_key, signals, out.intents[w, z], constants)


@stage
def demand_by_physics(w: int, state: Any, out: Any, replay: Any, constants: Any) -> None:
    """Write what each zone's users need: as recorded, or by the formulas."""
    draw_demand(state.zones[w], out.outcome[w], constants.rules[0])
    if replay.series.shape[2] > 1:
        for z in range(state.zones.shape[1]):
            replace_demand(replay, state.worlds[w].trace_row, z, out.outcome[w, z].demand)


@stage
def serve_by_physics(w: int, state: Any, out: Any, replay: Any, constants: Any) -> None:
    """Let every zone serve, grow, and perhaps be killed; recorded memory is memory in use and needs no growing."""
    rules = constants.rules[0]
    for z in range(state.zones.shape[1]):
        zone, outcome, key = state.zones[w, z], out.outcome[w, z], state.zones[w, z].noise_key
        advance_health(zone, key, rules)
        if is_recorded(replay, state.worlds[w].trace_row, z, MEMORY):
            zone.memory_mb = outcome.served[MEMORY]
        else:
            grow_memory(zone, outcome.served[MEMORY], rules)
        if not is_running(zone, key, outcome, rules):
            continue
        rtt_ms = constants.zones[z].base_rtt_ms + state.nodes[w, constants.zones[z].node].degraded_rtt_ms
        serve(zone, rtt_ms, outcome, constants)


@stage
def serve_by_network(w: int, service: Any, state: Any, out: Any, constants: Any) -> None:
    """Take a network's latency on top of the way to the zone, no longer than that of a zone that is down.

    Kills, restarts and outages stay rules, since they change who is here. ``service [Z, 5]`` is p50, p95 and p99 above
    the round trip, ms, and the share of the way to its goal that memory goes in the tick, up and down.
    """
    rules = constants.rules[0]
    for z in range(state.zones.shape[1]):
        zone, outcome, key = state.zones[w, z], out.outcome[w, z], state.zones[w, z].noise_key
        advance_health(zone, key, rules)
        zone.memory_mb = sticky(zone.memory_mb, outcome.served[MEMORY], service[z, 3], service[z, 4])
        if is_running(zone, key, outcome, rules):
            rtt_ms = constants.zones[z].base_rtt_ms + state.nodes[w, constants.zones[z].node].degraded_rtt_ms
            outcome.latency_p50_ms = min(rtt_ms + service[z, 0], rules.down_latency_ms)
            outcome.latency_ms = min(rtt_ms + service[z, 1], rules.down_latency_ms)
            outcome.latency_p99_ms = min(rtt_ms + service[z, 2], rules.down_latency_ms)


@stage
def conclude(w: int, state: Any, before: Any, out: Any, constants: Any) -> None:
    """Settle what users felt, then measure and observe."""
    rules, edges = constants.rules[0], constants.edges
    for z in range(state.zones.shape[1]):
        zone, outcome = state.zones[w, z], out.outcome[w, z]
        latency_ms, violated, excess_ms = handover.feel(z, zone.away, out.outcome[w], state.remote[w], edges, rules)
        outcome.felt_latency_ms = zone.felt_latency_ms = latency_ms
        outcome.violated_user_s = violated * outcome.users * rules.tick_s
        outcome.excess_user_ms = excess_ms * outcome.users
        measure(zone, outcome, rules)
        observe_zone(zone, zone.noise_key, before[w, z], out.telemetry[w, z], rules)
    out.weather[w].time_s = (state.worlds[w].time_s + rules.tick_s) % SECONDS_PER_WEEK
    out.weather[w].price_factor = np.exp(state.worlds[w].log_price)


@stage
def look_around(w: int, state: Any, out: Any, replay: Any, constants: Any) -> None:
    """Write the first telemetry of a world that has just started: as if it had long been as it is."""
    rules, zones, factor = constants.rules[0], state.zones[w], rows.floats()
    noise_key = tick_key(state.worlds[w].noise_key, state.worlds[w].tick)
    for z in range(len(zones)):
        copy(out.outcome[w, z].charged, zones[z].current)
    nodes.share_capacity(state.nodes[w], zones, out.outcome[w], constants)
    for z in range(len(zones)):
        zone, outcome = zones[z], out.outcome[w, z]
        zone.noise_key = place_key(noise_key, z)
        clear(outcome, out.telemetry[w, z])
        note_activity(zone, outcome, rules)
        outcome.users = zone.users[0] + zone.users[1]
        first_noise(zone, factor, rules)
        demand_at_home(zone, outcome.users, factor, outcome.demand, rules)
        replace_demand(replay, state.worlds[w].trace_row, z, outcome.demand)
        copy(outcome.served, outcome.demand)
        grant(outcome, out.telemetry[w, z], state.nodes[w, constants.zones[z].node])
        serve(zone, constants.zones[z].base_rtt_ms, outcome, constants)
        zone.backlog_core_s = 0.0
        for _ in range(METRIC_DEPTH):
            measure(zone, outcome, rules)
    conclude(w, state, out.telemetry, out, constants)
