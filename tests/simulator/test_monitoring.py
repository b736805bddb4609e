"""What is known of a zone: its age, what is read back for it, and what happens when it is missing. By hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import ScenarioError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator import monitoring
from metaverse_env.simulator.records import MEASURED, METRIC_DEPTH, OUTCOME, TELEMETRY, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick

Change = Callable[..., Scenario]
KEY = np.uint64(12)
LIMIT = 4.0


def run(world: SimulatedWorld, ticks: int) -> list[Tick]:
    telemetry = world.reset(seeds=range(world.worlds))
    return [world.step(Command.of(telemetry.allocation)) for _ in range(ticks)]


def test_what_is_measured_of_a_tick(rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, memory_mb=700.0, backlog_core_s=30.0)
    zone["measured"] = np.arange(METRIC_DEPTH * len(MEASURED)).reshape(METRIC_DEPTH, -1)
    older = zone["measured"][:-1].copy()
    latencies = {"latency_p50_ms": 40.0, "latency_ms": 80.0, "latency_p99_ms": 120.0}
    outcome = blank(OUTCOME, users=20.0, served=(1.0, 900.0, 50.0), allocation=(2.0, 1000.0, 40.0), **latencies)
    monitoring.measure(zone, outcome, rules)
    # 30 core-seconds of backlog ask for two cores more in a tick, but it has only two; 40 Mbps of 50 get through.
    assert zone["measured"][0].tolist() == [20.0, 2.0, 700.0, 40.0, 40.0, 80.0, 120.0]
    assert np.array_equal(zone["measured"][1:], older)


def test_a_zone_that_is_down_uses_nothing(rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, memory_mb=700.0)
    outcome = blank(OUTCOME, users=20.0, served=(1.0, 900.0, 50.0), allocation=(2.0, 1000.0, 40.0), down=1.0)
    monitoring.measure(zone, outcome, rules)
    assert zone["measured"][0, :4].tolist() == [20.0, 0.0, 0.0, 0.0]


def observe(zone: Any, before: Any, rules: Any, blank: Any) -> Any:
    telemetry = blank(TELEMETRY)
    monitoring.observe_zone(zone, KEY, before, telemetry, rules)
    return telemetry


@pytest.mark.parametrize(("age_ticks", "value"), [(0.0, 10.0), (0.25, 12.5), (1.0, 20.0), (1.5, 50.0), (2.0, 80.0)])
def test_a_metric_is_linear_between_the_ticks_of_its_age(
    age_ticks: float, value: float, rules: Any, blank: Any
) -> None:
    rules["metric_age_s"] = 15.0 * age_ticks, 15.0 * age_ticks
    zone = blank(ZONE_STATE, current=(1.0, 1.0, 1.0))
    zone["measured"][:, 5] = 10.0, 20.0, 80.0
    assert observe(zone, blank(TELEMETRY), rules, blank)["latency_ms"] == pytest.approx(value)


def test_observing_reads_back_what_was_measured_at_the_age(rules: Any, blank: Any) -> None:
    rules["metric_age_s"] = (22.5, 22.5)
    zone = blank(ZONE_STATE, current=(4.0, 1000.0, 100.0), wanted=(5.0, 1000.0, 100.0), handover=0.25, kills_total=2)
    zone["measured"] = [[1.0] * 7, [2.0] * 7, [4.0] * 7]
    telemetry = observe(zone, blank(TELEMETRY), rules, blank)
    assert telemetry["users"] == 3.0
    assert telemetry["usage"].tolist() == [3.0, 3.0, 3.0]
    assert telemetry["latency_p50_ms"] == telemetry["latency_ms"] == telemetry["latency_p99_ms"] == 3.0
    assert (telemetry["age_s"], telemetry["observed"], telemetry["ready"]) == (22.5, 1.0, 1.0)
    assert telemetry["allocation"].tolist() == [4.0, 1000.0, 100.0]
    assert telemetry["pending"].tolist() == [5.0, 1000.0, 100.0]
    assert (telemetry["handover"], telemetry["restarts"]) == (0.25, 2.0)
    assert zone["headroom"] == pytest.approx(1.0 - 3.0 / 4.0)


def test_what_is_missing_is_held_and_grows_older(rules: Any, blank: Any) -> None:
    zone = blank(ZONE_STATE, current=(4.0, 1000.0, 100.0), missing_ticks=3, metric_age_s=20.0)
    zone["measured"] = 50.0
    held = {"users": 7.0, "usage": (1.0, 2.0, 3.0), "latency_p50_ms": 4.0, "latency_ms": 5.0, "latency_p99_ms": 6.0}
    before = blank(TELEMETRY, age_s=20.0, **held)
    for age_s in (35.0, 50.0):
        before = observe(zone, before, rules, blank)
        for name, value in held.items():
            assert before[name].tolist() == (list(value) if isinstance(value, tuple) else value)
        assert (before["age_s"], before["observed"]) == (age_s, 0.0)
        assert before["allocation"].tolist() == [4.0, 1000.0, 100.0]  # known without any metric
    after = observe(zone, before, rules, blank)
    assert (after["users"], after["observed"]) == (50.0, 1.0)
    assert 15.0 <= after["age_s"] <= 30.0


@pytest.mark.parametrize("field", ["down_s", "outage_s"])
def test_a_zone_is_not_ready_while_it_is_down(rules: Any, blank: Any, field: str) -> None:
    zone = blank(ZONE_STATE, current=(1.0, 1.0, 1.0), **{field: 0.5})
    assert observe(zone, blank(TELEMETRY), rules, blank)["ready"] == 0.0
    assert zone["headroom"] == 0.0  # so that no neighbour hands over to it


def test_ages_are_uniform_between_one_tick_and_two(scenario: Change) -> None:
    ages_s = np.array([tick.telemetry.zones["age_s"] for tick in run(SimulatedWorld(scenario(), 10), 40)])
    counts = np.histogram(ages_s, bins=10, range=(15.0, 30.0))[0]
    assert counts.sum() == ages_s.size
    assert np.abs(counts - ages_s.size / 10).max() < LIMIT * math.sqrt(ages_s.size / 10)


def test_metrics_go_missing_at_their_rate_and_for_as_long_as_they_may(scenario: Change) -> None:
    world = SimulatedWorld(scenario(monitoring={"missing_per_h": 12.0, "missing_s": (30.0, 180.0)}), 10)
    observed = np.array([tick.telemetry.observed for tick in run(world, 240)])
    begun = observed[:-1] & ~observed[1:]
    expected = 12.0 * 15.0 / 3600.0 * observed[:-1].sum()
    assert abs(begun.sum() - expected) < LIMIT * math.sqrt(expected)
    for column in observed[:, 0].T:
        edges = np.flatnonzero(np.diff(np.concatenate([[1], column, [1]]).astype(int)))
        lengths = edges[1::2] - edges[::2]
        assert (lengths[:-1] >= 2).all()


def test_the_first_telemetry_shows_a_world_that_has_long_been_so(calm: Change) -> None:
    world = SimulatedWorld(calm(), 2)
    telemetry = world.reset(seeds=[0, 1])
    assert (telemetry.users == world.state.zones["users"].sum(axis=2)).all()
    assert (telemetry.observed).all()
    assert telemetry.usage[..., 1] == pytest.approx(400.0 + 6.0 * telemetry.users, rel=1e-5)
    assert (telemetry.zones["pending"] == telemetry.allocation).all()
    assert (telemetry.zones["ready"] == 1.0).all()


@pytest.mark.parametrize(("tick_s", "age_s"), [(5.0, (15.0, 30.0)), (15.0, (15.0, 31.0))])
def test_metrics_cannot_be_older_than_what_is_kept(scenario: Change, tick_s: float, age_s: tuple[float, float]) -> None:
    with pytest.raises(ScenarioError, match=rf"metric_age_s .* must be at most 2 ticks of {tick_s} s"):
        scenario(tick_s=tick_s, monitoring={"metric_age_s": age_s})
    assert scenario(tick_s=5.0, monitoring={"metric_age_s": (5.0, 10.0)}).tick_s == 5.0
