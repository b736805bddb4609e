"""The rules of a registered environment, beyond those of Gymnasium's own checker."""

import warnings
from collections.abc import Callable
from typing import Any, Final

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from metaverse_env.testing.rules import check, require

Array = np.ndarray
TICKS: Final = 6
ROUNDING: Final = 1e-4
"""What a network may differ by, whose sums run in another order for another size of batch; formulas do not differ."""
Make = Callable[..., Any]


def check_env_id(env_id: str, **arguments: Any) -> None:
    """Hold a Gymnasium id against :data:`ENVIRONMENT_RULES`, with the arguments of ``gym.make``.

    Raises:
        ContractError: The first rule that it breaks.
    """

    def make(number: int = 0, **extra: Any) -> Any:
        if number == 0:
            return gym.make(env_id, **arguments, **extra)
        return gym.make_vec(env_id, number, "vector_entry_point", **arguments, **extra)

    check(env_id, ENVIRONMENT_RULES, make)


def satisfies_gymnasium(make: Make) -> None:
    """Gymnasium's own checker finds nothing, not even something to warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check_env(make().unwrapped, skip_render_check=True)
        except (AssertionError, UserWarning) as finding:
            require(False, f"it says: {finding}")


def stays_within_its_space(make: Make) -> None:
    """Every observation of an episode of random actions is in the observation space."""
    env = make()
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    for tick in range(env.get_wrapper_attr("episode_ticks")):
        require(env.observation_space.contains(observation), f"not after {tick} ticks: {observation}")
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        require(np.isfinite(reward), f"the reward of tick {tick} is {reward}")
        require(not terminated, f"it terminated at tick {tick}")
    require(truncated, f"it is not over after its {tick + 1} ticks")


def refuses_wrong_order(make: Make) -> None:
    """A step before the first reset, or after the end, is refused."""
    env = make(episode_ticks=1)
    action = env.action_space.sample()
    for what in ("before the first reset", "after the end"):
        try:
            env.step(action)
        except ResetNeeded:
            env.reset(seed=0)
            env.step(action)
            continue
        require(False, f"a step {what} was accepted")


def repeats_itself(make: Make) -> None:
    """The same seed gives the same bytes, rewards and infos; going on without a seed gives another episode."""
    env = make()
    first, second = _episode(env, 3), _episode(env, 3)
    require(first == second, "two episodes of one seed differ")
    require(_episode(env, None)[0] != first[0], "reset without a seed gave the same episode again")
    require(_episode(env, 4)[0] != first[0], "another seed gave the same episode")


def _episode(env: Any, seed: int | None) -> tuple[list[bytes], list[float], list[dict[str, Any]]]:
    env.action_space.seed(0)
    observation, info = env.reset(seed=seed)
    observations, rewards, infos = [observation.tobytes()], [], [info]
    for _ in range(TICKS):
        observation, reward, _, _, info = env.step(env.action_space.sample())
        observations.append(observation.tobytes())
        rewards.append(reward)
        infos.append(info)
    return observations, rewards, infos


def hands_out_new_arrays(make: Make) -> None:
    """An observation that was handed out is never written to again."""
    env = make()
    handed_out = [env.reset(seed=0)[0]]
    copies = [handed_out[0].copy()]
    for _ in range(TICKS):
        observation, *_ = env.step(env.action_space.sample())
        require(not np.shares_memory(observation, handed_out[-1]), "two observations share their memory")
        handed_out.append(observation)
        copies.append(observation.copy())
    require(np.array_equal(handed_out, copies), "an earlier observation has changed")


def agrees_with_its_vector(make: Make) -> None:
    """Row i of the vector environment seeded s is the environment seeded s + i, up to rounding."""
    vector = make(2, episode_ticks=TICKS)
    vector.action_space.seed(0)
    envs = [make(episode_ticks=TICKS) for _ in range(2)]
    batch, _ = vector.reset(seed=5)
    rows = [env.reset(seed=5 + i)[0] for i, env in enumerate(envs)]
    for tick in range(2 * TICKS + 1):
        error = float(np.abs(batch - np.stack(rows)).max())
        require(error < ROUNDING, f"they differ by {error:.2g} after {tick} ticks")
        actions = vector.action_space.sample()
        batch, *_ = vector.step(actions)
        over = tick % (TICKS + 1) == TICKS
        rows = [env.reset()[0] if over else env.step(action)[0] for env, action in zip(envs, actions, strict=True)]


ENVIRONMENT_RULES: Final = (
    satisfies_gymnasium,
    stays_within_its_space,
    refuses_wrong_order,
    repeats_itself,
    hands_out_new_arrays,
    agrees_with_its_vector,
)
