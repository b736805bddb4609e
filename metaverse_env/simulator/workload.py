"""How many come: arrivals from popularity, the week, random factors, events and activities (world model, section 1).

Users are whole and conserved: those here and those on the way change only by arrivals, departures and drops.
"""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import rows, streams
from metaverse_env.simulator.arithmetic import exp
from metaverse_env.simulator.counts import FEW, few_poisson, poisson
from metaverse_env.simulator.demand import autoregress
from metaverse_env.simulator.leaving import BY_PHASE
from metaverse_env.simulator.rng import bell, draw
from metaverse_env.units import HOURS_PER_WEEK, SECONDS_PER_HOUR


@compiled
def read_clock(world: Any, rules: Any) -> None:
    """Note what the arrival rates of all zones share: the hour, how much of it is over, the common random factor."""
    hours = world.time_s / SECONDS_PER_HOUR
    world.hour = min(int(hours), HOURS_PER_WEEK - 1)
    world.hour_part = hours - world.hour
    variance = rules.shared_ou_sigma**2 + rules.own_ou_sigma**2
    world.log_rate = rules.shared_ou_sigma * world.ou_shared - 0.5 * variance


@compiled
def weekly_log_rate(log_rate: Any, index: int, hour: int, part: float) -> float:
    """Interpolate a zone's hourly log arrival rates (1/s), a column of ``[169, Z]``."""
    return log_rate[hour, index] + part * (log_rate[hour + 1, index] - log_rate[hour, index])


@compiled
def log_arrival_rate(zone: Any, index: int, world: Any, constants: Any) -> float:
    """Return the log of new sessions per second, by the clock read last, before what the activity attracts."""
    weekly = weekly_log_rate(constants.log_rate, index, world.hour, world.hour_part)
    log_rate: float = weekly + world.log_rate + constants.rules[0].own_ou_sigma * zone.ou_own + zone.event_level
    return log_rate


@compiled
def arrival_rate(zone: Any, index: int, world: Any, constants: Any) -> float:
    """Return new sessions per second; their mean over the random factors is the scenario's."""
    rate: float = exp(log_arrival_rate(zone, index, world, constants))
    return rate * zone.attraction


@stage
def arrive(slot: int, zones: Any, world: Any, travelling: Any, outcomes: Any, constants: Any) -> None:
    """Let new sessions into all zones, and the travellers of this tick's ``slot``.

    Short and long sessions are independent Poisson processes, as the parts of a Poisson process that is split are. A
    zone that is down admits no new session.
    """
    rules = constants.rules[0]
    key, count, log_rate, mean = rows.keys(), rows.counts(), rows.floats(), rows.floats()
    for first in range(0, len(zones), rows.ZONES):
        some = min(rows.ZONES, len(zones) - first)
        for n in range(some):
            zone = zones[first + n]
            admitted = int(max(zone.down_s, zone.outage_s) <= 0.0)
            sessions = admitted * zone.attraction * rules.tick_s
            log_rate[2 * n] = log_rate[2 * n + 1] = log_arrival_rate(zone, first + n, world, constants)
            mean[2 * n], mean[2 * n + 1] = sessions * rules.short_share, sessions * (1.0 - rules.short_share)
            key[2 * n] = key[2 * n + 1] = zone.user_key
        for n in range(2 * some):
            mean[n] *= exp(log_rate[n])
            count[n] = few_poisson(draw(key[n], streams.ARRIVE + (n & 1)), mean[n])
        for n in range(2 * some):
            if count[n] > FEW:
                count[n] = poisson(draw(key[n], streams.ARRIVE + (n & 1)), mean[n])
            index, phase = first + n // 2, n & 1
            came = travelling[slot, index, phase]
            travelling[slot, index, phase] = 0
            zones[index].users[phase] += came + count[n]
            outcomes[index].moved_in += came
            outcomes[index].arrivals += count[n]
    for column in range(BY_PHASE, travelling.shape[2]):
        for index in range(len(zones)):
            travelling[slot, index, column] = 0


@compiled
def advance_own_rate(zone: Any, key: int, rules: Any) -> None:
    """Move the zone's own log-rate factor one tick on."""
    shock = bell(draw(key, streams.OWN_OU))
    zone.ou_own = autoregress(zone.ou_own, rules.ou_own_keep, rules.ou_own_gain, shock)
