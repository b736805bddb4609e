"""Whether the better controller of one world is the better one of the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

import agents
from benchmarks.fidelity.rollouts import roll_out
from metaverse_env.contracts import Policy
from metaverse_env.scenario import Scenario

Array = np.ndarray


def _threshold(target: float) -> Callable[[], Policy]:
    return partial(agents.load, "threshold", cpu_target=target, bandwidth_target=target)


CONTROLLERS: Final[Mapping[str, Callable[[], Policy]]] = {
    "hold": partial(agents.load, "hold"),
    "random": partial(agents.load, "random"),
    "static, 1 x first usage": partial(agents.load, "static", peak_factor=1.0),
    "static, 2 x": partial(agents.load, "static", peak_factor=2.0),
    "static, 4 x": partial(agents.load, "static", peak_factor=4.0),
    "threshold 0.35": _threshold(0.35),
    "threshold 0.5": _threshold(0.5),
    "threshold 0.7": _threshold(0.7),
    "threshold 0.9": _threshold(0.9),
}
"""From stingy to lavish, from blind to attentive."""


class Ranking(NamedTuple):
    """Mean reward of every controller in both worlds, and Kendall's tau of the two orders."""

    physics: dict[str, float]
    learned: dict[str, float]
    tau: float


def rank(scenario: str | Scenario, dynamics: Any, seeds: Sequence[int], ticks: int) -> Ranking:
    """Let every controller of :data:`CONTROLLERS` meet the same users in both worlds."""
    physics, learned = (
        {name: _reward(scenario, each, make(), seeds, ticks) for name, make in CONTROLLERS.items()}
        for each in ("physics", dynamics)
    )
    return Ranking(physics, learned, kendall_tau(list(physics.values()), list(learned.values())))


def _reward(scenario: str | Scenario, dynamics: Any, policy: Policy, seeds: Sequence[int], ticks: int) -> float:
    return round(float(roll_out(scenario, dynamics, policy, seeds, ticks).scores["reward"].mean()), 4)


def kendall_tau(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the share of pairs in the same order less that in the opposite one (tau-a; a tie counts for neither).

    >>> kendall_tau([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    0.333
    """
    orders = [np.sign(np.subtract.outer(values, values))[np.triu_indices(len(values), 1)] for values in (one, other)]
    return round(float((orders[0] * orders[1]).mean()), 3)
