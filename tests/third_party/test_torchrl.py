"""TorchRL's wrappers of single, batched and team environments: their specs hold, and rollouts equal plain episodes."""

import multiprocessing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from torchrl.envs import GymEnv, GymWrapper, MarlGroupMapType, PettingZooWrapper
from torchrl.envs.utils import check_env_specs

import metaverse_env

IDS = ("Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0")
# It says so at every start; 1.27.0 is what these tests run with.
pytestmark = pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version")


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "arguments", [{}, {"scaling": "horizontal"}, {"action_type": "continuous"}, {"categorical_action_encoding": True}]
)
def test_specs_of_a_single_environment_hold(env_id: str, arguments: dict[str, Any], plain: dict[str, Any]) -> None:
    check_env_specs(GymEnv(env_id, **plain, **arguments), seed=0)


def test_by_default_the_networks_run_too() -> None:
    check_env_specs(GymEnv("metaverse_env:Metaverse/MultiZone-v0"), seed=0)


def test_an_argument_that_there_is_not_is_still_refused() -> None:
    with pytest.raises(TypeError, match=r"'dynamic'\. Did you mean 'dynamics'"):
        GymEnv(IDS[0], dynamic="physics")


@pytest.mark.parametrize("env_id", IDS)
def test_a_rollout_is_an_episode(env_id: str, plain: dict[str, Any]) -> None:
    env, oracle = GymEnv(env_id, categorical_action_encoding=True, **plain), gym.make(env_id, **plain)
    env.set_seed(3)
    rollout = env.rollout(9)
    assert rollout.batch_size == (5,)
    oracle.reset(seed=3)  # setting the seed resets, and the rollout does once more
    first, _ = oracle.reset()
    assert np.array_equal(rollout["observation"][0], first)
    for tick in range(5):
        observation, reward, terminated, truncated, _ = oracle.step(rollout["action"][tick].numpy())
        after = rollout["next"][tick]
        assert np.array_equal(after["observation"], observation)
        assert after["reward"].item() == pytest.approx(reward, rel=1e-6)
        assert (after["terminated"].item(), after["truncated"].item()) == (terminated, truncated)
    assert rollout["next", "truncated"].squeeze().tolist() == [False] * 4 + [True]


def test_one_that_discerns_actions_by_one_hot_decodes_the_same(plain: dict[str, Any]) -> None:
    env = GymEnv(IDS[1], **plain)
    rollout = env.rollout(5)
    assert rollout["action"].shape == (5, 30 * (5 + 5 + 5 + 4))
    assert (rollout["action"].sum(-1) == 120).all()


@pytest.mark.parametrize("env_id", IDS)
def test_a_batch_is_reset_where_it_is_over(env_id: str, plain: dict[str, Any]) -> None:
    made = [gym.make_vec(env_id, 3, "vector_entry_point", autoreset_mode="Disabled", **plain) for _ in range(2)]
    env, oracle = GymWrapper(made[0], categorical_action_encoding=True), made[1]
    check_env_specs(env)
    env.set_seed(3)
    rollout = env.rollout(12, break_when_any_done=False)
    assert rollout.batch_size == (3, 12)
    ends = np.arange(1, 13) % 5 == 0
    assert np.array_equal(rollout["next", "truncated"].squeeze(-1), np.tile(ends, (3, 1)))
    assert not rollout["next", "terminated"].any()
    oracle.reset(seed=3)
    observation, _ = oracle.reset()
    for tick in range(12):
        assert np.array_equal(rollout["observation"][:, tick], observation)
        observation, rewards, *_ = oracle.step(rollout["action"][:, tick].numpy())
        assert np.array_equal(rollout["next", "observation"][:, tick], observation)
        assert rollout["next", "reward"][:, tick, 0].numpy() == pytest.approx(rewards, rel=1e-6)
        if ends[tick]:
            observation, _ = oracle.reset(options={"reset_mask": np.ones(3, dtype=np.bool_)})


def team(plain: dict[str, Any], **arguments: Any) -> Any:
    return metaverse_env.parallel_env("multi_zone", **plain, **arguments)


@pytest.mark.parametrize("action_type", ["discrete", "continuous"])
@pytest.mark.parametrize("groups", [None, MarlGroupMapType.ALL_IN_ONE_GROUP, MarlGroupMapType.ONE_GROUP_PER_AGENT])
def test_specs_of_a_team_hold(action_type: str, groups: Any, plain: dict[str, Any]) -> None:
    check_env_specs(PettingZooWrapper(team(plain, action_type=action_type), group_map=groups, return_state=True))


def test_specs_of_a_team_that_takes_turns_hold(plain: dict[str, Any]) -> None:
    check_env_specs(PettingZooWrapper(metaverse_env.env("multi_zone", **plain), use_mask=True))


def test_a_rollout_of_a_team_is_an_episode(plain: dict[str, Any]) -> None:
    oracle = team(plain)
    names = oracle.possible_agents
    env = PettingZooWrapper(
        team(plain), group_map={"zones": names}, return_state=True, categorical_actions=True, seed=3
    )
    rollout = env.rollout(9)
    assert rollout["zones", "action"].shape == (5, 30, 4)
    oracle.reset(seed=3)  # as the wrapper does when it is made
    oracle.reset()
    for tick in range(5):
        actions = dict(zip(names, rollout["zones", "action"][tick].numpy(), strict=True))
        observations, rewards, _, truncations, _ = oracle.step(actions)
        after = rollout["next"][tick]
        assert np.array_equal(after["zones", "observation"], np.stack(list(observations.values())))
        assert np.array_equal(after["state"], oracle.state())
        assert after["zones", "reward"][:, 0].numpy() == pytest.approx(list(rewards.values()), rel=1e-6)
        assert after["zones", "truncated"][:, 0].tolist() == list(truncations.values())
    assert after["truncated"].item()
    assert not rollout["next", "zones", "terminated"].any()
    assert torch.isfinite(rollout["state"]).all()


def test_processes_that_start_afresh_import_the_package_that_the_id_names() -> None:
    arguments = {"dynamics": "physics", "forecaster": "none"}
    make = [lambda: gym.make("metaverse_env:Metaverse/SingleZone-v0", **arguments)]
    env = gym.vector.AsyncVectorEnv(make, context="spawn")  # TorchRL makes it the default
    assert np.array_equal(env.reset(seed=3)[0][0], make[0]().reset(seed=3)[0])
    env.close()


def test_other_tests_start_processes_as_ever() -> None:
    assert multiprocessing.get_start_method() == multiprocessing.get_all_start_methods()[0]  # the default comes first
