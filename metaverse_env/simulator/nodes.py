"""Nodes of finite capacity, and what befalls them: noisy neighbours, losses, network degradation."""

from typing import Any

from metaverse_env.compiling import compiled
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import between, draw, uniform
from metaverse_env.simulator.vectors import fill
from metaverse_env.units import (
    BANDWIDTH,
    CPU,
    MEMORY,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
)


@compiled
def share_granted(asked: float, capacity: float) -> float:
    """Return the share of what is asked that a node can give.

    >>> share_granted(10.0, 8.0), share_granted(4.0, 8.0)
    (0.8, 1.0)
    """
    return 1.0 if asked <= capacity else capacity / asked


@compiled
def advance_steal(node: Any, key: int, rules: Any) -> None:
    """Begin or end an episode in which a neighbour outside this world takes CPU."""
    node.steal_ticks -= 1
    if node.steal_ticks > 0:
        return
    node.steal = 0.0
    if uniform(draw(key, streams.STEAL)) < rules.noisy_neighbour_per_h * rules.tick_s / SECONDS_PER_HOUR:
        low, high = rules.noisy_neighbour_steal
        node.steal = between(draw(key, streams.STEAL_SHARE), low, high)
        low, high = rules.noisy_neighbour_s
        node.steal_ticks = int(between(draw(key, streams.STEAL_TIME), low, high) / rules.tick_s)


@compiled
def advance_degradation(node: Any, key: int, rules: Any) -> None:
    """Begin or end a degradation of the node's network."""
    node.degraded_ticks -= 1
    if node.degraded_ticks > 0:
        return
    node.degraded_rtt_ms = 0.0
    if uniform(draw(key, streams.DEGRADE)) < rules.degradation_per_day * rules.tick_s / SECONDS_PER_DAY:
        low, high = rules.degradation_rtt_ms
        node.degraded_rtt_ms = between(draw(key, streams.DEGRADE_RTT), low, high)
        low, high = rules.degradation_s
        node.degraded_ticks = int(between(draw(key, streams.DEGRADE_TIME), low, high) / rules.tick_s)


@compiled
def advance_loss(node: Any, key: int, rules: Any) -> bool:
    """Count down to a replacement, or lose the node; tell whether it was lost just now."""
    node.lost_s = max(0.0, node.lost_s - rules.tick_s)
    if node.lost_s > 0.0 or rules.node_loss_per_day <= 0.0:
        return False
    if uniform(draw(key, streams.LOSS)) >= rules.node_loss_per_day * rules.tick_s / SECONDS_PER_DAY:
        return False
    low, high = rules.node_replacement_s
    node.lost_s = between(draw(key, streams.LOSS_TIME), low, high)
    return True


@compiled
def share_capacity(nodes: Any, zones: Any, outcomes: Any, constants: Any) -> None:
    """Write what each node grants of the tick's allocations on it, and what it has left at the tick's end.

    CPU and bandwidth are throttled; memory is only counted, since more of it than there is was never allocated.
    """
    for n in range(len(nodes)):
        fill(nodes[n].scale, 0.0)
        fill(nodes[n].free, 0.0)
    for z in range(len(zones)):
        node = nodes[constants.zones[z].node]
        for resource in range(3):
            node.scale[resource] += outcomes[z].charged[resource]
            node.free[resource] += zones[z].current[resource]
    for n in range(len(nodes)):
        node, capacity = nodes[n], constants.node_capacity[n]
        left = constants.rules[0].node_loss_capacity if node.lost_s > 0.0 else 1.0
        node.memory_free_mb = capacity[MEMORY] * left - node.free[MEMORY]
        for resource in range(3):
            node.free[resource] = 1.0 - node.free[resource] / (capacity[resource] * left)
        node.scale[CPU] = share_granted(node.scale[CPU], capacity[CPU] * left)
        node.scale[BANDWIDTH] = share_granted(node.scale[BANDWIDTH], capacity[BANDWIDTH] * left)
        node.scale[MEMORY] = 1.0
