"""The native vector environment against Gymnasium's own vector of single environments, its oracle."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from metaverse_env.envs.single import MetaverseEnv
from metaverse_env.envs.vector import MetaverseVectorEnv
from metaverse_env.errors import ConfigurationError, LifecycleError, UnknownNameError

ARGUMENTS: dict[str, Any] = {"dynamics": "physics", "forecaster": "persistence", "episode_ticks": 5}
SEED, WORLDS = 11, 3


def native(mode: AutoresetMode, **arguments: Any) -> MetaverseVectorEnv:
    return MetaverseVectorEnv(WORLDS, "complex", autoreset_mode=mode, **ARGUMENTS, **arguments)


def oracle(mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: MetaverseEnv("complex", **ARGUMENTS)] * WORLDS, autoreset_mode=mode)


def assert_equal_infos(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for world in range(WORLDS):
        for key in ("telemetry", "outcome"):
            said = key in theirs and theirs[f"_{key}"][world]
            assert said == (key in ours and ours[f"_{key}"][world])
            if said:
                assert ours[key][world].tobytes() == theirs[key][world].array.tobytes()
        assert ours["time_s"][world] == theirs["time_s"][world]
        if "reward_terms" in theirs and theirs["_reward_terms"][world]:
            for name, values in ours["reward_terms"].items():
                assert values[world] == theirs["reward_terms"][name][world]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_three_episodes_with_autoreset(mode: AutoresetMode) -> None:
    ours, theirs = native(mode), oracle(mode)
    ours.action_space.seed(0)
    (observation, info), (expected, expected_info) = ours.reset(seed=SEED), theirs.reset(seed=SEED)
    assert np.array_equal(observation, expected)
    assert_equal_infos(info, expected_info)
    endings = 0
    for _ in range(17):
        actions = ours.action_space.sample()
        observation, reward, terminated, truncated, info = ours.step(actions)
        expected, expected_reward, _, expected_truncated, expected_info = theirs.step(actions)
        assert np.array_equal(observation, expected)
        assert np.array_equal(reward, expected_reward)
        assert reward.dtype == expected_reward.dtype
        assert np.array_equal(truncated, expected_truncated)
        assert not terminated.any()
        assert_equal_infos(info, expected_info)
        assert ("final_obs" in info) == ("final_obs" in expected_info)
        if "final_obs" in info:
            assert np.array_equal(info["_final_obs"], expected_info["_final_obs"])
            assert np.array_equal(info["final_obs"], np.stack(expected_info["final_obs"]))
            assert_equal_infos(info["final_info"], expected_info["final_info"])
        endings += truncated.sum()
    assert endings >= 2 * WORLDS


def test_without_autoreset_some_worlds_are_reset_by_mask() -> None:
    ours, theirs = native(AutoresetMode.DISABLED), oracle(AutoresetMode.DISABLED)
    ours.action_space.seed(1)
    ours.reset(seed=SEED)
    theirs.reset(seed=SEED)
    for reset in ([0, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]):
        for _ in range(2):
            actions = ours.action_space.sample()
            assert np.array_equal(ours.step(actions)[0], theirs.step(actions)[0])
        mask = np.array(reset, dtype=np.bool_)
        observation, info = ours.reset(options={"reset_mask": mask})
        expected, expected_info = theirs.reset(options={"reset_mask": mask.copy()})
        assert np.array_equal(observation, expected)
        for world in np.flatnonzero(mask):
            assert info["telemetry"][world].tobytes() == expected_info["telemetry"][world].array.tobytes()


def test_without_autoreset_a_step_after_the_end_is_refused() -> None:
    env = native(AutoresetMode.DISABLED, max_episode_steps=1)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    with pytest.raises(LifecycleError, match="reset"):
        env.step(env.action_space.sample())
    env.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(LifecycleError, match="reset"):
        env.step(env.action_space.sample())


def test_a_step_before_reset_is_refused() -> None:
    env = native(AutoresetMode.NEXT_STEP)
    with pytest.raises(LifecycleError, match="reset"):
        env.step(env.action_space.sample())


@pytest.mark.parametrize("worlds", [1, 2, 5])
def test_a_row_does_not_depend_on_how_many_there_are(worlds: int) -> None:
    env, single = gym.make_vec("Metaverse/MultiZone-v0", worlds, **ARGUMENTS), MetaverseEnv(**ARGUMENTS)
    single.action_space.seed(2)
    assert np.array_equal(env.reset(seed=7)[0][0], single.reset(seed=7)[0])
    for _ in range(5):
        action = single.action_space.sample()
        rows, rewards, *_ = env.step(np.stack([action] * worlds))
        row, reward, *_ = single.step(action)
        assert np.array_equal(rows[0], row)
        assert rewards[0] == reward


def test_masks_are_those_of_single_environments_and_follow_the_commands() -> None:
    pods: dict[str, Any] = {**ARGUMENTS, "scaling": "horizontal"}
    env, single = gym.make_vec("Metaverse/MultiZone-v0", 2, **pods).unwrapped, MetaverseEnv(**pods)
    env.reset(seed=7)
    single.reset(seed=8)
    before = env.action_masks()
    least = np.tile([0, 0], 30)
    for _ in range(4):  # from at most a dozen pods down to one in every zone
        env.step(np.tile(least, (2, 1)))
        single.step(least)
    masks = env.action_masks()
    assert np.array_equal(masks[1], single.action_masks())
    assert not np.array_equal(before, masks)
    assert masks.shape == (2, sum(env.single_action_space.nvec))


def test_masks_before_the_first_reset_are_refused() -> None:
    with pytest.raises(LifecycleError, match="reset"):
        native(AutoresetMode.NEXT_STEP).action_masks()


def test_large_batches_run_on_threads_with_the_same_result() -> None:
    large, small = (gym.make_vec("Metaverse/SingleZone-v0", n, **ARGUMENTS) for n in (300, 3))
    large.reset(seed=0)
    small.reset(seed=297)
    for _ in range(4):
        rows, rewards, *_ = large.step(np.full(300, 4))
        few_rows, few_rewards, *_ = small.step(np.full(3, 4))
        assert np.array_equal(rows[297:], few_rows)
        assert np.array_equal(rewards[297:], few_rewards)


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_gymnasiums_vectors_run_the_single_environment(kind: Any) -> None:
    env = kind([lambda: gym.make("Metaverse/MultiZone-v0", **ARGUMENTS)] * 2)
    env.action_space.seed(0)
    observation, _ = env.reset(seed=3)
    assert np.array_equal(observation[1], MetaverseEnv(**ARGUMENTS).reset(seed=4)[0])
    for _ in range(7):
        observation, reward, *_ = env.step(env.action_space.sample())
    assert observation.shape == env.observation_space.shape
    assert np.isfinite(reward).all()
    env.close()


def test_gymnasiums_vector_wrappers_take_it() -> None:
    env = DictInfoToList(RecordEpisodeStatistics(native(AutoresetMode.SAME_STEP)))
    env.reset(seed=0)
    for _ in range(5):
        *_, infos = env.step(env.action_space.sample())
    assert [info["episode"]["l"] for info in infos] == [5, 5, 5]


def test_the_default_mode_is_next_step_and_modes_go_by_name() -> None:
    assert gym.make_vec("Metaverse/SingleZone-v0", 1, **ARGUMENTS).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env = gym.make_vec("Metaverse/SingleZone-v0", 1, autoreset_mode="SameStep", **ARGUMENTS)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert MetaverseVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    with pytest.raises(UnknownNameError, match="Did you mean 'SameStep'"):
        gym.make_vec("Metaverse/SingleZone-v0", 1, autoreset_mode="SamStep", **ARGUMENTS)


def test_seeds_can_be_given_one_by_one() -> None:
    env = native(AutoresetMode.NEXT_STEP)
    together, _ = env.reset(seed=[5, 9, 5])
    assert np.array_equal(together[0], together[2])
    assert np.array_equal(together[1], native(AutoresetMode.NEXT_STEP).reset(seed=9)[0][0])


def test_noise_seeds_count_up_like_seeds() -> None:
    rows, _ = native(AutoresetMode.NEXT_STEP).reset(seed=5, options={"noise_seed": 70})
    for world in range(WORLDS):
        row, _ = MetaverseEnv("complex", **ARGUMENTS).reset(seed=5 + world, options={"noise_seed": 70 + world})
        assert np.array_equal(rows[world], row)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": [1, 2]}, "needs 3 seeds, one per world, got 2"),
        ({"seed": -1}, "seed = -1; must be a whole number from 0 to"),
        ({"seed": [1, 2.5, 3]}, "seed = 2.5"),
        ({"options": {"reset_mask": np.array([True])}}, r"needs bool \[3\], got bool \(1,\)"),
        ({"options": {"reset_mask": [1, 0, 1]}}, r"needs bool \[3\], got int64 \(3,\)"),
    ],
)
def test_wrong_resets_are_refused(arguments: dict[str, Any], words: str) -> None:
    env = native(AutoresetMode.DISABLED)
    env.reset(seed=0)
    with pytest.raises(ConfigurationError, match=words):
        env.reset(**arguments)


def test_the_first_reset_is_of_all_worlds() -> None:
    env = native(AutoresetMode.DISABLED)
    with pytest.raises(LifecycleError, match="first reset must be of all worlds"):
        env.reset(options={"reset_mask": np.array([True, False, True])})


def test_it_draws_nothing() -> None:
    with pytest.raises(ConfigurationError, match="single environment"):
        native(AutoresetMode.NEXT_STEP, render_mode="human")


@pytest.mark.parametrize("number", [0, -2])
def test_less_than_one_world_is_refused(number: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        gym.make_vec("Metaverse/SingleZone-v0", number, **ARGUMENTS)
