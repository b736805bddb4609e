"""How a world starts: somewhere in the week, populated as it would be there, provisioned at a random utilisation."""

import math
from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import streams
from metaverse_env.simulator.activity import begin_in_the_middle
from metaverse_env.simulator.actuation import bounded, round_to_pods
from metaverse_env.simulator.counts import poisson
from metaverse_env.simulator.demand import demand_of_users
from metaverse_env.simulator.events import NO_EVENT
from metaverse_env.simulator.nodes import share_granted
from metaverse_env.simulator.recorded import recorded_or
from metaverse_env.simulator.rng import (
    between,
    draw,
    normal,
    place_key,
    tick_key,
    uniform,
    world_key,
)
from metaverse_env.simulator.vectors import copy, fill
from metaverse_env.simulator.workload import arrival_rate, read_clock
from metaverse_env.units import BANDWIDTH, CPU, MEMORY, SECONDS_PER_WEEK

_BEFORE_FIRST_TICK = 0


@compiled
def start_world(world: Any, replay: Any, starts: Any, rules: Any) -> int:
    """Give a world its keys and its place in the week or in the trace; return the user key of its start."""
    world.user_key = world_key(world.seed, world.episode, streams.USER_STREAM)
    world.noise_key = world_key(world.noise_seed, world.episode, streams.NOISE_STREAM)
    world.tick, world.log_price, world.trace_row = _BEFORE_FIRST_TICK, 0.0, 0
    key = tick_key(world.user_key, _BEFORE_FIRST_TICK)
    world.ou_shared = normal(draw(key, streams.SHARED_OU))
    ticks_per_week = int(SECONDS_PER_WEEK / rules.tick_s)
    world.time_s = int(uniform(draw(key, streams.OFFSET)) * ticks_per_week) * rules.tick_s
    if len(starts):
        world.trace_row = starts[min(int(uniform(draw(key, streams.TRACE_START)) * len(starts)), len(starts) - 1)]
        world.time_s = replay.time_s[world.trace_row]
    read_clock(world, rules)
    return key


@compiled
def populate(zone: Any, index: int, key: int, world: Any, replay: Any, constants: Any) -> None:
    """Start a zone's activity and fill it as its rate at this time would have."""
    rules = constants.rules[0]
    zone.ou_own = normal(draw(key, streams.OWN_OU))
    begin_in_the_middle(zone, key, constants)
    activity = constants.activities[zone.activity]
    zone.blend[0], zone.blend[1], zone.blend[2] = activity.cpu, activity.memory, activity.bandwidth
    zone.event_stage, zone.event_level = NO_EVENT, 0.0
    if len(replay.series):
        zone.users[0], zone.users[1] = int(round(replay.series[world.trace_row, index, 0])), 0
        return
    mean = arrival_rate(zone, index, world, constants) * rules.session_mean_s * activity.session
    # With balanced means, half of the people present are on short and half on long sessions.
    zone.users[0] = poisson(draw(key, streams.START_SHORT), 0.5 * mean)
    zone.users[1] = poisson(draw(key, streams.START_LONG), 0.5 * mean)


@compiled
def provision_at_start(zone: Any, index: int, key: int, row: int, replay: Any, constants: Any) -> None:
    """Allocate what is needed now at a random utilisation; whole pods where scaling is horizontal."""
    rules = constants.rules[0]
    users = float(zone.users[0] + zone.users[1])
    cpu, memory, bandwidth = float(zone.blend[0]), float(zone.blend[1]), float(zone.blend[2])
    computed = demand_of_users(users, cpu, memory, bandwidth, rules)
    need = (
        recorded_or(replay, row, index, CPU, computed[0]),
        recorded_or(replay, row, index, MEMORY, computed[1]),
        recorded_or(replay, row, index, BANDWIDTH, computed[2]),
    )
    zone.memory_mb = need[1]
    low, high = rules.initial_utilisation
    utilisation = between(draw(key, streams.UTILISATION), low, high)
    wish = (need[0] / utilisation, need[1] / utilisation, need[2] / utilisation)
    for resource in range(3):
        zone.current[resource] = bounded(wish[resource], rules.allocation_min[resource], rules.allocation_max[resource])
    if rules.horizontal > 0.0:
        round_to_pods(zone.current, rules)
    zone.arrival_s = -1.0


@compiled
def cut_memory(zone: Any, least_mb: float, share: float, rules: Any) -> None:
    """Leave a zone that share of its memory above the least; whole pods where scaling is horizontal."""
    if share < 1.0 and rules.horizontal > 0.0:
        pods = 1.0 + math.floor(share * (zone.current[MEMORY] / rules.pod_size[MEMORY] - 1.0))
        for resource in range(3):
            zone.current[resource] = pods * rules.pod_size[resource]
    elif share < 1.0:
        zone.current[MEMORY] = least_mb + share * (zone.current[MEMORY] - least_mb)
    copy(zone.wanted, zone.current)
    copy(zone.arriving, zone.current)


@compiled
def fit_into_nodes(zones: Any, nodes: Any, constants: Any) -> None:
    """Cut what zones start with to the memory of their nodes; none gets more than the least before all have it."""
    rules = constants.rules[0]
    least_mb = rules.pod_size[MEMORY] if rules.horizontal > 0.0 else rules.allocation_min[MEMORY]
    for z in range(len(zones)):
        node = nodes[constants.zones[z].node]
        node.memory_free_mb -= least_mb
        node.memory_asked_mb += zones[z].current[MEMORY] - least_mb
    for z in range(len(zones)):
        node = nodes[constants.zones[z].node]
        cut_memory(zones[z], least_mb, share_granted(node.memory_asked_mb, max(node.memory_free_mb, 0.0)), rules)


@compiled
def clear_health(zone: Any) -> None:
    """Forget backlog, kills, outages, residuals."""
    fill(zone.noise, 0.0)
    fill(zone.residual, 0.0)
    zone.drift = zone.handover = zone.away = zone.backlog_core_s = zone.down_s = zone.outage_s = zone.healthy_s = 0.0
    zone.felt_latency_ms = zone.metric_age_s = 0.0
    zone.headroom = 1.0
    zone.kills = zone.kills_total = zone.missing_ticks = 0


@compiled
def start_noise(zone: Any, key: int) -> None:
    """Draw the demand noise and the learned dynamics' residuals from their stationary distribution."""
    for resource in range(3):
        zone.noise[resource] = normal(draw(key, streams.NOISE + resource))
    for target in range(4):
        zone.residual[target] = normal(draw(key, streams.RESIDUAL + target))


@compiled
def clear_node(node: Any, capacity: Any) -> None:
    """Give a node back all it has: cores, MB, Mbps."""
    node.steal = node.lost_s = node.degraded_rtt_ms = 0.0
    node.steal_ticks = node.degraded_ticks = 0
    fill(node.scale, 1.0)
    fill(node.free, 1.0)
    node.memory_free_mb, node.memory_asked_mb = capacity[MEMORY], 0.0


@stage
def reset_world(w: int, state: Any, replay: Any, starts: Any, constants: Any) -> None:
    """Start one world anew from its seed and episode."""
    world = state.worlds[w]
    key = start_world(world, replay, starts, constants.rules[0])
    noise_key = tick_key(world.noise_key, _BEFORE_FIRST_TICK)
    fill(state.travelling[w], 0)
    fill(state.remote[w], 0.0)
    for n in range(state.nodes.shape[1]):
        clear_node(state.nodes[w, n], constants.node_capacity[n])
    for z in range(state.zones.shape[1]):
        zone = state.zones[w, z]
        clear_health(zone)
        start_noise(zone, place_key(noise_key, z))
        populate(zone, z, place_key(key, z), world, replay, constants)
        provision_at_start(zone, z, place_key(noise_key, z), world.trace_row, replay, constants)
        fill(zone.measured, 0.0)
    fit_into_nodes(state.zones[w], state.nodes[w], constants)
