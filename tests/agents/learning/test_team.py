"""The batch of agents against the environments that users know."""

from typing import Any

import numpy as np
import pytest

import metaverse_env
from agents.learning.dead_band import DeadBand
from agents.learning.pay import Pay
from agents.learning.team import TeamVecEnv
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, LifecycleError

ALWAYS = DeadBand(0.0, 0.0)


def shell(scenario: str = "multi_zone", worlds: int = 2, **arguments: Any) -> Shell:
    return Shell(scenario, worlds, "physics", "none", action_type="continuous", **arguments)


def team(*shells: Shell, pay: Pay | None = None, **arguments: Any) -> TeamVecEnv:
    return TeamVecEnv(shells or [shell()], pay or Pay(), ALWAYS, seed=5, **arguments)


def actions(agents: int, choices: int = 4) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (agents, choices)).astype(np.float32)


@pytest.mark.parametrize("global_weight", [0.0, 0.5, 1.0])
def test_rewards_and_rows_are_those_of_the_parallel_environment(global_weight: float) -> None:
    ours = team(pay=Pay(global_weight))
    theirs = metaverse_env.parallel_env(
        "multi_zone", dynamics="physics", forecaster="none", action_type="continuous", global_weight=global_weight
    )
    ours.reset()
    theirs.reset(seed=6)  # the second of our worlds
    width = len(theirs.shell.observer.zone_features)
    for _ in range(5):
        chosen = actions(60)
        rows, rewards, dones, _ = ours.step(chosen)
        seen, paid, *_ = theirs.step(dict(zip(theirs.agents, chosen[30:], strict=True)))
        np.testing.assert_array_equal(rows[30:, :width], np.stack([row[:width] for row in seen.values()]))
        np.testing.assert_allclose(rewards[30:], list(paid.values()), rtol=2e-6)
        assert not dones.any()


def test_violations_cost_what_the_pay_says() -> None:
    free, dear = (team(pay=Pay(0.0, charge)) for charge in (0.0, 1.0))
    starve = np.full((60, 4), -1.0, dtype=np.float32)
    for worlds in (free, dear):
        worlds.reset()
        worlds.step(starve)
        worlds.step(starve)
    cheap, costly = free.step(starve)[1], dear.step(starve)[1]
    assert (costly <= cheap).all()
    assert costly.mean() < 2.0 * cheap.mean() < 0.0


def test_worlds_do_not_end_together_and_say_what_they_saw_last() -> None:
    worlds = team(shell(episode_ticks=6))
    first = worlds.reset()
    hold = np.tile(np.array([0.0, 0.0, 0.0, -1.0], dtype=np.float32), (60, 1))
    ends = []
    for _ in range(12):
        rows, _, dones, infos = worlds.step(hold)
        ends.append(dones.reshape(2, 30).all(axis=1))
        assert (dones.reshape(2, 30).any(axis=1) == ends[-1]).all()
        for agent in np.flatnonzero(dones):
            assert infos[agent]["TimeLimit.truncated"]
            assert not np.array_equal(infos[agent]["terminal_observation"], rows[agent])
        assert all(infos[agent] == {} for agent in np.flatnonzero(~dones))
    assert np.array(ends).sum(axis=0).tolist() == [2, 2]
    assert not (np.array(ends).sum(axis=1) > 1).any()
    assert first.shape == rows.shape


def test_a_number_chooses_a_combination_of_factors() -> None:
    single = Shell("single_zone", 3, "physics", "none", action_type="discrete")
    plain = Shell("single_zone", 3, "physics", "none", action_type="discrete")
    ours = TeamVecEnv([single], Pay(), ALWAYS, central=False, joint=True, seed=5)
    ours.reset()
    plain.reset([5, 6, 7])
    numbers = np.array([0, 62, 124])
    rows = ours.step(numbers)[0]
    seen = plain.step(numbers).observation
    np.testing.assert_array_equal(rows[:, : seen.shape[1]], seen)
    assert ours.action_space.n == 125  # type: ignore[attr-defined]  # five factors for three resources


def test_worlds_of_several_scenarios_share_a_batch() -> None:
    both = team(shell("multi_zone", 1), shell("complex", 2))
    assert both.reset().shape[0] == both.num_envs == 90
    rows, rewards, *_ = both.step(actions(90))
    assert np.isfinite(rows).all()
    assert np.isfinite(rewards).all()


def test_worlds_can_be_replaced_by_others_of_as_many_agents() -> None:
    worlds = team()
    worlds.reset()
    worlds.replace([shell("complex")])
    assert worlds.reset().shape[0] == 60
    with pytest.raises(ConfigurationError, match="30 agents cannot replace 60"):
        worlds.replace([shell(worlds=1)])


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ConfigurationError, match="choose from the same"):
        team(shell(), shell("single_zone"))
    with pytest.raises(LifecycleError, match="step_async"):
        team().step_wait()
    with pytest.raises(ConfigurationError, match="for some of a batch"):
        team().set_attr("pay", Pay())


def test_a_worst_reward_is_the_unit_of_all() -> None:
    plain, cut = (team(pay=Pay(0.0, 1.0, worst)) for worst in (None, -2.0))
    starve = np.full((60, 4), -1.0, dtype=np.float32)
    for worlds in (plain, cut):
        worlds.reset()
        for _ in range(3):
            rewards = worlds.step(starve)[1]
        worlds.last = rewards  # type: ignore[attr-defined]
    rewards, lost = plain.last, cut.last  # type: ignore[attr-defined]
    assert (rewards < -2.0).any()
    assert (rewards > -2.0).any()
    np.testing.assert_allclose(lost, np.maximum(rewards, -2.0) / 2.0, rtol=1e-6)
