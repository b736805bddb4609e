"""The value of a tick, by hand for two zones."""

from typing import Any

import numpy as np
import pytest

from metaverse_env.reward import Reward, RewardFunction
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.constants import build_constants
from metaverse_env.simulator.records import OUTCOME, TELEMETRY, WEATHER
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Outcome, Telemetry

TICK_H = 15.0 / 3600.0


def two_zones(**groups: Any) -> Scenario:
    base = load_scenario("multi_zone")
    layout = base.layout.model_copy(update={"zones": 2})
    return base.with_changes(layout=layout, **groups)


def score(scenario: Scenario, price_factor: float = 1.0, **fields: Any) -> Reward:
    """Value one tick of two zones whose static peak costs 1 and 3 EUR/h."""
    constants = build_constants(scenario)
    constants.zones["peak_eur_per_h"] = 1.0, 3.0
    outcome, weather = np.zeros((1, 2), dtype=OUTCOME), np.zeros(1, dtype=WEATHER)
    usual = {"charged": [(2.0, 4000.0, 100.0), (10.0, 8000.0, 400.0)], "users": (60.0, 20.0)}
    for name, value in {**usual, **fields}.items():
        outcome[name][0] = value
    weather["price_factor"] = price_factor
    telemetry = Telemetry(np.zeros((1, 2), dtype=TELEMETRY), weather, np.zeros((1, 2, 0), dtype=np.float32))
    return RewardFunction(scenario, constants)(Outcome(outcome, 15.0), telemetry)


def test_resources_cost_their_prices() -> None:
    reward = score(two_zones())
    # .04 a core-hour, .005 a GB-hour, .0004 an Mbps-hour.
    eur_per_h = np.array([0.08 + 0.02 + 0.04, 0.4 + 0.04 + 0.16])
    assert reward.zones["resource_eur"][0] == pytest.approx(eur_per_h * TICK_H, rel=1e-5)
    assert reward.zones["local"][0] == pytest.approx([-0.14, -0.2], rel=1e-5)
    assert reward.worlds["resource_eur_per_h"] == pytest.approx([0.74], rel=1e-5)
    assert reward.worlds["reward"] == pytest.approx([-0.74 / 4.0], rel=1e-5)
    for name in ("change_eur_per_h", "quality_eur_per_h", "fairness_penalty", "violated_user_share"):
        assert reward.worlds[name] == [0.0]


def test_the_price_level_multiplies_resources_alone() -> None:
    plain, dear = (score(two_zones(), factor, changed=1.0, violated_user_s=90.0) for factor in (1.0, 2.5))
    assert dear.zones["resource_eur"] == pytest.approx(2.5 * plain.zones["resource_eur"], rel=1e-5)
    for name in ("change_eur", "quality_eur"):
        assert np.array_equal(dear.zones[name], plain.zones[name])


def test_violated_users_are_charged_by_the_hour() -> None:
    reward = score(two_zones(), violated_user_s=(900.0, 0.0), charged=0.0)
    assert reward.zones["quality_eur"][0] == pytest.approx([900.0 * 0.5 / 3600.0, 0.0])
    assert reward.zones["violated_share"][0].tolist() == [1.0, 0.0]
    assert reward.zones["local"][0] == pytest.approx([-30.0, 0.0])  # 60 users x 0.50 EUR/h over 1 EUR/h
    assert reward.worlds["violated_user_share"] == pytest.approx([60.0 / 80.0])
    assert reward.worlds["quality_eur_per_h"] == pytest.approx([30.0], rel=1e-5)


def test_unequal_zones_are_unfair() -> None:
    reward = score(two_zones(), violated_user_s=(900.0, 0.0), charged=0.0)
    assert reward.worlds["fairness_penalty"] == pytest.approx([0.1 * 0.5])  # shares 1 and 0 deviate by one half
    assert reward.worlds["reward"] == pytest.approx([-30.0 / 4.0 - 0.05], rel=1e-5)
    fair = score(two_zones(), violated_user_s=(450.0, 150.0), charged=0.0)
    assert fair.worlds["fairness_penalty"] == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize(("mode", "scaling", "eur"), [
    ("resize", "vertical", 1e-4), ("rollout", "vertical", 1e-3), ("resize", "horizontal", 1e-3),
])  # fmt: skip
def test_a_rollout_costs_ten_resizes(mode: str, scaling: str, eur: float) -> None:
    base = two_zones()
    actuation = base.actuation.model_copy(update={"mode": mode})
    reward = score(base.with_changes(actuation=actuation, scaling=scaling), changed=(1.0, 0.0))
    assert reward.zones["change_eur"][0] == pytest.approx([eur, 0.0])
    assert reward.worlds["changes"] == [1.0]


def test_latency_is_averaged_over_users_and_kills_are_counted() -> None:
    reward = score(two_zones(), felt_latency_ms=(40.0, 120.0), out_of_memory=(1.0, 1.0))
    assert reward.worlds["mean_latency_ms"] == pytest.approx([60.0])
    assert reward.worlds["users"] == [80.0]
    assert reward.worlds["out_of_memory_kills"] == [2.0]


def test_an_empty_world_divides_by_nobody() -> None:
    reward = score(two_zones(), users=0.0)
    for name in ("mean_latency_ms", "violated_user_share", "users"):
        assert reward.worlds[name] == [0.0]
    assert reward.zones["violated_share"].tolist() == [[0.0, 0.0]]


def test_mixing() -> None:
    reward = score(two_zones(), violated_user_s=(900.0, 0.0))
    local, together = reward.zones["local"], reward.worlds["reward"][0]
    assert np.array_equal(reward.mixed(0.0), local)
    assert reward.mixed(1.0) == pytest.approx(np.full((1, 2), together))
    assert reward.mixed(0.25) == pytest.approx(0.75 * local + 0.25 * together)


def test_alone_the_local_reward_is_the_global_one() -> None:
    world = SimulatedWorld("single_zone", 5)
    function = RewardFunction(world.scenario, world.constants)
    telemetry = world.reset(seeds=range(5))
    for factor in (1.0, 0.5, 0.5, 0.5, 2.0):
        tick = world.step(Command.of(factor * telemetry.allocation))
        reward = function(tick.outcome, tick.telemetry)
        assert reward.zones["local"][:, 0] == pytest.approx(reward.worlds["reward"], rel=1e-5)


def test_static_provisioning_for_the_peak_is_of_order_minus_one() -> None:
    world = SimulatedWorld("multi_zone", 100)
    function = RewardFunction(world.scenario, world.constants)
    world.reset(seeds=range(100))
    peak = np.broadcast_to(world.constants.zones["peak_allocation"], (100, 30, 3))
    for _ in range(5):
        tick = world.step(Command.of(peak))
    reward = function(tick.outcome, tick.telemetry)
    assert reward.zones["resource_eur"] == pytest.approx(
        np.broadcast_to(world.constants.zones["peak_eur_per_h"] * TICK_H, (100, 30)), rel=1e-5
    )
    assert reward.worlds["resource_eur_per_h"] == pytest.approx(
        np.full(100, world.constants.zones["peak_eur_per_h"].sum()), rel=1e-5
    )
    assert np.median(reward.worlds["reward"]) == pytest.approx(-1.0, abs=0.1)
