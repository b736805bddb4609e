"""How a command takes effect: with a delay, within limits, one change at a time (world model, section 5)."""

import math
from typing import Any

from metaverse_env.compiling import compiled
from metaverse_env.simulator.rng import bell
from metaverse_env.simulator.vectors import copy, fill
from metaverse_env.units import MEMORY

_SAME = 1e-4
"""Relative difference below which two allocations are the same; a smaller wish starts nothing."""


@compiled
def bounded(value: float, least: float, most: float) -> float:
    """Return ``value`` within [least, most]."""
    return min(max(value, least), most)


@compiled
def replicas_for(allocation: Any, pod_size: Any) -> float:
    """Return how many pods of one size give at least an allocation of every resource."""
    return max(
        1.0,
        math.ceil(allocation[0] / pod_size[0] - _SAME),
        math.ceil(allocation[1] / pod_size[1] - _SAME),
        math.ceil(allocation[2] / pod_size[2] - _SAME),
    )


@compiled
def most_replicas(most: Any, pod_size: Any) -> float:
    """Return how many pods of one size an allocation may have that is at most ``most [3]``."""
    return min(
        math.floor(most[0] / pod_size[0] + _SAME),
        math.floor(most[1] / pod_size[1] + _SAME),
        math.floor(most[2] / pod_size[2] + _SAME),
    )


@compiled
def differs(a: Any, b: Any) -> bool:
    """Tell whether two allocations differ in any resource."""
    for resource in range(3):
        if abs(a[resource] - b[resource]) > _SAME * abs(b[resource]):
            return True
    return False


@compiled
def round_to_pods(allocation: Any, rules: Any) -> None:
    """Turn an allocation into the least number of whole pods that give it, as far as limits allow."""
    pods = min(replicas_for(allocation, rules.pod_size), most_replicas(rules.allocation_max, rules.pod_size))
    for resource in range(3):
        allocation[resource] = pods * rules.pod_size[resource]


@compiled
def accept(zone: Any, command: Any, rules: Any) -> bool:
    """Take a command as the zone's wish, within its limits; tell whether it changed anything."""
    before = (zone.wanted[0], zone.wanted[1], zone.wanted[2])
    for resource in range(3):
        least, most = rules.allocation_min[resource], rules.allocation_max[resource]
        zone.wanted[resource] = bounded(command.allocation[resource], least, most)
    if rules.horizontal > 0.0:
        round_to_pods(zone.wanted, rules)
    changed = differs(zone.wanted, before)
    zone.handover = command.handover
    return changed


@compiled
def actuation_delay_s(bits: int, rules: Any) -> float:
    """Return how long a change takes to be in effect: a resize, or a rollout of new pods."""
    if rules.rollout_mode > 0.0:
        delay = rules.rollout_floor_s + rules.rollout_median_s * math.exp(rules.rollout_sigma * bell(bits))
        return bounded(delay, rules.rollout_limits_s[0], rules.rollout_limits_s[1])
    return rules.resize_median_s * math.exp(rules.resize_sigma * bell(bits))


@compiled
def advance_allocation(zone: Any, bits: int, memory_free_mb: float, effective: Any, rules: Any) -> None:
    """Let changes take effect during one tick; write the time-weighted allocation into ``effective [3]``.

    A change that is under way is finished before the next one starts, as a rollout is. Memory that the node does not
    have is deferred: the zone keeps what it has and the change is tried again in every tick, as Kubernetes does.
    """
    tick_s, elapsed = rules.tick_s, 0.0
    fill(effective, 0.0)
    for _ in range(2):  # at most one change lands and the next begins within a tick
        if zone.arrival_s < 0.0 and differs(zone.wanted, zone.current):
            copy(zone.arriving, zone.wanted)
            zone.arrival_s = actuation_delay_s(bits, rules)
        if zone.arrival_s < 0.0 or zone.arrival_s >= tick_s - elapsed:
            break
        for resource in range(3):
            effective[resource] += zone.current[resource] * zone.arrival_s / tick_s
        elapsed += zone.arrival_s
        memory_free_mb += zone.current[MEMORY]
        _land(zone, memory_free_mb, rules)
        memory_free_mb -= zone.current[MEMORY]
    for resource in range(3):
        effective[resource] += zone.current[resource] * (tick_s - elapsed) / tick_s
    if zone.arrival_s >= 0.0:
        zone.arrival_s -= tick_s - elapsed


@compiled
def _land(zone: Any, room_mb: float, rules: Any) -> None:
    """Put the arriving allocation into effect, without the memory, or the pods, for which the node has no room."""
    ceiling_mb = max(room_mb, zone.current[MEMORY])
    if zone.arriving[MEMORY] > ceiling_mb:
        if rules.horizontal > 0.0:
            pods = max(1.0, math.floor(ceiling_mb / rules.pod_size[MEMORY] + _SAME))
            for resource in range(3):
                zone.arriving[resource] = pods * rules.pod_size[resource]
        else:
            zone.arriving[MEMORY] = ceiling_mb
    copy(zone.current, zone.arriving)
    zone.arrival_s = -1.0
