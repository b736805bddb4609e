"""Events and flash crowds: what draws many more users to a zone for a while (world model, section 1)."""

import math
from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import between, draw, uniform
from metaverse_env.units import SECONDS_PER_DAY

NO_EVENT, ONSET, PEAK, DECAY = 0, 1, 2, 3
_OVER = 0.02
"""Log of the arrival multiplier below which an event is over [E]."""


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


@stage
def advance_event(zone: Any, key: int, rules: Any) -> None:
    """Move a zone's event one tick on, or let one begin."""
    if zone.event_stage == NO_EVENT:
        days = rules.tick_s * (1.0 / SECONDS_PER_DAY)
        flash, event = rules.flash_crowd_per_day * days, rules.event_per_day * days
        u = uniform(draw(key, streams.EVENT))
        if u < flash:
            begin_event(zone, key, rules.flash_crowd_peak, rules.flash_crowd_doubling_s, rules)
        elif u < flash + event * (1.0 - flash):  # an event where there is no flash crowd
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
        if zone.event_level < _OVER:
            zone.event_stage, zone.event_level = NO_EVENT, 0.0
