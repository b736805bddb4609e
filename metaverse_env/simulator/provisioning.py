"""What zones are given: commands take effect, and nodes grant what they can (world model, sections 4 and 5)."""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import nodes, rows, streams
from metaverse_env.simulator.actuation import accept, actuation_delay_s, advance_allocation
from metaverse_env.simulator.rng import draw, place_key
from metaverse_env.units import MEMORY


@compiled
def grant(outcome: Any, telemetry: Any, host: Any) -> None:
    """Write what a zone has of its allocation after its node's limits, and what the node has left."""
    for resource in range(3):
        outcome.allocation[resource] = outcome.charged[resource] * host.scale[resource]
    outcome.allocation[0] *= 1.0 - host.steal
    telemetry.node_free = min(host.free[0], host.free[1], host.free[2])


@stage
def actuate(noise_key: int, zones: Any, hosts: Any, commands: Any, outcomes: Any, constants: Any) -> None:
    """Accept commands and let them take effect, zone by zone: whose node has no memory left gets none."""
    rules, key, delay_s = constants.rules[0], rows.keys(), rows.floats()
    for first in range(0, len(zones), rows.ZONES):
        some = min(rows.ZONES, len(zones) - first)
        for n in range(some):
            key[n] = place_key(noise_key, first + n)
            delay_s[n] = actuation_delay_s(draw(key[n], streams.RESIZE), rules)
        for n in range(some):
            z = first + n
            zone, outcome, host = zones[z], outcomes[z], hosts[constants.zones[z].node]
            zone.noise_key = key[n]
            outcome.changed = accept(zone, commands[z], rules)
            before_mb = zone.current[MEMORY]
            advance_allocation(zone, delay_s[n], host.memory_free_mb, outcome.charged, rules)
            host.memory_free_mb -= zone.current[MEMORY] - before_mb


@stage
def provision(w: int, noise_key: int, state: Any, commands: Any, out: Any, constants: Any) -> None:
    """Commands are accepted and take effect; nodes grant what they can."""
    rules, zones, hosts = constants.rules[0], state.zones[w], state.nodes[w]
    actuate(noise_key, zones, hosts, commands[w], out.outcome[w], constants)
    for n in range(len(hosts)):
        key = place_key(noise_key, streams.WORLD_PLACE + n)
        nodes.advance_steal(hosts[n], key, rules)
        nodes.advance_degradation(hosts[n], key, rules)
        if nodes.advance_loss(hosts[n], key, rules):
            for z in range(len(zones)):
                if constants.zones[z].node == n:
                    zones[z].down_s = max(zones[z].down_s, rules.restart_s[1])
    nodes.share_capacity(hosts, zones, out.outcome[w], constants)
    for z in range(len(zones)):
        grant(out.outcome[w, z], out.telemetry[w, z], hosts[constants.zones[z].node])
