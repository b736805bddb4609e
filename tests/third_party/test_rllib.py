"""RLlib's own checks, and a step of its PPO, on a zone and on a team; collected only where ray is (conftest.py)."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import metaverse_env

os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # before ray is imported; it is alone on this machine

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv, PettingZooEnv
from ray.rllib.utils.pre_checks.env import check_multiagent_environments
from ray.tune.registry import register_env

# Ray and RLlib warn of their own parts.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def a_ray_of_one_core() -> Iterator[None]:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.parametrize("scenario", metaverse_env.SCENARIOS)
def test_its_checks_of_a_team_find_nothing(scenario: str, plain: dict[str, Any]) -> None:
    check_multiagent_environments(ParallelPettingZooEnv(metaverse_env.parallel_env(scenario, **plain)))
    check_multiagent_environments(PettingZooEnv(metaverse_env.env(scenario, **plain)))


def small(config: PPOConfig) -> PPOConfig:
    config = config.env_runners(num_env_runners=0, rollout_fragment_length=20).learners(num_learners=0)
    return config.training(train_batch_size_per_learner=40, minibatch_size=20, num_epochs=1)


def test_its_ppo_learns_on_one_zone(plain: dict[str, Any]) -> None:
    config = PPOConfig().environment("metaverse_env:Metaverse/SingleZone-v0", env_config=plain)
    assert of_one_iteration(small(config)) == (5.0, 40)


def test_its_ppo_learns_on_a_team_that_shares_a_policy(plain: dict[str, Any]) -> None:
    register_env("zones", lambda made: ParallelPettingZooEnv(metaverse_env.parallel_env(**made)))
    config = PPOConfig().environment("zones", env_config=plain)
    config = config.multi_agent(policies={"zone"}, policy_mapping_fn=lambda agent, episode, **more: "zone")
    assert of_one_iteration(small(config)) == (5.0, 40)


def of_one_iteration(config: PPOConfig) -> tuple[float, int]:
    """Train once; return the mean length of episodes and the steps."""
    algorithm = config.build_algo()
    sampled = algorithm.train()["env_runners"]
    algorithm.stop()
    assert np.isfinite(sampled["episode_return_mean"])
    return sampled["episode_len_mean"], sampled["num_env_steps_sampled"]
