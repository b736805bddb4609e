"""Who is where: arrivals, sessions, migration, events (world model, section 1).

Users are whole and conserved: those here and those on the way change only by arrivals, departures and drops.
"""

import math
from typing import Any

import numpy as np

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import streams
from metaverse_env.simulator.demand import autoregress
from metaverse_env.simulator.rng import bell, between, binomial, draw, poisson, uniform
from metaverse_env.units import HOURS_PER_WEEK, SECONDS_PER_DAY, SECONDS_PER_HOUR

NO_EVENT, ONSET, PEAK, DECAY = 0, 1, 2, 3
_LARGEST_CHURN_DOUBLINGS = 4.0
"""Users do not leave ever faster: the churn of latency stops growing at 16 times the objective [E]."""


@compiled
def weekly_log_rate(log_rate: Any, time_s: float) -> float:
    """Interpolate a zone's ``[169]`` hourly log arrival rates (1/s) at a time within the week."""
    hour = time_s / SECONDS_PER_HOUR
    whole = min(int(hour), HOURS_PER_WEEK - 1)
    return log_rate[whole] + (hour - whole) * (log_rate[whole + 1] - log_rate[whole])


@compiled
def begin_event(zone: Any, key: int, peak: Any, doubling_s: Any, rules: Any) -> None:
    """Start an event or flash crowd: exponential onset to a peak that is held and then decays."""
    zone.event_stage = ONSET
    zone.event_peak = math.log(between(draw(key, streams.EVENT_PEAK), peak[0], peak[1]))
    doubling = between(draw(key, streams.EVENT_ONSET), doubling_s[0], doubling_s[1])
    zone.event_growth = math.log(2.0) * rules.tick_s / doubling
    hold_s = between(draw(key, streams.EVENT_HOLD), rules.event_hold_s[0], rules.event_hold_s[1])
    zone.event_ticks = int(hold_s / rules.tick_s)
    decay_s = between(draw(key, streams.EVENT_DECAY), rules.event_decay_s[0], rules.event_decay_s[1])
    zone.event_decay = rules.tick_s / decay_s


@compiled
def advance_event(zone: Any, key: int, rules: Any) -> None:
    """Move a zone's event one tick on, or let one begin."""
    if zone.event_stage == NO_EVENT:
        days = rules.tick_s / SECONDS_PER_DAY
        if uniform(draw(key, streams.FLASH)) < rules.flash_crowd_per_day * days:
            begin_event(zone, key, rules.flash_crowd_peak, rules.flash_crowd_doubling_s, rules)
        elif uniform(draw(key, streams.EVENT)) < rules.event_per_day * days:
            begin_event(zone, key, rules.event_peak, rules.event_doubling_s, rules)
    elif zone.event_stage == ONSET:
        zone.event_level = min(zone.event_level + zone.event_growth, zone.event_peak)
        if zone.event_level >= zone.event_peak:
            zone.event_stage = PEAK
    elif zone.event_stage == PEAK:
        zone.event_ticks -= 1
        if zone.event_ticks <= 0:
            zone.event_stage = DECAY
    else:
        # The multiplier itself decays exponentially toward one, which is a level of zero.
        zone.event_level = math.log1p(math.expm1(zone.event_level) * math.exp(-zone.event_decay))
        if zone.event_level < 0.02:
            zone.event_stage, zone.event_level = NO_EVENT, 0.0


@stage
def arrival_rate(zone: Any, index: int, world: Any, constants: Any) -> float:
    """Return new sessions per second; the mean over the random factors is the scenario's rate."""
    rules = constants.rules[0]
    variance = rules.shared_ou_sigma**2 + rules.own_ou_sigma**2
    random = rules.shared_ou_sigma * world.ou_shared + rules.own_ou_sigma * zone.ou_own - 0.5 * variance
    log_rate = weekly_log_rate(constants.log_rate[index], world.time_s) + random + zone.event_level
    return math.exp(np.float32(log_rate)) * constants.activities[zone.activity].attraction


@compiled
def churn_factor(latency_ms: float, objective_ms: float, churn: float) -> float:
    """Return how much faster users leave: ``1 + churn`` per doubling of latency over the objective."""
    if latency_ms <= objective_ms:
        return 1.0
    return 1.0 + churn * min(math.log2(latency_ms / objective_ms), _LARGEST_CHURN_DOUBLINGS)


@compiled
def share_within(rate_per_s: float, tick_s: float) -> float:
    """Return the probability that something with a constant hazard happens within a tick."""
    x = rate_per_s * tick_s
    if x < 0.1:  # the series is exact to 1e-7 here, and cheaper
        return x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0))))
    return -math.expm1(-x)


@stage
def send_travellers(
    index: int, movers: int, phase: int, key: int, slot: int, zones: Any, travelling: Any, constants: Any
) -> int:
    """Send users to neighbours, drawn by edge weight and attraction; return how many found a way."""
    edges, activities = constants.edges, constants.activities
    total = 0.0
    for way in range(edges.shape[1]):
        if edges[index, way].zone >= 0:
            total += edges[index, way].weight * activities[zones[edges[index, way].zone].activity].attraction
    if total <= 0.0:
        return 0
    for mover in range(movers):
        left = uniform(draw(key, streams.WHERE + 1000 * (2 * mover + phase + 1))) * total
        goal = 0
        for way in range(edges.shape[1]):
            if edges[index, way].zone >= 0 and left > 0.0:
                goal = way
                left -= edges[index, way].weight * activities[zones[edges[index, way].zone].activity].attraction
        edge = edges[index, goal]
        due = slot + edge.travel_ticks  # a round buffer: no one travels longer than it is
        travelling[edge.zone, due - travelling.shape[1] * (due >= travelling.shape[1]), phase] += 1
    return movers


@stage
def leave(
    index: int, phase: int, key: int, slot: int, zones: Any, travelling: Any, outcome: Any, constants: Any
) -> None:
    """Let users of one phase end their session or move to a neighbour."""
    zone, rules = zones[index], constants.rules[0]
    churn = churn_factor(zone.felt_latency_ms, rules.latency_objective_ms, rules.qoe_churn)
    ending = constants.activities[zone.activity].leave_rate[phase] * churn
    moving = rules.migration_per_h / SECONDS_PER_HOUR
    leaving = binomial(
        draw(key, streams.LEAVE_SHORT + phase), zone.users[phase], share_within(ending + moving, rules.tick_s)
    )
    if leaving == 0:
        return
    movers = binomial(draw(key, streams.MOVE_SHORT + phase), leaving, moving / (ending + moving))
    if movers > 0:
        movers = send_travellers(index, movers, phase, key, slot, zones, travelling, constants)
    zone.users[phase] -= leaving
    outcome.departures += leaving - movers
    outcome.moved_out += movers


@stage
def arrive(
    index: int, key: int, slot: int, zones: Any, world: Any, travelling: Any, outcome: Any, constants: Any
) -> None:
    """Let new sessions in, and the travellers of this tick's ``slot``; a zone that is down admits no new session."""
    zone, rules = zones[index], constants.rules[0]
    for phase in range(2):
        outcome.moved_in += travelling[index, slot, phase]
        zone.users[phase] += travelling[index, slot, phase]
        travelling[index, slot, phase] = 0
    if zone.down_s > 0.0 or zone.outage_s > 0.0:
        return
    new = poisson(draw(key, streams.ARRIVALS), arrival_rate(zone, index, world, constants) * rules.tick_s)
    short = binomial(draw(key, streams.SHORT_SESSIONS), new, rules.short_share)
    zone.users[0] += short
    zone.users[1] += new - short
    outcome.arrivals = new


@compiled
def advance_own_rate(zone: Any, key: int, rules: Any) -> None:
    """Move the zone's own log-rate factor one tick on."""
    shock = bell(draw(key, streams.OWN_OU))
    zone.ou_own = autoregress(zone.ou_own, rules.ou_own_keep, rules.ou_own_gain, shock)
