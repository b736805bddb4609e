"""Users from a trace: as they were, exogenous, within a segment, at the time of the week at which they were."""

from pathlib import Path

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError, TraceError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.replay import fit_to_trace
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import Trace, load_trace

MONDAY = 1_704_067_200
"""2024-01-01 00:00 UTC."""


def trace_of(users: np.ndarray, segments: tuple[tuple[int, int], ...] | None = None, start_s: float = MONDAY) -> Trace:
    names = tuple(f"hall-{number}" for number in range(users.shape[1]))
    times_s = start_s + 15.0 * np.arange(len(users))
    return Trace(names, times_s, users.astype(np.float32), 15.0, segments or ((0, len(users)),), "test", "users")


def short(ticks: int) -> Scenario:
    return load_scenario("multi_zone").with_changes(episode_ticks=ticks)


def test_users_are_those_of_the_trace() -> None:
    users = np.random.default_rng(0).integers(0, 200, (50, 3))
    world = SimulatedWorld(short(10), 4, "trace", trace_of(users))
    telemetry = world.reset(seeds=range(4))
    rows = world.state.worlds["trace_row"].copy()
    assert len(set(rows.tolist())) > 1
    assert (telemetry.users == users[rows]).all()
    command = Command.of(3.0 * np.maximum(telemetry.allocation, 1000.0))
    for tick in range(1, 11):
        zones = world.step(command).outcome.zones
        assert (zones["users"] == users[rows + tick]).all()
        assert (zones["arrivals"] - zones["departures"] == users[rows + tick] - users[rows + tick - 1]).all()
        assert zones["moved_in"].max() == zones["moved_out"].max() == 0.0


def test_users_come_back_after_a_kill() -> None:
    users = np.full((40, 1), 100)
    world = SimulatedWorld(short(10), 1, "trace", trace_of(users))
    allocation = world.reset(seeds=[0]).allocation.copy()
    allocation[..., 1] = 500.0
    zones = [world.step(Command.of(allocation)).outcome.zones[0, 0] for _ in range(10)]
    assert sum(zone["dropped"] for zone in zones) > 20
    assert {float(zone["users"]) for zone in zones} == {100.0}


def test_latency_drives_nobody_away() -> None:
    fit = fit_to_trace(short(10), trace_of(np.full((40, 2), 50)))
    assert fit.scenario is not None
    assert fit.scenario.workload.qoe_churn == fit.scenario.workload.migration_per_h == 0.0


def test_zones_are_the_columns_on_a_ring() -> None:
    world = SimulatedWorld(short(10), 1, "trace", trace_of(np.full((40, 5), 50)))
    assert world.zones.names == tuple(f"hall-{number}" for number in range(5))
    assert sorted(world.zones.neighbours[0].tolist()) == [1, 4]


def test_time_is_that_of_the_trace_and_the_week_starts_on_monday() -> None:
    wednesday = MONDAY + 2 * 86_400 + 6 * 3600
    world = SimulatedWorld(short(10), 1, "trace", trace_of(np.full((12, 1), 5), start_s=wednesday))
    telemetry = world.reset(seeds=[3])
    start_s = 2 * 86_400 + 6 * 3600
    assert world.state.worlds["trace_row"][0] == 0
    assert world.state.worlds["time_s"][0] == start_s
    command = Command.of(telemetry.allocation)
    times_s = [telemetry.weather["time_s"][0], *(world.step(command).telemetry.weather["time_s"][0] for _ in range(3))]
    assert times_s == [start_s + 15.0 * tick for tick in range(1, 5)]


def test_the_week_wraps() -> None:
    sunday_evening = MONDAY + 7 * 86_400 - 30
    fit = fit_to_trace(short(3), trace_of(np.full((6, 1), 5), start_s=sunday_evening))
    assert fit.replay.time_s.tolist() == [604_770.0, 604_785.0, 0.0, 15.0, 30.0, 45.0]


def test_peaks_are_those_of_the_trace_and_at_least_one_user() -> None:
    users = np.column_stack([np.full(40, 80), np.zeros(40)])
    constants = SimulatedWorld(short(10), 1, "trace", trace_of(users)).constants
    assert constants.zones["mean_users"].tolist() == [80.0, 1.0]


def test_episodes_start_wherever_they_fit() -> None:
    fit = fit_to_trace(short(10), trace_of(np.full((45, 1), 5), segments=((0, 13), (13, 20), (20, 45))))
    assert fit.starts.tolist() == [0, 1, *range(20, 34)]
    assert fit.last_rows.tolist() == [12] * 13 + [19] * 7 + [44] * 25


def test_an_episode_must_fit() -> None:
    trace = trace_of(np.full((45, 1), 5), segments=((0, 20), (20, 45)))
    words = r"has 25 samples, enough for 23 ticks\. Give episode_ticks=23 or less \(max_episode_steps, counted outside"
    with pytest.raises(TraceError, match=words):
        fit_to_trace(short(24), trace)
    with pytest.raises(TraceError, match=r"has 1 samples, enough for 0 ticks\. Give a trace with fewer gaps"):
        fit_to_trace(short(1), trace_of(np.full((2, 1), 5), segments=((0, 1), (1, 2))))


def test_one_zone_takes_one_column() -> None:
    single = load_scenario("single_zone").with_changes(episode_ticks=10)
    trace = trace_of(np.column_stack([np.full(40, 80), np.full(40, 7)]))
    with pytest.raises(ConfigurationError, match=r"has 2 \(hall-0, hall-1\); use .* trace\.select\(NAME\)"):
        SimulatedWorld(single, 1, "trace", trace)
    assert SimulatedWorld(single, 1, "trace", trace.select("hall-1")).reset(seeds=[0]).users.tolist() == [[7.0]]


@pytest.mark.parametrize("name", ["worldcup98", "game_concurrency"])
def test_real_traces_run(assets: Path, name: str) -> None:
    path = next(path for path in sorted((assets / "traces" / name).iterdir()) if ".csv" in path.suffixes)
    trace = load_trace(path).scaled(60.0)
    world = SimulatedWorld(short(60), 8, "trace", trace)
    command = Command.of(3.0 * world.reset(seeds=range(8)).allocation)
    for _ in range(60):
        zones = world.step(command).outcome.zones
    rows = world.state.worlds["trace_row"]
    assert np.abs(zones["users"] - trace.users[rows]).max() <= 0.5
