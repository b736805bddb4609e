"""The native vector environment as Stable-Baselines3 wants it.

Stable-Baselines3 has adapters for lists of Python environments only; this one hands it a whole batch at once, which is
worth an order of magnitude in training steps per second.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

import metaverse_env  # noqa: F401  registers the ids
from agents.batch import Batch
from metaverse_env.envs.vector import MetaverseVectorEnv
from metaverse_env.errors import ConfigurationError

Array = np.ndarray


class BatchedVecEnv(Batch):
    """A :class:`~metaverse_env.envs.vector.MetaverseVectorEnv` behind Stable-Baselines3's interface.

    Truncations are reported as ``TimeLimit.truncated`` with the ``terminal_observation``, so that values are
    bootstrapped.

    Args:
        env: Made with ``autoreset_mode="SameStep"``, which is what Stable-Baselines3 assumes.

    Raises:
        ConfigurationError: Another environment or autoreset mode.
    """

    def __init__(self, env: MetaverseVectorEnv) -> None:
        if not isinstance(env, MetaverseVectorEnv):
            raise ConfigurationError(f"needs the unwrapped native vector environment, got {type(env).__name__}")
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ConfigurationError(f"needs autoreset_mode='SameStep', got {env.autoreset_mode.value!r}")
        self.env = env  # before the base class, which asks it for its render mode
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    @property
    def shared(self) -> MetaverseVectorEnv:
        """The vector environment."""
        return self.env

    def reset(self) -> Array:
        """Start all worlds; those that :meth:`seed` named start from these seeds."""
        seeds = None if all(seed is None for seed in self._seeds) else list(self._seeds)
        observation, _ = self.env.reset(seed=seeds)
        self._reset_seeds()
        self._reset_options()
        return observation

    def step_wait(self) -> VecEnvStepReturn:
        """Return observations, rewards, dones and infos of the step.

        Raises:
            LifecycleError: Without actions before.
        """
        observation, rewards, _, truncated, batch = self.env.step(self.taken())
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(truncated):
            infos[index] = {"terminal_observation": batch["final_obs"][index], "TimeLimit.truncated": True}
        return observation, rewards.astype(np.float32), truncated, infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


def make_vec_env(env_id: str = "Metaverse/MultiZone-v0", num_envs: int = 64, **arguments: Any) -> VecMonitor:
    """Make a registered environment for Stable-Baselines3, with episode statistics.

    Args:
        env_id: One of the ids of :mod:`metaverse_env`.
        num_envs: How many worlds.
        **arguments: As for ``gym.make``.
    """
    env = gym.make_vec(
        env_id, num_envs=num_envs, vectorization_mode="vector_entry_point", autoreset_mode="SameStep", **arguments
    )
    return VecMonitor(BatchedVecEnv(env.unwrapped))
