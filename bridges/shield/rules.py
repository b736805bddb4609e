"""The rules that hold a wish back, each a pure function of arrays ``[Z, 4]``: values in, values and reasons out.

``nan`` is nothing asked for, and stays so. No rule turns a wish round: what leaves it lies between the wish and what
there is now.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bridges.shield.clamps import GRAINS, QUANTITIES, REPLICAS
from bridges.shield.facts import Facts
from bridges.shield.memory import KEPT_S, Memory
from bridges.shield.settings import ShieldSettings
from metaverse_env.autoscaling.behaviour import limited_by_rates
from metaverse_env.autoscaling.shape import Pace
from metaverse_env.autoscaling.stabilising import Change, stabilised

Array = np.ndarray


class Ruled(NamedTuple):
    """What a rule leaves, ``[Z, 4]``, and why: one text, or an array of them that broadcasts."""

    values: Array
    reasons: Any


def steered(wish: Array, facts: Facts) -> Ruled:
    """Ask for nothing where it is not said what there is now (T14, T65), or where it is held."""
    held = facts.mask() if facts.held else np.zeros(wish.shape, dtype=np.bool_)
    unknown = np.isnan(facts.now) | np.isnan(facts.now[:, REPLICAS:])
    reasons = np.full(wish.shape, "it is not said what there is now", dtype=object)
    for (zone, name), why in facts.held.items():
        if zone in facts.zones:
            reasons[facts.zones.index(zone), QUANTITIES.index(name)] = why
    return Ruled(np.where(held | unknown, np.nan, wish), reasons)


def within_forecast(wish: Array, facts: Facts) -> Ruled:
    """Let nothing grow beyond what the highest quantile needs, nor shrink below what the median does."""
    highest, lowest = np.fmax(facts.upper, facts.now), np.fmin(facts.lower, facts.now)
    above = ~np.isnan(facts.upper) & (wish > highest)
    below = ~np.isnan(facts.lower) & (wish < lowest)
    values = np.where(above, highest, np.where(below, lowest, wish))
    return Ruled(values, np.where(above, "more than the .99 quantile needs", "less than the median needs"))


def growing_only(wish: Array, facts: Facts) -> Ruled:
    """Take nothing away where too little is known (T4)."""
    values = np.where(facts.grow_only[:, None] & (wish < facts.now), facts.now, wish)
    return Ruled(values, "metrics are missing or old: nothing is taken away")


def outside_dead_band(wish: Array, facts: Facts, paces: Sequence[Pace], instead: Any = None) -> Ruled:
    """Ask for what there is, or for something else ``instead``, where a wish is hardly a change (T2).

    The tolerance of an autoscaler, of the ratio of what is wished for to what there is.
    """
    ratio = wish / facts.now
    held = np.column_stack([pace.tolerance.holds(ratio[:, n]) for n, pace in enumerate(paces)])
    return Ruled(np.where(held, facts.now if instead is None else instead, wish), "within the dead band")


def stable(wish: Array, facts: Facts, memory: Memory, paces: Sequence[Pace], now_s: float) -> tuple[Ruled, Memory]:
    """Move only as far as all wishes of the stabilisation windows agree (T1); the new memory has this wish too."""
    columns, logs = [], []
    for quantity, pace in enumerate(paces):
        windows = pace.behaviour.up.window_s, pace.behaviour.down.window_s
        current, desired = facts.now[:, quantity], wish[:, quantity]
        steady, log = stabilised(memory.logs[quantity], current, desired, now_s, *windows)
        columns.append(np.where(np.isnan(desired), np.nan, steady))
        logs.append(log)
    kept = Memory(memory.zones, tuple(logs), memory.ups, memory.downs, memory.kills)
    return Ruled(np.column_stack(columns), "another wish within the stabilisation window"), kept


def at_rate(wish: Array, facts: Facts, memory: Memory, paces: Sequence[Pace], now_s: float) -> Ruled:
    """Move as fast as the rate policies allow (T71); per cent are rounded to whole pods, millicores, kB and kbps."""
    columns, reasons = [], []
    for n, pace in enumerate(paces):
        ups, downs = (
            [Change(_grains(one.replicas[:, n], n), one.time_s) for one in changes]
            for changes in (memory.ups, memory.downs)
        )
        current, desired = _grains(facts.now[:, n], n), wish[:, n] / GRAINS[n]
        limited = limited_by_rates(current, desired, -np.inf, np.inf, pace.behaviour, ups, downs, now_s)
        untouched = limited.replicas == desired
        columns.append(
            np.where(untouched, wish[:, n], _between(limited.replicas * GRAINS[n], wish[:, n], facts.now[:, n]))
        )
        reasons.append(limited.reason)
    return Ruled(np.column_stack(columns), np.column_stack(reasons))


def _grains(values: Array, quantity: int) -> Array:
    grains: Array = np.round(values / GRAINS[quantity], 6)
    return grains


def _between(values: Array, wish: Array, now: Array) -> Array:
    """Return values within the range of wish and now, which rounding may leave by a grain."""
    between: Array = np.clip(values, np.fmin(wish, now), np.fmax(wish, now))
    return between


def _signs(memory: Memory) -> list[tuple[float, Array]]:
    """Return the moments of changes and their directions, oldest first."""
    return [
        (up.time_s, np.sign(up.replicas) - np.sign(down.replicas))
        for up, down in zip(memory.ups, memory.downs, strict=True)
    ]


def reversals(memory: Memory, now_s: float) -> Array:
    """Return ``[Z, 4]``, how often each quantity turned round within an hour."""
    shape = (len(memory.zones), len(QUANTITIES))
    last, count = np.zeros(shape), np.zeros(shape)
    for time_s, sign in _signs(memory):
        if time_s > now_s - KEPT_S:
            count += (sign * last) < 0
            last = np.where(sign != 0, sign, last)
    return count


def not_flapping(wish: Array, facts: Facts, memory: Memory, most: int, now_s: float) -> Ruled:
    """Take nothing more away from what turned round too often within the hour; it may still grow (T1)."""
    tired = reversals(memory, now_s) >= most if memory.ups else np.zeros(wish.shape, dtype=np.bool_)
    values = np.where(tired & (wish < facts.now), facts.now, wish)
    return Ruled(values, f"turned round {most} times within an hour")


def worth_a_write(wish: Array, facts: Facts, base: Array, paces: Sequence[Pace]) -> Ruled:
    """Ask for nothing that other rules left hardly a change of; ``base`` is what has to be whatever is wished."""
    held = ~np.isnan(wish) & np.isnan(outside_dead_band(wish, facts, paces, np.nan).values)
    return Ruled(np.where(held, base, wish), "what is left is within the dead band")


def within_budget(
    wish: Array, facts: Facts, base: Array, memory: Memory, settings: ShieldSettings, now_s: float
) -> Ruled:
    """Write to so many zones only; those that grow most come first. The others get what has to be, ``base``."""
    moves = ~np.isnan(wish) & (wish != base)
    past = [(sign != 0).any(axis=1) for time_s, sign in _signs(memory) if time_s > now_s - KEPT_S]
    by_zone = np.sum(past, axis=0) if past else np.zeros(len(wish))
    tired = by_zone >= settings.zone_changes_per_h
    ratio = np.where(moves, wish / facts.now, 1.0)
    order = np.lexsort((ratio.min(axis=1), -ratio.max(axis=1)))  # what shrinks follows, the largest step first
    eager = [z for z in order if moves[z].any() and not tired[z]]
    per_cycle = max(1, int(settings.cycle_share * len(wish)))
    left = max(0, min(per_cycle, settings.cluster_changes_per_h - int(by_zone.sum())))
    held = np.ones(len(wish), dtype=np.bool_)
    held[eager[:left]] = False
    values = np.where(held[:, None] & moves, base, wish)
    limit = f"{settings.zone_changes_per_h} changes of this zone within an hour"
    cluster = f"{left} zones can be written to now; others need it more"
    return Ruled(values, np.where(tired[:, None], limit, cluster))


def within_limits(wish: Array, facts: Facts) -> Ruled:
    """Keep to what a zone may have at least and at most."""
    values = np.clip(wish, facts.least, facts.most)
    return Ruled(values, np.where(wish > facts.most, "TooMuch: the most a zone may have", "TooLittle: the least"))
