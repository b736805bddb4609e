"""A team of zones: the same world as the single environment's, seen and rewarded zone by zone."""

from typing import Any

import numpy as np
import pytest

import metaverse_env
from metaverse_env.envs.single import MetaverseEnv

PLAIN: dict[str, Any] = {"dynamics": "physics", "forecaster": "persistence"}


def actions_of(env: Any, seed: int) -> dict[str, np.ndarray]:
    """Return random actions that the seed decides."""
    random = np.random.default_rng(seed)
    return {agent: random.integers(env.action_space(agent).nvec) for agent in env.agents}


@pytest.mark.parametrize("scenario", ["single_zone", "complex"])
def test_it_is_the_single_environment_in_parts(scenario: str) -> None:
    team, single = metaverse_env.parallel_env(scenario, **PLAIN), MetaverseEnv(scenario, **PLAIN)
    observations, _ = team.reset(seed=4)
    whole, _ = single.reset(seed=4)
    for tick in range(20):
        rows = np.stack(list(observations.values()))
        width = rows.shape[1] - 5
        assert np.array_equal(team.state(), whole)
        assert np.array_equal(rows[:, :width].ravel(), whole[:-5])
        assert (rows[:, width:] == whole[-5:]).all()
        assert list(observations) == list(team.shell.world.zones.names)
        actions = actions_of(team, tick)
        joint = np.concatenate(list(actions.values()))
        observations, _, terminations, truncations, infos = team.step(actions)
        if single.shell.codec.single:
            joint = np.ravel_multi_index(tuple(joint), tuple(single.shell.codec.choices))
        whole, reward, *_, info = single.step(joint)
        assert not any(terminations.values())
        assert not any(truncations.values())
        for place, zone in enumerate(infos.values()):
            assert zone["global_reward"] == reward
            for record in ("telemetry", "outcome"):
                assert zone[record].array.tobytes() == info[record].array[place].tobytes()


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_rewards_mix_local_and_global(weight: float) -> None:
    env = metaverse_env.parallel_env("multi_zone", global_weight=weight, **PLAIN)
    env.reset(seed=0)
    _, rewards, _, _, infos = env.step(actions_of(env, 0))
    for agent, reward in rewards.items():
        expected = (1.0 - weight) * infos[agent]["local_reward"] + weight * infos[agent]["global_reward"]
        assert reward == pytest.approx(expected, rel=1e-6)
    assert len(set(rewards.values())) == (1 if weight == 1.0 else 30)


def test_half_of_the_reward_is_global_by_default() -> None:
    assert metaverse_env.parallel_env("multi_zone", **PLAIN).global_weight == 0.5


def test_infos_of_a_reset_are_empty_and_the_shell_shows_what_is_observed() -> None:
    env = metaverse_env.parallel_env("multi_zone", **PLAIN)
    _, infos = env.reset(seed=0)
    assert infos == {agent: {} for agent in env.possible_agents}
    assert (env.shell.telemetry.users > 0).any()


def test_spaces_are_the_same_objects_and_the_state_has_one() -> None:
    env = metaverse_env.parallel_env("multi_zone", **PLAIN)
    assert env.observation_space("zone-7") is env.observation_space("zone-7")
    assert env.action_space("zone-7") is env.action_space("zone-7")
    assert env.action_space("zone-7") is not env.action_space("zone-8")
    env.reset(seed=0)
    assert env.state_space.contains(env.state())


def test_a_state_that_was_handed_out_is_never_written_to() -> None:
    env = metaverse_env.parallel_env("multi_zone", **PLAIN)
    env.reset(seed=0)
    state = env.state()
    state[:] = 5.0
    assert np.abs(env.state()).max() <= 1.0


def test_agents_are_named_like_the_columns_of_a_trace(trace_files: dict[str, str]) -> None:
    env = metaverse_env.parallel_env("multi_zone", dynamics="trace", trace=trace_files["multi"], forecaster="none")
    assert env.possible_agents == ["plaza", "arena", "market"]


def test_the_turn_by_turn_environment_gives_what_the_parallel_one_gives() -> None:
    turns, team = metaverse_env.env("multi_zone", **PLAIN), metaverse_env.parallel_env("multi_zone", **PLAIN)
    turns.reset(seed=2)
    team.reset(seed=2)
    actions = actions_of(team, 0)
    observations, rewards, *_ = team.step(actions)
    for agent in team.agents:
        assert turns.agent_selection == agent
        turns.step(actions[agent])
    for agent in team.agents:
        assert np.array_equal(turns.observe(agent), observations[agent])
        assert turns.rewards[agent] == rewards[agent]
