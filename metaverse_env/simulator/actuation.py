"""How a command takes effect: with a delay, within limits, one change at a time (world model, section 5)."""

import math
from typing import Any

import numpy as np

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.arithmetic import exp
from metaverse_env.simulator.rng import bell
from metaverse_env.simulator.vectors import copy
from metaverse_env.units import MEMORY

_SAME = 1e-4
"""Relative difference below which two allocations are the same; a smaller wish starts nothing."""
_NOTHING_UNDER_WAY = -1.0


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


@stage
def differs(a: Any, b: Any) -> bool:
    """Tell whether two allocations differ in any resource."""
    some = False
    for resource in range(3):
        some |= abs(a[resource] - b[resource]) > _SAME * abs(b[resource])
    return some


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


@stage
def actuation_delay_s(bits: int, rules: Any) -> float:
    """Return how long a change takes to be in effect: a resize, or a rollout of new pods."""
    if rules.rollout_mode > 0.0:
        delay_s = rules.rollout_floor_s + rules.rollout_median_s * exp(rules.rollout_sigma * bell(bits))
        low, high = rules.rollout_limits_s[0], rules.rollout_limits_s[1]
    else:
        delay_s = rules.resize_median_s * exp(rules.resize_sigma * bell(bits))
        low, high = 0.0, np.inf
    return bounded(delay_s, low, high)


@compiled
def advance_allocation(zone: Any, delay_s: float, memory_free_mb: float, effective: Any, rules: Any) -> None:
    """Let changes take effect during one tick; write the time-weighted allocation into ``effective [3]``.

    A change takes ``delay_s`` if it starts in this tick. One that is under way is finished before the next one starts,
    as a rollout is. Memory that the node does not have is deferred: the zone keeps what it has and the change is tried
    again in every tick, as Kubernetes does.
    """
    before_mb = zone.current[MEMORY]
    copy(effective, zone.current)
    left_s = _advance_change(zone, delay_s, rules.tick_s, memory_free_mb, effective, rules)
    if left_s > 0.0 and differs(zone.wanted, zone.current):  # at most one lands and the next begins within a tick
        memory_free_mb -= zone.current[MEMORY] - before_mb
        _advance_change(zone, delay_s, left_s, memory_free_mb, effective, rules)


@stage
def _advance_change(
    zone: Any, delay_s: float, left_s: float, memory_free_mb: float, effective: Any, rules: Any
) -> float:
    """Begin or go on with a change in what is left of a tick; return what is left after it landed, 0 if it did not.

    Nearly without a branch, since which zones change is any policy's guess.
    """
    idle = zone.arrival_s < 0.0
    due_s = delay_s if idle & differs(zone.wanted, zone.current) else zone.arrival_s
    lands = (due_s >= 0.0) & (due_s < left_s)
    for resource in range(3):
        zone.arriving[resource] = zone.wanted[resource] if idle else zone.arriving[resource]
    ceiling_mb = zone.current[MEMORY] + max(memory_free_mb, 0.0)
    if zone.arriving[MEMORY] > ceiling_mb and lands:
        _fit(zone.arriving, ceiling_mb, rules)
    after_s = left_s - due_s if lands else 0.0
    for resource in range(3):
        now = zone.arriving[resource] if lands else zone.current[resource]
        effective[resource] += (now - zone.current[resource]) * (after_s * rules.ticks_per_s)
        zone.current[resource] = now
    zone.arrival_s = _NOTHING_UNDER_WAY if lands | (due_s < 0.0) else due_s - left_s
    return after_s


@compiled
def _fit(arriving: Any, ceiling_mb: float, rules: Any) -> None:
    """Cut an allocation by the memory, or the pods, for which the node has no room."""
    if rules.horizontal > 0.0:
        pods = max(1.0, math.floor(ceiling_mb / rules.pod_size[MEMORY] + _SAME))
        for resource in range(3):
            arriving[resource] = pods * rules.pod_size[resource]
    else:
        arriving[MEMORY] = ceiling_mb
