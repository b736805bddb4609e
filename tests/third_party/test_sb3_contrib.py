"""The learners of sb3-contrib, and what action masks hide from MaskablePPO."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from sb3_contrib import QRDQN, TQC, TRPO, MaskablePPO, RecurrentPPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.vec_env import make_vec_env

SINGLE, MULTI = "Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0"
SMALL: dict[str, Any] = {"policy": "MlpPolicy", "seed": 0, "device": "cpu"}
LEARNERS: dict[str, Callable[[Any], Any]] = {
    "QRDQN": lambda env: QRDQN(env=env, learning_starts=10, buffer_size=200, **SMALL),
    "TRPO": lambda env: TRPO(env=env, n_steps=20, batch_size=10, **SMALL),
    "RecurrentPPO": lambda env: RecurrentPPO(
        env=env, n_steps=20, batch_size=10, n_epochs=1, **{**SMALL, "policy": "MlpLstmPolicy"}
    ),
    "TQC": lambda env: TQC(env=env, learning_starts=10, buffer_size=200, **SMALL),
}


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("learner", LEARNERS)
def test_it_learns_in_episodes_and_acts_in_the_space(learner: str, batched: bool, plain: dict[str, Any]) -> None:
    arguments = {**plain, "action_type": "continuous" if learner == "TQC" else "discrete"}
    env: Any = make_vec_env(SINGLE, 2, **arguments) if batched else gym.make(SINGLE, **arguments)
    model = LEARNERS[learner](env).learn(60)
    assert {episode["l"] for episode in model.ep_info_buffer} == {5}
    actions, _ = model.predict(model.get_env().reset())
    assert all(map(model.action_space.contains, actions))


def test_qr_dqn_takes_a_truncation_for_no_end(plain: dict[str, Any]) -> None:
    buffer = LEARNERS["QRDQN"](make_vec_env(SINGLE, 2, **plain)).learn(40).replay_buffer
    over = np.tile(np.arange(1, 21)[:, None] % 5 == 0, 2)
    assert np.array_equal(buffer.dones[:20].astype(bool), over)
    assert (buffer._get_samples(np.arange(20), None).dones == 0.0).all()


def masked_ppo(env: Any) -> MaskablePPO:
    return MaskablePPO(env=env, n_steps=25, batch_size=25, n_epochs=1, **SMALL)


@pytest.mark.parametrize("env_id", [SINGLE, MULTI])
@pytest.mark.parametrize("scaling", ["vertical", "horizontal"])
def test_no_masked_action_is_taken(env_id: str, scaling: str, plain: dict[str, Any]) -> None:
    env = make_vec_env(env_id, 2, scaling=scaling, **plain)
    model = masked_ppo(env).learn(50)
    masks, actions = model.rollout_buffer.action_masks.astype(bool), model.rollout_buffer.actions.astype(int)
    masks, actions = masks.reshape(50, -1), actions.reshape(50, -1)
    sizes = np.atleast_1d(getattr(env.action_space, "nvec", getattr(env.action_space, "n", 0)))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    assert np.take_along_axis(masks, starts + actions, axis=1).all()
    if scaling == "horizontal":
        assert not masks.all()  # of few pods, 0.7 and 0.9 times are as many


def test_masks_of_the_batch_are_those_of_a_list_of_environments(plain: dict[str, Any]) -> None:
    arguments = {**plain, "scaling": "horizontal"}
    ours: Any = make_vec_env(SINGLE, 3, **arguments)
    theirs = DummyVecEnv([lambda: gym.make(SINGLE, **arguments)] * 3)
    assert is_masking_supported(ours)
    for env in (ours, theirs):
        env.seed(5)
        env.reset()
    for tick in range(12):
        assert np.array_equal(get_action_masks(ours), get_action_masks(theirs))
        assert np.array_equal(np.stack(ours.env_method("action_masks", indices=[1])), get_action_masks(ours)[1:2])
        for env in (ours, theirs):
            env.step(np.array([0, tick % 5, 4]))


def test_a_masked_policy_is_evaluated(plain: dict[str, Any]) -> None:
    env = make_vec_env(SINGLE, 2, scaling="horizontal", **plain)
    _, lengths = evaluate_policy(masked_ppo(env), env, n_eval_episodes=4, return_episode_rewards=True, warn=False)
    assert lengths == [5] * 4
