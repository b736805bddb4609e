"""Users by hand and by count: rates and sessions; and none is ever lost or made."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator import workload
from metaverse_env.simulator.constants import Constants, build_constants, hyperexponential
from metaverse_env.simulator.records import WORLD_STATE, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick

Change = Callable[..., Scenario]
LIMIT = 4.0
PLENTY = (8.0, 8192.0, 2000.0)


def run(world: SimulatedWorld, ticks: int, seed: int = 0, allocation: Any = PLENTY) -> list[Tick]:
    world.reset(seeds=range(seed, seed + world.worlds))
    command = Command.of(np.broadcast_to(np.asarray(allocation), (world.worlds, len(world.zones), 3)))
    return [world.step(command) for _ in range(ticks)]


def column(ticks: list[Tick], name: str) -> np.ndarray:
    """Return one field of the outcome, ``[ticks, W, Z]``."""
    return np.array([tick.outcome.zones[name] for tick in ticks])


# Conservation


@pytest.fixture(scope="module")
def troubled() -> SimulatedWorld:
    base = load_scenario("complex")
    disturbances = base.disturbances.model_copy(update={"outage_per_day": 150.0, "node_loss_per_day": 150.0})
    users = base.workload.model_copy(update={"migration_per_h": 20.0})
    return SimulatedWorld(base.with_changes(disturbances=disturbances, workload=users), 2)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**63), spread=st.floats(0.0, 3.0), handover=st.sampled_from([0.0, 0.25, 1.0]))
def test_users_are_conserved(troubled: SimulatedWorld, seed: int, spread: float, handover: float) -> None:
    random = np.random.default_rng(seed)
    first = troubled.reset(seeds=[seed, seed + 1])
    state = troubled.state
    here, away = state.zones["users"].sum(axis=2), state.travelling.sum(axis=(1, 2, 3))
    for _ in range(25):
        factor = np.exp(spread * random.standard_normal(first.allocation.shape))
        zones = troubled.step(Command.of(first.allocation * factor, handover)).outcome.zones
        assert (
            zones["users"] == here + zones["arrivals"] + zones["moved_in"] - zones["departures"] - zones["moved_out"]
        ).all()
        here, before_away = zones["users"] - zones["dropped"], away
        away = state.travelling.sum(axis=(1, 2, 3))
        assert (here == state.zones["users"].sum(axis=2)).all()
        assert (away == before_away + zones["moved_out"].sum(axis=1) - zones["moved_in"].sum(axis=1)).all()
        assert state.zones["users"].min() >= 0
        assert state.travelling.min() >= 0


def test_the_trouble_in_which_they_are_conserved_is_real(troubled: SimulatedWorld) -> None:
    ticks = run(troubled, 40, allocation=(0.5, 500.0, 20.0))
    assert column(ticks, "out_of_memory").sum() > 20
    assert column(ticks, "dropped").sum() > 100
    assert column(ticks, "down").sum() > column(ticks, "out_of_memory").sum() + 20
    assert column(ticks, "moved_in").sum() > 100


# Rates


def test_the_week_repeats_and_averages_to_the_popularity(constants: Constants) -> None:
    rate = np.exp(constants.log_rate.T)
    assert rate.shape == (30, 169)
    assert np.array_equal(rate[:, 0], rate[:, 168])
    share = np.diff(constants.activities["time_odds"], prepend=0.0)
    gain = (share * constants.activities["attraction"] * constants.activities["session"]).sum()
    assert rate[:, :168].mean(axis=1) * 1200.0 * gain == pytest.approx(constants.zones["mean_users"], rel=1e-4)
    assert constants.zones["mean_users"].mean() == pytest.approx(60.0, rel=1e-5)


def test_popularity_falls_with_its_rank(scenario: Change) -> None:
    users = np.sort(build_constants(scenario(workload={"zipf_exponent": 1.2})).zones["mean_users"])[::-1]
    assert users[0] / users[1:] == pytest.approx(np.arange(2, 31) ** 1.2, rel=1e-4)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 5.0])
def test_the_day_has_its_peak_and_trough_and_the_weekend_its_factor(scenario: Change, ratio: float) -> None:
    spec = {"week_peak_to_trough": ratio, "weekend_factor": 1.5, "phase_spread_h": 0.0, "peak_hour": 20.0}
    rate = np.exp(build_constants(scenario(workload=spec)).log_rate.T.astype(float))
    monday, saturday = rate[:, :24], rate[:, 120:144]
    assert monday.max(axis=1) / monday.min(axis=1) == pytest.approx(np.full(30, ratio), rel=1e-5)
    assert saturday / monday == pytest.approx(np.full((30, 24), 1.5), rel=1e-5)
    if ratio > 1.0:
        assert (monday.argmax(axis=1) == 20).all()


def test_peaks_lie_within_the_phase_spread(scenario: Change) -> None:
    spec = {"phase_spread_h": 6.0, "peak_hour": 12.0}
    monday = build_constants(scenario(workload=spec)).log_rate.T[:, :24]
    hours = monday.argmax(axis=1)
    assert hours.min() >= 9
    assert hours.max() <= 15
    assert len(set(hours.tolist())) >= 5


def test_rates_are_linear_between_the_hours() -> None:
    hourly = np.zeros((169, 1), dtype=np.float32)
    hourly[[3, 4, 167], 0] = 1.0, 3.0, 5.0
    for hour, expected in ((3.0, 1.0), (3.5, 2.0), (3.9, 2.8), (4.0, 3.0), (167.0, 5.0), (167.5, 2.5), (168.0, 0.0)):
        assert workload.weekly_log_rate(hourly, 0, min(int(hour), 167), hour - min(int(hour), 167)) == pytest.approx(
            expected
        )


def test_the_arrival_rate_is_the_product_of_its_causes(constants: Constants, blank: Any) -> None:
    zone = blank(ZONE_STATE, ou_own=0.5, event_level=math.log(3.0), attraction=2.0)
    world = blank(WORLD_STATE, ou_shared=-1.0, time_s=7200.0)
    rules = constants.rules[0]
    own, shared = rules["own_ou_sigma"], rules["shared_ou_sigma"]
    noise = math.exp(0.5 * own - shared - 0.5 * (own**2 + shared**2))
    expected = math.exp(constants.log_rate[2, 4]) * noise * 3.0 * 2.0
    workload.read_clock(world, rules)
    assert workload.arrival_rate(zone, 4, world, constants) == pytest.approx(expected, rel=1e-5)


def test_arrivals_have_the_mean_and_the_variance_of_their_rate(calm: Change) -> None:
    ticks = run(SimulatedWorld(calm(), 5), 400)
    arrivals = column(ticks, "arrivals")
    mean = 60.0 / 1200.0 * 15.0
    assert arrivals.mean() == pytest.approx(mean, abs=LIMIT * math.sqrt(mean / arrivals.size))
    assert arrivals.var() == pytest.approx(mean, abs=LIMIT * math.sqrt(2.6 * mean**2 / arrivals.size))


def test_a_zone_that_is_down_admits_no_new_session(calm: Change) -> None:
    world = SimulatedWorld(calm(workload={"mean_users_per_zone": 500.0}))
    world.reset(seeds=[0])
    world.state.zones["outage_s"][0, 3], world.state.zones["down_s"][0, 4] = 100.0, 100.0
    zones = world.step(Command.of(np.tile(PLENTY, (1, 30, 1)))).outcome.zones
    assert (np.flatnonzero(zones["arrivals"][0] == 0) == [3, 4]).all()


def test_the_random_factors_are_stationary_and_fade(scenario: Change) -> None:
    world = SimulatedWorld(scenario(layout={"zones": 2}), 4000)
    world.reset(seeds=range(4000))
    command = Command.of(np.tile(PLENTY, (4000, 2, 1)))
    start = world.state.worlds["ou_shared"].copy(), world.state.zones["ou_own"][:, 0].copy()
    for _ in range(40):
        world.step(command)
    ends = world.state.worlds["ou_shared"], world.state.zones["ou_own"][:, 0]
    for first, last, tau_s in zip(start, ends, (9000.0, 7200.0), strict=True):
        for values in (first, last):
            assert abs(values.mean()) < LIMIT / math.sqrt(4000)
            assert abs(values.var() - 1.0) < LIMIT * math.sqrt(2.0 / 4000)
        assert np.mean(first * last) == pytest.approx(math.exp(-600.0 / tau_s), abs=LIMIT * math.sqrt(2.0 / 4000))


# Sessions


@pytest.mark.parametrize(("mean_s", "scv"), [(1200.0, 3.0), (600.0, 1.0), (100.0, 20.0)])
def test_sessions_have_the_mean_and_the_variation_asked_for(mean_s: float, scv: float) -> None:
    share, short_rate, long_rate = hyperexponential(mean_s, scv)
    mean = share / short_rate + (1.0 - share) / long_rate
    square = 2.0 * share / short_rate**2 + 2.0 * (1.0 - share) / long_rate**2
    assert mean == pytest.approx(mean_s)
    assert square / mean**2 - 1.0 == pytest.approx(scv)
    assert share / short_rate == pytest.approx((1.0 - share) / long_rate)  # balanced means


def test_users_stay_as_long_as_their_sessions_last(calm: Change) -> None:
    world = SimulatedWorld(calm(workload={"mean_users_per_zone": 1e-9}, layout={"node_headroom": 100.0}), 50)
    world.reset(seeds=range(50))
    share, short_rate, long_rate = hyperexponential(1200.0, 3.0)
    world.state.zones["users"][:] = round(400 * share), round(400 * (1.0 - share))
    share = round(400 * share) / 400
    command = Command.of(np.tile(PLENTY, (50, 30, 1)))
    for tick in range(1, 81):
        world.step(command)
        if tick in (1, 20, 80):
            t = 15.0 * tick
            alive = share * math.exp(-short_rate * t) + (1.0 - share) * math.exp(-long_rate * t)
            left = world.state.zones["users"].sum() / 6e5
            assert abs(left - alive) < LIMIT * math.sqrt(alive * (1.0 - alive) / 6e5)


def test_activities_shift_the_population_by_no_more_than_four_per_cent(calm: Change, scenario: Change) -> None:
    quiet = calm(layout={"node_headroom": 100.0})
    world = SimulatedWorld(quiet.with_changes(intents=scenario().intents), 40)
    users = column(run(world, 480, allocation=(32.0, 65536.0, 10000.0)), "users")
    assert users[0].mean() == pytest.approx(60.0, rel=0.03)
    assert users[240:].mean() == pytest.approx(60.0, rel=0.04)


def test_the_population_is_stationary_from_the_first_tick(calm: Change) -> None:
    world = SimulatedWorld(calm(), 40)
    ticks = run(world, 120)
    users = column(ticks, "users")
    for tick in (0, 10, 119):
        assert users[tick].mean() == pytest.approx(60.0, abs=LIMIT * math.sqrt(60.0 / 1200))
        assert users[tick].var() == pytest.approx(60.0, abs=LIMIT * 60.0 * math.sqrt(2.0 / 1200))
