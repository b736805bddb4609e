"""The fast level: one heuristic per zone that keeps the share of throttled periods at a target.

Too much throttling raises the limit at once, by as much as it exceeds three times the target. Otherwise the limit may
sink to the highest usage of a window and a margin, and a step down that turns out wrong is taken back twice over.
Source: Autothrottle's ``captain`` [V].
"""

from typing import NamedTuple

import numpy as np

from agents.baselines.chances import chance_above

Array = np.ndarray
TOO_MUCH = 3.0
"""Times the target [V]."""
WORTH_SHRINKING = 0.9
"""A lower limit is taken only at or below this share of the present one [V]."""
MOST_SHRINKING = 0.5
"""… and not below this share [V]."""


class Captains(NamedTuple):
    """The state of all captains, arrays ``[W, Z, R]``; ``usage`` is a window ``[N, W, Z, R]``, ``nan`` when unknown."""

    limit: Array
    before: Array
    margin: Array
    usage: Array


def started(limit: Array, window: int) -> Captains:
    """Return captains that start from limits and remember nothing of usage."""
    return Captains(limit, limit, np.zeros(limit.shape), np.full((window, *limit.shape), np.nan))


def throttled_share(utilisation: Array, usage_cv: float) -> Array:
    """Estimate which share of the quota's periods runs out of it.

    Usage is taken to be normal from period to period, with this coefficient of variation [E].

    >>> throttled_share(np.array([0.5, 1.0]), 0.3).round(3)
    array([0.003, 0.5  ])
    """
    score = (1.0 - utilisation) / (np.maximum(utilisation, 1e-3) * usage_cv)
    return chance_above(score)


def decided(state: Captains, usage: Array, throttled: Array, target: Array, known: Array) -> Captains:
    """Let every captain decide once.

    Args:
        state: What they remember.
        usage: Of each resource.
        throttled: Share of throttled periods.
        target: The tower's.
        known: Where there are metrics; elsewhere a captain stands still.
    """
    window = np.concatenate([state.usage[1:], np.where(known, usage, np.nan)[None]])
    excess = throttled - TOO_MUCH * target
    margin = np.maximum(0.0, state.margin + throttled - target)
    fell = state.limit < state.before
    raised = state.limit * (1.0 + np.maximum(excess, 0.0))
    undone = np.maximum(raised, 2.0 * state.before - state.limit)
    up = np.where(fell, undone, raised)
    limit = np.where(excess > 0.0, up, _shrunk(state.limit, window, margin, usage))
    return Captains(
        np.where(known, limit, state.limit),
        np.where(known, state.limit, state.before),
        np.where(known, margin, state.margin),
        window,
    )


def _shrunk(limit: Array, window: Array, margin: Array, latest: Array) -> Array:
    """Return the highest usage and its margin, if that is low enough to be worth it."""
    filled = np.where(np.isnan(window), latest, window)
    candidate = filled.max(axis=0) + filled.std(axis=0) * margin
    lowered = np.maximum(candidate, MOST_SHRINKING * limit)
    shrunk: Array = np.where(candidate <= WORTH_SHRINKING * limit, lowered, limit)
    return shrunk
