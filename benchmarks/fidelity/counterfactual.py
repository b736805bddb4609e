"""What another allocation would have changed: the same state, the same users, the same noise, two allocations.

In both kinds of world a zone is given multiples of what it is about to want, so that its load is the same in both and
what differs is how latency answers to it.
"""

import copy
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY

Array = np.ndarray

MULTIPLES: Final = (3.0, 2.0, 1.4, 1.15, 0.9, 0.6)
"""Of what is wanted, that is given."""
_WARM_UP_TICKS: Final = 20
_ROUNDING: Final = 1e-4
_SPARE: Final = 2.0
"""Multiple that zones get meanwhile, and of memory always: a killed zone has no latency to speak of."""


class Effect(NamedTuple):
    """What less does to p95 latency, in doublings.

    Attributes:
        more: Multiple of demand that is given.
        less: The one that is given instead.
        physics: Mean effect over zones.
        learned: The same of the learned world.
        error: Mean absolute difference between the two over zones.
        wrong: Share of zones in which less gives less latency, in the learned world, of those that got less: where a
            node is overcommitted, asking for less can give more.
    """

    more: float
    less: float
    physics: float
    learned: float
    error: float
    wrong: float


class Answers(NamedTuple):
    """What came of every multiple."""

    latency_ms: Array  # [multiples, W, Z], p95; NaN where a zone is down
    given: Array  # [multiples, W, Z, 3], allocation after the limits of nodes


def effects(scenario: str | Scenario, dynamics: Any, seeds: Sequence[int]) -> list[Effect]:
    """Return the effect of each step down :data:`MULTIPLES`, in worlds of the physics and of the learned dynamics."""
    physics, learned = (_answers(scenario, each, seeds) for each in ("physics", dynamics))
    return [_effect(number, physics, learned) for number in range(len(MULTIPLES) - 1)]


def _effect(number: int, physics: Answers, learned: Answers) -> Effect:
    theirs, ours = (np.log2(each.latency_ms[number + 1] / each.latency_ms[number]) for each in (physics, learned))
    known = np.isfinite(ours) & np.isfinite(theirs)
    less = (learned.given[number + 1] <= learned.given[number]).all(axis=-1)
    error, wrong = np.abs(ours - theirs)[known].mean(), (ours[known & less] < -_ROUNDING).mean()
    figures = (round(float(figure), 4) for figure in (theirs[known].mean(), ours[known].mean(), error, wrong))
    return Effect(MULTIPLES[number], MULTIPLES[number + 1], *figures)


def _answers(scenario: str | Scenario, dynamics: Any, seeds: Sequence[int]) -> Answers:
    world = SimulatedWorld(scenario, len(seeds), dynamics, intents=True)
    wanted = np.array(world.reset(seeds=list(seeds)).usage)
    for _ in range(_WARM_UP_TICKS):
        wanted = _next(world, wanted, _SPARE)["demand"]
    wanted = _next(copy.deepcopy(world), wanted, _SPARE)["demand"].copy()
    outcomes = [_next(copy.deepcopy(world), wanted, multiple) for multiple in MULTIPLES]
    latency_ms = [np.where(outcome["down"] > 0.0, np.nan, outcome["latency_ms"]) for outcome in outcomes]
    return Answers(np.stack(latency_ms), np.stack([outcome["allocation"] for outcome in outcomes]))


def _next(world: SimulatedWorld, wanted: Array, multiple: float) -> Array:
    """Give all zones a multiple of what they want and return the outcome of the tick."""
    given = wanted * np.float32(multiple)
    given[..., MEMORY] = _SPARE * np.maximum(wanted[..., MEMORY], world.state.zones["memory_mb"])
    outcome: Array = world.step(Command.of(given)).outcome.zones
    return outcome
