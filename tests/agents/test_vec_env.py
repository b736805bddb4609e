"""The adapter to Stable-Baselines3 against Stable-Baselines3 itself, and against its own slow adapter."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.vec_env import BatchedVecEnv, make_vec_env
from metaverse_env.errors import ConfigurationError

PHYSICS = {"dynamics": "physics", "forecaster": "none"}


def test_equals_sb3s_own_adapter_over_two_episodes() -> None:
    batched = make_vec_env("Metaverse/SingleZone-v0", 3, max_episode_steps=5, **PHYSICS)
    listed = DummyVecEnv([lambda: gym.make("Metaverse/SingleZone-v0", max_episode_steps=5, **PHYSICS)] * 3)
    batched.seed(7)
    listed.seed(7)
    np.testing.assert_array_equal(batched.reset(), listed.reset())
    for step in range(11):
        actions = np.array([step, step + 1, 3])
        ours, theirs = batched.step(actions), listed.step(actions)
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
        np.testing.assert_array_equal(ours[2], theirs[2])
        assert ours[2].all() == (step % 5 == 4)
        for mine, other in zip(ours[3], theirs[3], strict=True):
            assert mine.get("TimeLimit.truncated", False) == other["TimeLimit.truncated"]
            if "terminal_observation" in mine:
                np.testing.assert_array_equal(mine["terminal_observation"], other["terminal_observation"])


def test_ppo_learns_from_it() -> None:
    env = make_vec_env("Metaverse/MultiZone-v0", 8, max_episode_steps=8, **PHYSICS)
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(256)
    assert model.num_timesteps == 256
    assert len(model.ep_info_buffer or ()) > 0


def test_refuses_another_autoreset_mode_and_partial_attributes() -> None:
    env = gym.make_vec("Metaverse/SingleZone-v0", 2, vectorization_mode="vector_entry_point", **PHYSICS)
    with pytest.raises(ConfigurationError, match="SameStep"):
        BatchedVecEnv(env.unwrapped)  # type: ignore[arg-type]
    batched = make_vec_env("Metaverse/SingleZone-v0", 2, **PHYSICS)
    with pytest.raises(ConfigurationError, match="for all"):
        batched.set_attr("num_envs", 3)
    assert batched.get_attr("num_envs", [0]) == [2]
    assert batched.env_is_wrapped(gym.Wrapper) == [False, False]
