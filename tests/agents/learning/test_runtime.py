"""Learned policies at work: NumPy decides as torch does, in any world, as every controller must."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import DQN

import agents
from agents.learning.card import Card, zone_features
from agents.learning.learners import blank_card, make_learner, make_team, weights_of
from agents.learning.network import LEAD_TICKS, TARGETS
from agents.learning.rows import ZoneRows
from agents.learning.runtime import LearnedPolicy, Network
from agents.learning.settings import DEFAULTS, Algorithm, Settings
from agents.through_codec import Encoder
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import CheckpointError, ConfigurationError, LifecycleError, UnknownNameError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.telemetry import Command
from metaverse_env.testing import check_policy

SMALL: dict[str, Any] = {"worlds": 2, "randomised": 1, "forecaster": "persistence"}


def settings(algorithm: Algorithm = "mappo", **changes: Any) -> Settings:
    return replace(DEFAULTS[algorithm], **{**SMALL, **changes})


def untrained(algorithm: Algorithm = "mappo", shaken: float = 0.0, **changes: Any) -> tuple[Any, LearnedPolicy]:
    """Return a learner and the policy of its weights, which may be shaken so that they are no rule any more."""
    chosen = settings(algorithm, **changes)
    team = make_team(chosen)
    learner = make_learner(chosen, team)
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in learner.policy.parameters():
            weights.add_(shaken * torch.randn_like(weights))
    return learner, LearnedPolicy(blank_card(chosen, team, ""), weights_of(learner))


def zones(count: int) -> Scenario:
    scenario = load_scenario("multi_zone")
    return scenario.with_changes(layout=scenario.layout.model_copy(update={"zones": count}))


def decide(policy: LearnedPolicy, shell: Shell) -> Command:
    shell.reset(range(shell.world.worlds))
    policy.reset(shell.world.zones, shell.world.worlds)
    return policy.act(shell.view)


def test_numpy_decides_as_torch_does() -> None:
    learner, policy = untrained(shaken=0.05)
    shell = Shell("multi_zone", 2, "physics", "persistence", action_type="continuous")
    shell.reset([1, 2])
    rows = ZoneRows(shell.world.zones, len(shell.observer.zone_features)).critic(shell.view.observation)
    chosen, _ = learner.predict(rows, deterministic=True)
    steady = policy.card.dead_band.apply(chosen, shell.view.pending.allocation.reshape(60, 3))
    wanted = shell.codec.decode(steady.reshape(2, 30, 4), shell.view.pending)
    policy.reset(shell.world.zones, 2)
    np.testing.assert_allclose(policy.act(shell.view).allocation, wanted.allocation, rtol=1e-5)
    np.testing.assert_allclose(policy.act(shell.view).handover, wanted.handover, atol=1e-5)


def test_numpy_chooses_the_factors_that_dqn_chooses() -> None:
    learner, policy = untrained("dqn", shaken=0.1)
    assert isinstance(learner, DQN)
    shell = Shell("single_zone", 8, "physics", "persistence")
    shell.reset(range(8))
    rows = ZoneRows(shell.world.zones, len(shell.observer.zone_features)).actor(shell.view.observation)
    chosen, _ = learner.predict(rows, deterministic=True)
    policy.reset(shell.world.zones, 8)
    wanted = shell.codec.decode(chosen, shell.view.pending)
    np.testing.assert_array_equal(policy.act(shell.view).allocation, wanted.allocation)


def test_untrained_it_provides_for_the_forecast() -> None:
    _, policy = untrained()
    shell = Shell("multi_zone", 2, "physics", "persistence")
    command = decide(policy, shell)
    view = shell.view
    assert view.forecast is not None
    wish = view.forecast.at(LEAD_TICKS)[:, :, :3, 1] / np.array(TARGETS)
    change = np.log2(wish / view.pending.allocation)
    saves_eur_per_h = (view.pending.allocation - wish) @ np.array([0.04, 5e-6, 4e-4])
    moving = (change > 0.08).any(axis=2) | ((change < -0.25).any(axis=2) & (saves_eur_per_h > 0.01))
    within = (np.abs(change) < 0.99).all(axis=2) & (command.allocation < view.limits[1]).all(axis=2)
    least = np.maximum(wish, view.limits[0])
    assert (moving & within).sum() > 10
    np.testing.assert_allclose(command.allocation[moving & within], least[moving & within], rtol=1e-4)
    np.testing.assert_array_equal(command.allocation[~moving], view.pending.allocation[~moving])
    np.testing.assert_array_equal(command.handover, 0.0)


def test_untrained_dqn_chooses_the_combination_nearest_to_that() -> None:
    _, policy = untrained("dqn")
    shell = Shell("single_zone", 200, "physics", "persistence")
    command = decide(policy, shell)
    view = shell.view
    assert view.forecast is not None
    wish = Command.of(np.clip(view.forecast.at(LEAD_TICKS)[:, :, :3, 1] / np.array(TARGETS), *view.limits))
    actions = Encoder(shell.scenario, shell.world.zones.names).encode(wish, view.pending)
    nearest = shell.codec.decode(actions, view.pending)
    assert (np.abs(command.allocation / nearest.allocation - 1.0) < 1e-3).mean() > 0.8


def test_untrained_without_forecast_it_moves_towards_its_target() -> None:
    _, policy = untrained(forecaster="none")
    shell = Shell("multi_zone", 2, "physics", "none")
    command = decide(policy, shell)
    view = shell.view
    utilisation = view.telemetry.usage[:, :, 0] / view.telemetry.allocation[:, :, 0]
    grown = command.allocation[:, :, 0] > 1.01 * view.pending.allocation[:, :, 0]
    assert (utilisation[grown] > TARGETS[0]).all()


@pytest.mark.parametrize("algorithm", ["mappo", "dqn"])
@pytest.mark.parametrize("scenario", ["single_zone", "multi_zone", "complex"])
def test_it_keeps_the_contract(algorithm: Algorithm, scenario: str) -> None:
    _, policy = untrained(algorithm, shaken=0.02)
    check_policy(policy, scenario)


@pytest.mark.parametrize(("count", "limit_s"), [(3, 1e-3), (30, 1e-3), (300, 3e-3), (1000, 10e-3)])
def test_one_policy_decides_for_any_number_of_zones_in_time(count: int, limit_s: float) -> None:
    _, policy = untrained(shaken=0.02)
    shell = Shell(zones(count), 1, "physics", "persistence")
    assert decide(policy, shell).allocation.shape == (1, count, 3)
    times = []
    for _ in range(40):
        start = time.perf_counter()
        policy.act(shell.view)
        times.append(time.perf_counter() - start)
    assert min(times) < limit_s


def test_it_needs_the_observations_it_learned_with() -> None:
    _, policy = untrained()
    with pytest.raises(ConfigurationError, match="trained with forecasts"):
        decide(policy, Shell("multi_zone", 1, "physics", "none"))
    with pytest.raises(LifecycleError, match="reset"):
        untrained()[1].act(Shell("multi_zone", 1, "physics", "none"))  # type: ignore[arg-type]


def test_it_needs_a_world_that_offers_what_it_chooses() -> None:
    _, policy = untrained()
    with pytest.raises(ConfigurationError, match="vertical"):
        decide(policy, Shell("multi_zone", 1, "physics", "persistence", scaling="horizontal"))
    scenario = load_scenario("single_zone")
    other = scenario.with_changes(actuation=scenario.actuation.model_copy(update={"factors": (0.5, 1.0, 2.0)}))
    with pytest.raises(ConfigurationError, match=r"\(5, 5, 5\)"):
        decide(untrained("dqn")[1], Shell(other, 1, "physics", "persistence"))


@pytest.mark.parametrize("name", ["first.bias", "head.weight"])
def test_weights_must_fit_and_be_numbers(name: str) -> None:
    learner, policy = untrained()
    good, size = weights_of(learner), policy.card.row_size
    for bad in (
        {key: value for key, value in good.items() if key != name},
        good | {name: np.full_like(good[name], np.nan)},
        good | {name: good[name][..., :-1]},
    ):
        with pytest.raises(CheckpointError, match="weights"):
            Network(bad, size, 4)


def test_only_scenarios_with_a_shipped_policy_have_one() -> None:
    with pytest.raises(UnknownNameError, match="shipped mappo policy"):
        agents.load("mappo", weights="nowhere")


def test_an_algorithm_without_a_shipped_policy_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match="metaverse train ippo"):
        agents.load("ippo")


def test_the_card_tells_what_the_policy_sees() -> None:
    card = untrained()[1].card
    assert isinstance(card, Card)
    assert card.zone_features == zone_features(True)
