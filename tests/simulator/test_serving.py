"""Kills, restarts, back-off, outages, backlog: what outlasts a tick. By hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import serving
from metaverse_env.simulator.records import OUTCOME, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick

Change = Callable[..., Scenario]
KEY = np.uint64(77)
LIMIT = 4.0


def full_of(memory_mb: float, blank: Any, **fields: Any) -> Any:
    return blank(ZONE_STATE, users=(600, 400), memory_mb=memory_mb, current=(1.0, 1000.0, 100.0), **fields)


def test_a_zone_at_its_limit_runs(rules: Any, blank: Any) -> None:
    zone, outcome = full_of(1000.0, blank), blank(OUTCOME)
    assert serving.is_running(zone, KEY, outcome, rules)
    assert outcome["down"] == 0.0


def test_a_zone_over_its_limit_is_killed(rules: Any, blank: Any) -> None:
    rules["oom_leave_share"] = 0.5
    zone, outcome = full_of(1000.1, blank, healthy_s=200.0, backlog_core_s=3.0), blank(OUTCOME)
    assert not serving.is_running(zone, KEY, outcome, rules)
    assert (outcome["out_of_memory"], outcome["down"], outcome["time_dilation"]) == (1.0, 1.0, 0.0)
    assert outcome["latency_p50_ms"] == outcome["latency_ms"] == outcome["latency_p99_ms"] == 2000.0
    assert (zone["kills"], zone["kills_total"]) == (1, 1)
    assert 3.0 <= zone["down_s"] <= 10.0
    assert zone["memory_mb"] == 400.0
    assert zone["backlog_core_s"] == zone["healthy_s"] == 0.0
    dropped = 1000 - zone["users"].sum()
    assert outcome["dropped"] == dropped
    assert abs(dropped - 500) < LIMIT * math.sqrt(250)


@pytest.mark.parametrize(("share", "left"), [(0.0, 1000), (1.0, 0)])
def test_the_share_that_leaves_is_a_knob(rules: Any, blank: Any, share: float, left: int) -> None:
    rules["oom_leave_share"] = share
    zone = full_of(1e6, blank)
    serving.is_running(zone, KEY, blank(OUTCOME), rules)
    assert zone["users"].sum() == left


def test_each_kill_doubles_the_back_off(rules: Any, blank: Any) -> None:
    rules["restart_s"] = (5.0, 5.0)
    zone = full_of(0.0, blank)
    away_s = []
    for _ in range(8):
        zone["memory_mb"], zone["down_s"] = 1e6, 0.0
        serving.is_running(zone, KEY, blank(OUTCOME), rules)
        away_s.append(float(zone["down_s"]))
    assert away_s == [5.0, 15.0, 25.0, 45.0, 85.0, 165.0, 305.0, 305.0]


def test_old_kills_are_forgiven(rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, kills=3, kills_total=3)
    ticks = 0
    while zone["kills"]:
        serving.advance_health(zone, KEY, rules)
        ticks += 1
    assert ticks == 41  # 600 s are 40 ticks, and it must be longer
    assert zone["kills_total"] == 3


def test_a_zone_comes_back_when_its_time_is_up(rules: Any, blank: Any) -> None:
    zone = full_of(500.0, blank, down_s=40.0)
    running = []
    for _ in range(4):
        serving.advance_health(zone, KEY, rules)
        running.append(serving.is_running(zone, KEY, blank(OUTCOME), rules))
    assert running == [False, False, True, True]


def crash(scenario: Change) -> tuple[SimulatedWorld, list[Tick]]:
    """Return a world whose every zone is given too little memory, and its ticks."""
    service = {"restart_s": (5.0, 5.0), "oom_leave_share": 0.0, "backoff_s": (20.0, 60.0)}
    world = SimulatedWorld(scenario(service=service, actuation={"resize_median_s": 0.01}))
    allocation = world.reset(seeds=[0]).allocation.copy()
    allocation[..., 1] = 300.0  # less than an empty zone needs
    return world, [world.step(Command.of(allocation)) for _ in range(14)]


def test_a_zone_without_enough_memory_crashes_in_a_loop(calm: Change) -> None:
    _, ticks = crash(calm)
    kills = np.array([tick.outcome.zones["out_of_memory"][0] for tick in ticks])
    down = np.array([tick.outcome.zones["down"][0] for tick in ticks])
    # Away for 5, 25, 45, then 65 s: back in the tick after 1, 2, 3 and 5 ticks, killed there at once.
    assert kills.T.tolist() == [[1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]] * 30
    assert (down == 1.0).all()


def test_restarts_and_readiness_are_observed(calm: Change) -> None:
    _, ticks = crash(calm)
    assert [tick.telemetry.zones["restarts"][0, 0] for tick in ticks[:4]] == [1.0, 2.0, 2.0, 3.0]
    assert all((tick.telemetry.zones["ready"] == 0.0).all() for tick in ticks)


def test_users_of_a_zone_that_is_down_are_all_violated(calm: Change) -> None:
    _, ticks = crash(calm)
    zones = ticks[3].outcome.zones
    assert zones["violated_user_s"] == pytest.approx(15.0 * zones["users"])
    assert zones["excess_user_ms"] == pytest.approx(1900.0 * zones["users"])
    assert (zones["felt_latency_ms"] == 2000.0).all()


def test_outages_begin_at_their_rate_and_last_as_long_as_they_may(scenario: Change) -> None:
    world = SimulatedWorld(scenario(disturbances={"outage_per_day": 200.0}), 10)
    command = Command.of(3.0 * world.reset(seeds=range(10)).allocation)
    begun = quiet = 0
    for _ in range(60):
        before = world.state.zones["outage_s"] <= 15.0
        down = world.step(command).outcome.zones["down"]
        outage_s = world.state.zones["outage_s"]
        began = before & (outage_s > 0.0)
        begun, quiet = begun + began.sum(), quiet + before.sum()
        assert (outage_s[began] >= 30.0).all()
        assert (outage_s[began] <= 180.0).all()
        assert (down[outage_s > 0.0] == 1.0).all()
    expected = quiet * 200.0 * 15.0 / 86_400.0
    assert abs(begun - expected) < LIMIT * math.sqrt(expected)


def test_a_backlog_grows_above_capacity_and_must_drain(calm: Change) -> None:
    world = SimulatedWorld(calm(actuation={"resize_median_s": 0.01, "resize_sigma": 0.0}))
    first = world.reset(seeds=[0])
    demand = world.step(Command.of(first.allocation)).outcome.zones["demand"]
    tight = first.allocation.copy()
    tight[..., 0] = demand[..., 0] / 1.1
    backlog_s = []
    for factor in (1.0, 1.0, 1.0, 1.3, 1.3):
        allocation = tight.copy()
        allocation[..., 0] *= factor
        backlog_s.append(world.step(Command.of(allocation)).outcome.zones["backlog_s"][0])
    grown = np.array(backlog_s)
    # 10 % more work than capacity leaves about 1.5 s of it in each tick of 15 s.
    assert grown[:3].mean(axis=1) == pytest.approx([1.5, 3.0, 4.5], abs=0.5)
    assert (grown[3] < grown[2]).all()
    assert (grown[4] <= grown[3]).all()


def test_work_beyond_the_limit_is_dropped(calm: Change) -> None:
    world = SimulatedWorld(calm(), 2)
    allocation = world.reset(seeds=[0, 1]).allocation.copy()
    allocation[..., 0] = 0.1
    for _ in range(10):
        zones = world.step(Command.of(allocation)).outcome.zones
    assert zones["backlog_s"] == pytest.approx(np.full((2, 30), 5.0), rel=1e-5)
    assert (zones["latency_ms"] == 2000.0).all()
    assert zones["time_dilation"] == pytest.approx(zones["allocation"][..., 0] / zones["served"][..., 0], rel=1e-5)


def test_the_request_model_is_a_choice(calm: Change) -> None:
    latency_ms = []
    for model in ("tick", "request"):
        world = SimulatedWorld(calm(service={"model": model}))
        command = Command.of(world.reset(seeds=[0]).allocation)
        latency_ms.append(world.step(command).outcome.zones["latency_ms"].mean())
    assert latency_ms[0] != pytest.approx(latency_ms[1], rel=0.05)


def test_pods_bring_their_own_threads(calm: Change, rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, current=(3.0, 1000.0, 100.0))
    rules["server_threads"], rules["pod_size"] = 4.0, (0.5, 1024.0, 100.0)
    assert serving.threads_of(zone, rules) == 4.0
    rules["horizontal"] = 1.0
    assert serving.threads_of(zone, rules) == 24.0
