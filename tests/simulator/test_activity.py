"""Activities, and what users let slip about the next one."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.scenario import Scenario
from metaverse_env.scenario.workload import DEFAULT_ACTIVITIES
from metaverse_env.simulator import activity, rng
from metaverse_env.simulator.constants import Constants, build_constants, time_shares
from metaverse_env.simulator.intents import load_bank
from metaverse_env.simulator.records import ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]
LIMIT = 4.0
KEY = np.uint64(99)
KINDS = len(DEFAULT_ACTIVITIES)


@compiled
def begin_many(zones: Any, key: int, kind: int, constants: Any) -> None:
    for index in range(len(zones)):
        activity.begin_activity(zones[index], rng.tick_key(key, index), kind, constants)


@compiled
def meet_many(zones: Any, key: int, constants: Any) -> None:
    for index in range(len(zones)):
        activity.begin_in_the_middle(zones[index], rng.tick_key(key, index), constants)


@pytest.fixture(scope="module")
def began(constants: Constants) -> np.ndarray:
    """Return many zones that have just begun to build (the fourth activity)."""
    zones = np.zeros(20_000, dtype=ZONE_STATE)
    begin_many(zones, KEY, 3, constants)
    return zones


def weights() -> np.ndarray:
    weight = np.array([kind.weight for kind in DEFAULT_ACTIVITIES])
    return weight / weight.sum()


def assert_counts(counts: np.ndarray, probability: np.ndarray) -> None:
    expected = counts.sum() * probability
    assert (np.abs(counts - expected) <= LIMIT * np.sqrt(expected)).all()


def test_none_follows_itself_and_the_others_by_their_weights(began: np.ndarray) -> None:
    others = weights()
    others[3] = 0.0
    assert_counts(np.bincount(began["next_activity"], minlength=KINDS), others / others.sum())


def test_lengths_are_lognormal_around_their_median(began: np.ndarray) -> None:
    logs = np.log(began["activity_ticks"] * 15.0)
    assert np.median(logs) == pytest.approx(math.log(2400.0), abs=0.02)
    assert logs.std() == pytest.approx(0.5, abs=0.01)


def test_leads_are_uniform_between_their_limits(began: np.ndarray) -> None:
    lead_s = 15.0 * began["lead_ticks"]
    assert (lead_s.min(), lead_s.max()) == (60.0, 240.0)
    assert lead_s.mean() == pytest.approx(150.0, abs=2.0)


def test_a_share_of_the_announcements_is_false(began: np.ndarray) -> None:
    false = began["announced_activity"] != began["next_activity"]
    assert abs(false.mean() - 0.15) < LIMIT * math.sqrt(0.15 * 0.85 / len(began))


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_false_rate_is_a_knob(scenario: Change, rate: float) -> None:
    zones = np.zeros(2000, dtype=ZONE_STATE)
    begin_many(zones, KEY, 0, build_constants(scenario(intents={"false_rate": rate})))
    assert ((zones["announced_activity"] != zones["next_activity"]) == (rate == 1.0)).all()


def test_a_world_starts_in_the_middle_of_its_activities(constants: Constants) -> None:
    zones = np.zeros(40_000, dtype=ZONE_STATE)
    meet_many(zones, KEY, constants)
    assert_counts(np.bincount(zones["activity"], minlength=KINDS), time_shares(DEFAULT_ACTIVITIES))
    # The rest of what is met halfway: E[L^2] / (2 E[L]) of a lognormal length.
    building = 15.0 * zones["activity_ticks"][zones["activity"] == 3]
    assert building.mean() == pytest.approx(2400.0 * math.exp(1.5 * 0.25) / 2.0, rel=0.03)


def test_the_share_of_time_is_what_a_long_run_shows(scenario: Change) -> None:
    world = SimulatedWorld(scenario(layout={"zones": 100, "zones_per_node": 100}), 8)
    command, counts = Command.of(world.reset(seeds=range(8)).allocation), Counter[float]()
    for tick in range(960):
        activities = world.step(command).outcome.zones["activity"]
        if tick % 10 == 0:
            counts.update(activities.ravel().tolist())
    share = np.array([counts[kind] for kind in range(KINDS)]) / counts.total()
    assert share == pytest.approx(time_shares(DEFAULT_ACTIVITIES), abs=0.02)


@pytest.mark.parametrize(
    ("ticks_left", "share"), [(13, 0.0), (9, 0.0), (8, 0.075), (6, 0.225), (4, 0.375), (2, 0.525), (1, 0.6)]
)
def test_the_announced_share_grows_linearly_over_the_lead(
    blank: Any, rules: Any, ticks_left: int, share: float
) -> None:
    zone = blank(ZONE_STATE, lead_ticks=8, activity_ticks=ticks_left)
    assert activity.announced_share(zone, rules) == pytest.approx(share)


@pytest.mark.parametrize("ticks_left", [1, 2, 9])
def test_without_a_lead_nothing_is_announced(blank: Any, rules: Any, ticks_left: int) -> None:
    assert activity.announced_share(blank(ZONE_STATE, lead_ticks=0, activity_ticks=ticks_left), rules) == 0.0


def test_a_lead_of_zero_draws_zero(scenario: Change) -> None:
    zones = np.zeros(500, dtype=ZONE_STATE)
    begin_many(zones, KEY, 0, build_constants(scenario(intents={"lead_s": (0.0, 0.0)})))
    assert (zones["lead_ticks"] == 0).all()


def test_signals_are_about_the_neighbours_the_next_and_the_present(constants: Constants) -> None:
    zones, index = np.zeros(30, dtype=ZONE_STATE), 7
    zones["announced_activity"][index], zones["lead_ticks"][index], zones["activity_ticks"][index] = 1, 4, 3
    own, edges = 0.6 * 0.5, constants.edges[index]
    for kind, edge in zip((2, 3), edges[[0, 2]], strict=True):
        zones["announced_activity"][edge["zone"]], zones["lead_ticks"][edge["zone"]] = kind, 4
        zones["activity_ticks"][edge["zone"]] = 1
    near = [0.15 * 0.6 * edges["weight"][slot] for slot in (0, 2)]
    grid = (np.arange(10_000) + 0.5) / 10_000
    said = Counter(activity.signal_activity(zones, index, u, constants) for u in grid)
    expected = {2: near[0], 3: near[1], 1: own, 0: 1.0 - near[0] - near[1] - own}
    assert {kind: said[kind] / 10_000 for kind in expected} == pytest.approx(expected, abs=2e-4)


def test_the_intent_is_the_mean_of_what_the_bank_says(constants: Constants) -> None:
    bank = load_bank("text", [kind.name for kind in DEFAULT_ACTIVITIES]).vectors
    zones = np.zeros(30, dtype=ZONE_STATE)
    zones["activity"] = 2
    one, many = (np.full(bank.shape[3], 9.0, dtype=np.float32) for _ in range(2))
    activity.gather_intent(zones, 0, KEY, 1, one, constants)
    assert (np.abs(bank[:, 2] - one).max(axis=-1) < 1e-6).sum() == 1
    activity.gather_intent(zones, 0, KEY, 20_000, many, constants)
    assert many == pytest.approx(bank[:, 2].mean(axis=(0, 1)), abs=0.02)


def test_no_signals_give_an_intent_that_is_masked(constants: Constants) -> None:
    intent = np.full(constants.bank.shape[3], 9.0, dtype=np.float32)
    activity.gather_intent(np.zeros(30, dtype=ZONE_STATE), 0, KEY, 0, intent, constants)
    assert (intent == 0.0).all()


def test_signals_are_counted_up_to_their_limit_and_mask_the_intent(scenario: Change) -> None:
    world = SimulatedWorld(scenario(intents={"signals_per_user": 0.02, "max_signals": 4}), 20, intents=True)
    command = Command.of(world.reset(seeds=range(20)).allocation)
    telemetry = world.step(command).telemetry
    signals = telemetry.zones["signals"]
    assert set(np.unique(signals)) == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert ((np.abs(telemetry.intents).sum(axis=2) > 0.0) == (signals > 0.0)).all()


def test_intents_change_nothing_else(scenario: Change) -> None:
    worlds = [SimulatedWorld(scenario(), 1, intents=intents) for intents in (True, False)]
    runs = []
    for world in worlds:
        command = Command.of(world.reset(seeds=[5]).allocation)
        runs.append([world.step(command).outcome.zones.tobytes() for _ in range(20)])
    assert runs[0] == runs[1]
    assert (worlds[0].embedding, worlds[1].embedding) == (32, 0)


def test_demand_follows_a_new_activity_with_a_lag(blank: Any, constants: Constants) -> None:
    zone = blank(ZONE_STATE, activity=0, next_activity=5, activity_ticks=1, blend=(0.6, 0.9, 0.45))
    activity.advance_activity(zone, KEY, constants)
    assert zone["activity"] == 5
    for tick in range(1, 4):
        left = math.exp(-15.0 * tick / 45.0)
        expected = [after + left * (before - after) for before, after in ((0.6, 1.3), (0.9, 1.1), (0.45, 2.2))]
        assert zone["blend"] == pytest.approx(expected, rel=1e-5)
        activity.advance_activity(zone, KEY, constants)
