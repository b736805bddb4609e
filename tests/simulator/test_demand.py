"""What users need, by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import demand, serving
from metaverse_env.simulator.records import ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]


@pytest.mark.parametrize(
    ("users", "needed"),
    [(0.0, 1.0), (0.4, 1.2), (1.0, 1.5), (2.0, 2.2), (5.0, 5.5), (6.0, 6.4), (10.0, 10.0)],
)
def test_pairs_are_limited_by_the_area_of_interest(users: float, needed: float) -> None:
    assert demand.linear_and_pairwise(users, 1.0, 0.5, 0.1, 4.0) == pytest.approx(needed)


def test_one_core_saturates_near_225_users() -> None:
    # World model, section 3: a = 2, b = .05 mcore, c0 = .1, k = 40.
    assert demand.linear_and_pairwise(225.0, 0.1, 0.002, 0.00005, 40.0) == pytest.approx(1.0)


def test_sixteen_users_cause_the_measured_downlink() -> None:
    # Mozilla Hubs: 0.057 n + 0.052 n (n - 1) Mbps, all to all.
    assert demand.linear_and_pairwise(16.0, 0.0, 0.057, 0.052, 25.0) == pytest.approx(0.057 * 16 + 0.052 * 16 * 15)


def test_the_demand_of_users_by_hand(rules: Any) -> None:
    cores, megabytes, mbps = demand.demand_of_users(10.0, 1.5, 2.0, 0.5, rules)
    assert cores == pytest.approx(0.1 + 1.5 * (0.004 * 10 + 0.00008 * 10 * 9))
    assert megabytes == pytest.approx(400.0 + 2.0 * 6.0 * 10)
    assert mbps == pytest.approx(0.5 * (0.057 * 10 + 0.052 * 10 * 9))


def test_noise_multiplies_the_demand(rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, blend=(1.0, 1.0, 1.0), noise=(1.0, -2.0, 0.5), drift=0.1)
    rules["drift_sigma"] = 0.05
    factor, needed = np.zeros(3), np.zeros(3, dtype=np.float32)
    serving.first_noise(zone, factor, rules)
    serving.demand_at_home(zone, 10.0, factor, needed, rules)
    drift = math.exp(0.1)
    plain = (0.1 + drift * (0.04 + 0.0072), 460.0, drift * (0.57 + 4.68))
    for value, base, cv, noise in zip(needed, plain, (0.20, 0.03, 0.15), (1.0, -2.0, 0.5), strict=True):
        sigma = math.sqrt(math.log1p(cv**2))
        assert value == pytest.approx(base * math.exp(sigma * noise - 0.5 * sigma**2), rel=1e-5)


def test_lognormal_noise_has_a_mean_of_one_and_its_cv() -> None:
    noise, sigma = np.random.default_rng(0).standard_normal(200_000), math.sqrt(math.log1p(0.4**2))
    factors = np.array([demand.lognormal_factor(value, sigma) for value in noise])
    assert factors.mean() == pytest.approx(1.0, abs=0.004)
    assert factors.std() == pytest.approx(0.4, abs=0.01)


def test_noise_of_a_world_has_the_autocorrelation_of_the_scenario(scenario: Change) -> None:
    world = SimulatedWorld(scenario(demand={"noise_autocorrelation_1min": 0.6}), 100)
    command = Command.of(world.reset(seeds=range(100)).allocation)
    before = world.state.zones["noise"].copy()
    for _ in range(4):
        world.step(command)
    after = world.state.zones["noise"]
    for resource in range(3):
        assert np.mean(before[..., resource] * after[..., resource]) == pytest.approx(0.6, abs=0.06)
        assert after[..., resource].std() == pytest.approx(1.0, abs=0.04)


def test_memory_grows_fast_and_shrinks_slowly() -> None:
    up, down = 1.0 - math.exp(-15.0 / 30.0), 1.0 - math.exp(-15.0 / 900.0)
    assert demand.sticky(1000.0, 2000.0, up, down) == pytest.approx(1393.469, abs=1e-3)
    assert demand.sticky(1000.0, 500.0, up, down) == pytest.approx(991.736, abs=1e-3)
    assert demand.sticky(1000.0, 1000.0, up, down) == 1000.0


def test_drift_wanders_at_its_rate(scenario: Change) -> None:
    world = SimulatedWorld(scenario(disturbances={"drift_sigma": 0.3}), 100)
    command = Command.of(world.reset(seeds=range(100)).allocation)
    for _ in range(60):
        world.step(command)
    drift = world.state.zones["drift"]
    assert drift.std() == pytest.approx(0.3 * math.sqrt(0.25), rel=0.05)
    assert abs(drift.mean()) < 4.0 * drift.std() / math.sqrt(drift.size)
