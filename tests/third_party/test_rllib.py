"""RLlib's own checks, and a step of its PPO, on a zone and on a team; collected only where ray is (conftest.py)."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

import metaverse_env
from metaverse_env.envs.vector import MetaverseVectorEnv

os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # before ray is imported; it is alone on this machine

import ray
from ray.rllib.algorithms.algorithm import Algorithm
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
    config = config.env_runners(num_env_runners=0).learners(num_learners=0)
    return config.training(train_batch_size_per_learner=40, minibatch_size=20, num_epochs=1)


@pytest.mark.parametrize(
    ("mode", "kind"), [("SYNC", SyncVectorEnv), ("VECTOR_ENTRY_POINT", MetaverseVectorEnv)], ids=["list", "batch"]
)
def test_its_ppo_learns_on_one_zone(mode: str, kind: type, plain: dict[str, Any]) -> None:
    config = small(PPOConfig().environment("metaverse_env:Metaverse/SingleZone-v0", env_config=plain))
    config.env_runners(num_envs_per_env_runner=2, gym_env_vectorize_mode=gym.VectorizeMode[mode])
    algorithm = config.build_algo()
    assert type(algorithm.env_runner.env.unwrapped) is kind
    assert of_one_iteration(algorithm) == (5.0, 40)


def test_its_ppo_learns_on_a_team_that_shares_a_policy(plain: dict[str, Any]) -> None:
    register_env("zones", lambda made: ParallelPettingZooEnv(metaverse_env.parallel_env(**made)))
    config = PPOConfig().environment("zones", env_config=plain)
    config = config.multi_agent(policies={"zone"}, policy_mapping_fn=lambda agent, episode, **more: "zone")
    assert of_one_iteration(small(config).build_algo()) == (5.0, 40)


def of_one_iteration(algorithm: Algorithm) -> tuple[float, int]:
    """Train once; return the mean length of episodes and the steps."""
    sampled = algorithm.train()["env_runners"]
    algorithm.stop()
    assert np.isfinite(sampled["episode_return_mean"])
    return sampled["episode_len_mean"], sampled["num_env_steps_sampled"]


def test_what_the_page_says_of_it_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    section = page.split("\n## RLlib\n")[1]
    names: dict[str, object] = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        few = block.replace("runner=16", "runner=1").replace("learner=4_000", "learner=256, num_epochs=1")
        exec(compile(few, "training.md", "exec"), names)
