"""How fast an environment steps: calls per second, measured by turns with the reference it is compared to.

A machine that others use too is fast in one second and slow in the next. So contender and reference are measured one
after the other, several times, and what counts is the median of the ratios of neighbours.
"""

import time
from collections.abc import Callable
from itertools import cycle
from statistics import median
from typing import Any, Final, NamedTuple

import gymnasium as gym

from metaverse_env.envs.parallel import parallel_env

ROUNDS: Final = 5
WINDOW_S: Final = 0.4
"""Length of one measurement [choice]: thousands of steps, and short enough for neighbours to see the same machine."""
ACTIONS: Final = 64
"""Random actions that are drawn beforehand, so that drawing them is not measured."""

Stepper = Callable[[], object]


class Speed(NamedTuple):
    """Medians over the rounds."""

    per_s: float
    reference_per_s: float
    ratio: float


def compare_speed(stepper: Stepper, reference: Stepper, rounds: int = ROUNDS, window_s: float = WINDOW_S) -> Speed:
    """Measure both by turns.

    Args:
        stepper: Does one call.
        reference: Does one call of what it is compared to.
        rounds: How often.
        window_s: How long each time.
    """
    pairs = [(calls_per_s(stepper, window_s), calls_per_s(reference, window_s)) for _ in range(rounds)]
    own, other = zip(*pairs, strict=True)
    return Speed(median(own), median(other), median(one / two for one, two in pairs))


def calls_per_s(stepper: Stepper, window_s: float) -> float:
    """Call for a while, and return how often per second; the first call, which may compile, is not counted."""
    stepper()
    calls, start_s = 0, time.perf_counter()
    while (passed_s := time.perf_counter() - start_s) < window_s:
        stepper()
        calls += 1
    return calls / passed_s


def single(name: str, **arguments: Any) -> Stepper:
    """Return a function that steps a Gymnasium environment with random actions, and resets it when it must."""
    env = gym.make(name, **arguments)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = cycle([env.action_space.sample() for _ in range(ACTIONS)])

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(next(actions))
        if terminated or truncated:
            env.reset()

    return step


def vector(name: str, worlds: int, **arguments: Any) -> Stepper:
    """Return a function that steps an environment's own vector environment; it resets itself."""
    envs = gym.make_vec(name, num_envs=worlds, vectorization_mode="vector_entry_point", **arguments)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    actions = cycle([envs.action_space.sample() for _ in range(4)])
    return lambda: envs.step(next(actions))


def team(**arguments: Any) -> Stepper:
    """Return a function that steps the PettingZoo parallel environment."""
    env = parallel_env(**arguments)
    env.reset(seed=0)
    spaces = {agent: env.action_space(agent) for agent in env.possible_agents}
    for index, space in enumerate(spaces.values()):
        space.seed(index)
    actions = cycle([{agent: space.sample() for agent, space in spaces.items()} for _ in range(ACTIONS)])

    def step() -> None:
        env.step(next(actions))
        if not env.agents:
            env.reset()

    return step
