"""Stable-Baselines3 on single environments and on the native batch, with its own list of environments as the oracle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from agents.vec_env import make_vec_env

SINGLE = "Metaverse/SingleZone-v0"
SMALL: dict[str, Any] = {"policy": "MlpPolicy", "seed": 0, "device": "cpu"}
LEARNERS: dict[str, Callable[[Any], Any]] = {
    "PPO": lambda env: PPO(env=env, n_steps=20, batch_size=10, n_epochs=1, **SMALL),
    "A2C": lambda env: A2C(env=env, n_steps=5, **SMALL),
    "DQN": lambda env: DQN(env=env, learning_starts=10, buffer_size=200, **SMALL),
    "SAC": lambda env: SAC(env=env, learning_starts=10, buffer_size=200, **SMALL),
}


def action_type(learner: str) -> str:
    return "continuous" if learner == "SAC" else "discrete"


@pytest.fixture(params=["gym.make", "batch"])
def env(request: pytest.FixtureRequest, plain: dict[str, Any], learner: str) -> Any:
    arguments = {**plain, "action_type": action_type(learner)}
    return gym.make(SINGLE, **arguments) if request.param == "gym.make" else make_vec_env(SINGLE, 4, **arguments)


@pytest.mark.parametrize("learner", LEARNERS)
def test_it_learns_in_episodes_and_acts_in_the_space(learner: str, env: Any, tmp_path: Path) -> None:
    model = LEARNERS[learner](env)
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.learn(80)
    assert not all(map(torch.equal, before, model.policy.parameters()))
    assert {episode["l"] for episode in model.ep_info_buffer} == {5}
    observation = model.get_env().reset()
    actions, _ = model.predict(observation, deterministic=True)
    assert all(model.action_space.contains(action) for action in actions)
    model.save(tmp_path / "model")
    again, _ = type(model).load(tmp_path / "model").predict(observation, deterministic=True)
    assert np.array_equal(actions, again)
    rewards, lengths = evaluate_policy(model, env, n_eval_episodes=4, return_episode_rewards=True, warn=False)
    assert set(lengths) == {5}
    assert np.isfinite(rewards).all()


@pytest.mark.parametrize("learner", ["PPO", "A2C", "DQN"])
def test_the_batch_gives_the_model_that_a_list_of_environments_gives(learner: str, plain: dict[str, Any]) -> None:
    listed = DummyVecEnv([lambda: gym.make(SINGLE, **plain)] * 3)
    ours, theirs = (LEARNERS[learner](env).learn(90).policy for env in (make_vec_env(SINGLE, 3, **plain), listed))
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


def test_dqn_takes_a_truncation_for_no_end(plain: dict[str, Any]) -> None:
    model = LEARNERS["DQN"](make_vec_env(SINGLE, 2, **plain)).learn(40)
    buffer = model.replay_buffer
    expected = np.tile(np.arange(1, 21)[:, None] % 5 == 0, 2)
    assert np.array_equal(buffer.timeouts[:20].astype(bool), expected)
    assert np.array_equal(buffer.dones[:20].astype(bool), expected)
    assert (buffer._get_samples(np.array([4, 9]), None).dones == 0.0).all()
    last, first = buffer.next_observations[4], buffer.observations[5]
    assert not np.array_equal(last, first)  # the end of an episode is not the start of the next


def test_the_wrapper_that_normalises_takes_the_batch(plain: dict[str, Any]) -> None:
    env = VecNormalize(make_vec_env(SINGLE, 4, **plain), norm_obs=False, gamma=0.95)
    LEARNERS["PPO"](env).learn(160)
    _, rewards, _, _ = env.step(np.full(4, 62))
    assert env.get_original_reward() == pytest.approx(rewards * np.sqrt(env.ret_rms.var + env.epsilon), rel=1e-4)


def test_many_zones_at_once(plain: dict[str, Any]) -> None:
    env = make_vec_env("Metaverse/MultiZone-v0", 4, **plain)
    model = PPO(env=env, n_steps=5, batch_size=20, n_epochs=1, **SMALL).learn(20)
    actions, _ = model.predict(env.reset())
    assert actions.shape == (4, 120)
    assert all(map(env.action_space.contains, actions))
