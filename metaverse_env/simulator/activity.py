"""What users do, and what they let slip about what comes next (world model, section 2).

A hidden semi-Markov chain of activities per zone. When an activity starts, its length and its successor are drawn, so
that a growing share of the zone's signals can belong to the successor before it starts. Some announcements are false.
"""

import math
from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import between, draw, normal, uniform

_DURATION_SIGMA = 0.5
"""Sigma of the lognormal length of an activity [E]."""


@compiled
def pick(odds: Any, u: float) -> int:
    """Return the index that a uniform ``u`` falls into, given cumulative probabilities."""
    for index in range(len(odds) - 1):
        if u < odds[index]:
            return index
    return len(odds) - 1


@compiled
def _another(odds: Any, u: float, activity: int) -> int:
    """Return an activity that differs from the given one; the others keep their proportions."""
    before = odds[activity - 1] if activity > 0 else 0.0
    place = u * (1.0 - (odds[activity] - before))
    return pick(odds, place if place < before else odds[activity] + (place - before))


@compiled
def begin_in_the_middle(zone: Any, key: int, constants: Any) -> None:
    """Start a zone within an activity, each as likely as it is to be met, and its end as near."""
    u, activity = uniform(draw(key, streams.START_ACTIVITY)), 0
    while activity < len(constants.activities) - 1 and u >= constants.activities[activity].time_odds:
        activity += 1
    begin_activity(zone, key, activity, constants)
    # Long ones are met more often: a lognormal length that is met has its median raised by exp(sigma^2).
    met_ticks = zone.activity_ticks * math.exp(_DURATION_SIGMA**2)
    zone.activity_ticks = 1 + int(met_ticks * uniform(draw(key, streams.START_TIME)))


@compiled
def begin_activity(zone: Any, key: int, activity: int, constants: Any) -> None:
    """Start an activity: draw its length, what follows, and what will be announced."""
    rules, odds = constants.rules[0], constants.activity_odds
    length_s = constants.activities[activity].duration_s * math.exp(
        _DURATION_SIGMA * normal(draw(key, streams.ACTIVITY_TIME))
    )
    zone.activity, zone.attraction = activity, constants.activities[activity].attraction
    zone.activity_ticks = max(1, int(round(length_s / rules.tick_s)))
    zone.next_activity = _another(odds, uniform(draw(key, streams.NEXT_ACTIVITY)), activity)
    lead_s = between(draw(key, streams.LEAD), rules.lead_s[0], rules.lead_s[1])
    zone.lead_ticks = int(round(lead_s / rules.tick_s))
    zone.announced_activity = zone.next_activity
    if uniform(draw(key, streams.FALSE_NEWS)) < rules.false_rate:
        zone.announced_activity = _another(odds, uniform(draw(key, streams.FALSE_ACTIVITY)), zone.next_activity)


@stage
def advance_activity(zone: Any, key: int, constants: Any) -> None:
    """Move one tick on; demand per user follows the activity with a lag."""
    zone.activity_ticks -= 1
    if zone.activity_ticks <= 0:
        begin_activity(zone, key, zone.next_activity, constants)
    activity, gain = constants.activities[zone.activity], constants.rules[0].blend_gain
    zone.blend[0] += gain * (activity.cpu - zone.blend[0])
    zone.blend[1] += gain * (activity.memory - zone.blend[1])
    zone.blend[2] += gain * (activity.bandwidth - zone.blend[2])


@compiled
def announced_share(zone: Any, rules: Any) -> float:
    """Return the share of a zone's signals that are about its announced activity: grows linearly over the lead."""
    if zone.lead_ticks == 0 or zone.activity_ticks > zone.lead_ticks:
        return 0.0
    return rules.announced_share * (1.0 - (zone.activity_ticks - 1.0) / zone.lead_ticks)


@compiled
def signal_activity(zones: Any, index: int, u: float, constants: Any) -> int:
    """Return the activity that one signal is about: a neighbour's next one, the zone's own next one, or the present."""
    rules, edges = constants.rules[0], constants.edges
    for slot in range(edges.shape[1]):
        other = edges[index, slot].zone
        if other >= 0:
            neighbour = zones[other]
            share = rules.neighbour_share * edges[index, slot].weight * announced_share(neighbour, rules)
            if u < share:
                return int(neighbour.announced_activity)
            u -= share
    zone = zones[index]
    return int(zone.announced_activity if u < announced_share(zone, rules) else zone.activity)


@compiled
def gather_intent(zones: Any, index: int, key: int, count: int, intent: Any, constants: Any) -> None:
    """Write the mean embedding of a zone's signals into ``intent [E]``; zeros when there are none (mask them)."""
    bank = constants.bank
    for e in range(bank.shape[3]):
        intent[e] = 0.0
    for signal in range(count):
        purpose = streams.SIGNAL + 3 * signal
        activity = signal_activity(zones, index, uniform(draw(key, purpose)), constants)
        modality = min(int(uniform(draw(key, purpose + 1)) * bank.shape[0]), bank.shape[0] - 1)
        sample = min(int(uniform(draw(key, purpose + 2)) * bank.shape[2]), bank.shape[2] - 1)
        for e in range(bank.shape[3]):
            intent[e] += bank[modality, activity, sample, e] / count
