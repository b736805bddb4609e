"""The shield: the order of its rules.

1. ``held``: nothing where others decide, or it is not said what there is; 2. ``forecast``: not beyond what is foretold;
3. ``grow_only``: nothing away without metrics; 4. ``dead_band``; 5. ``stabilisation``; 6. ``rate``; 7. ``flapping``;
8. ``usage`` and 9. ``out_of_memory``: floors of memory, before which the rules above give way; 10. ``limits``;
11. ``dead_band`` again, for what is hardly left of a step; 12. ``budget``: which zones. The last two put in place of a
step what floors and limits ask for anyway, so that nothing leaves the limits.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bridges.shield import floors, rules
from bridges.shield.clamps import Clamp, clamps_of
from bridges.shield.facts import Facts
from bridges.shield.memory import Memory
from bridges.shield.rules import Ruled
from bridges.shield.settings import ShieldSettings

Array = np.ndarray


class Verdict(NamedTuple):
    """What is let through.

    Attributes:
        goals: ``[Z, 4]``, ``nan`` where nothing is asked for.
        clamps: Everything that was changed on the way, in order.
        flaps: Zones in which a change was held back because another wish had been heard shortly before.
        stopped: Zones whose memory is not raised any more: an alarm.
        memory: What to go on with; changes are not in it before they are written.
    """

    goals: Array
    clamps: tuple[Clamp, ...]
    flaps: tuple[str, ...]
    stopped: tuple[str, ...]
    memory: Memory


def judge(wish: Array, facts: Facts, memory: Memory, settings: ShieldSettings, now_s: float) -> Verdict:
    """Let a wish through the rules.

    Args:
        wish: ``[Z, 4]``, finite or ``nan``.
        facts: What is so.
        memory: What was so.
        settings: What is allowed.
        now_s: The time.
    """
    memory = memory.of_zones(facts.zones, facts.now, now_s)
    memory = memory.with_kills(floors.noticed(facts, memory, now_s), now_s, settings.cool_off_s)
    stopped = floors.hopeless(memory, settings, now_s)
    values, after = np.asarray(wish, dtype=np.float64), memory
    clamps: list[Clamp] = []
    for rule, ruled, later in _ruled(values, facts, memory, settings, now_s, stopped):
        clamps += clamps_of(rule, values, ruled.values, facts.zones, ruled.reasons)
        values, after = ruled.values, later
    held = ("stabilisation", "flapping")
    flaps = {clamp.zone for clamp in clamps if clamp.rule in held}
    return Verdict(values, tuple(clamps), tuple(sorted(flaps)), stopped, after)


def _ruled(
    wish: Array, facts: Facts, memory: Memory, settings: ShieldSettings, now_s: float, stopped: tuple[str, ...]
) -> Iterator[tuple[str, Ruled, Memory]]:
    """Yield each rule's name, what it leaves of what the one before left, and the memory after it."""
    paces = settings.paces
    ruled = rules.steered(wish, facts)
    yield "held", ruled, memory
    ruled = rules.within_forecast(ruled.values, facts)
    yield "forecast", ruled, memory
    ruled = rules.growing_only(ruled.values, facts)
    yield "grow_only", ruled, memory
    ruled = rules.outside_dead_band(ruled.values, facts, paces)
    yield "dead_band", ruled, memory
    ruled, after = rules.stable(ruled.values, facts, memory, paces, now_s)
    yield "stabilisation", ruled, after
    ruled = rules.at_rate(ruled.values, facts, memory, paces, now_s)
    yield "rate", ruled, after
    ruled = rules.not_flapping(ruled.values, facts, memory, settings.reversals_per_h, now_s)
    yield "flapping", ruled, after
    ruled = floors.above_usage(ruled.values, facts, settings.memory_margin)
    yield "usage", ruled, after
    ruled = floors.above_kills(ruled.values, facts, memory, stopped)
    yield "out_of_memory", ruled, after
    ruled = rules.within_limits(ruled.values, facts)
    yield "limits", ruled, after
    there = rules.steered(facts.now, facts).values
    base = rules.within_limits(floors.above_kills(there, facts, memory, stopped).values, facts).values
    ruled = rules.worth_a_write(ruled.values, facts, base, paces)
    yield "dead_band", ruled, after
    yield "budget", rules.within_budget(ruled.values, facts, base, memory, settings, now_s), after
