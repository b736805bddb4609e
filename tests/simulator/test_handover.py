"""Load balancing: demand moves, users stay, nothing is lost, and what users feel is a mixture. By hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import handover
from metaverse_env.simulator.constants import EDGE, build_constants
from metaverse_env.simulator.records import OUTCOME, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]


@pytest.fixture
def edges() -> np.ndarray:
    """Return a row of three zones: the middle one has two neighbours, 5 and 8 ms away."""
    table = np.zeros((3, 2), dtype=EDGE)
    table["zone"] = [[1, -1], [0, 2], [1, -1]]
    table["extra_rtt_ms"] = [[5.0, 0.0], [5.0, 8.0], [8.0, 0.0]]
    return table


@pytest.mark.parametrize(
    ("headroom", "slot"),
    [((0.2, 0.9, 0.5), 1), ((0.6, 0.9, 0.5), 0), ((0.0, 0.9, 0.5), 1), ((0.0, 0.9, 0.0), -1), ((0.0, 0.9, -0.3), -1)],
)
def test_the_neighbour_with_most_room_is_chosen(edges: np.ndarray, headroom: Any, slot: int) -> None:
    zones = np.zeros(3, dtype=ZONE_STATE)
    zones["headroom"] = headroom
    assert handover.roomiest_neighbour(1, zones, edges) == slot


def test_no_slot_without_a_neighbour_is_chosen(edges: np.ndarray) -> None:
    zones = np.zeros(3, dtype=ZONE_STATE)
    zones["headroom"] = 0.1, 0.2, 0.9
    assert handover.roomiest_neighbour(0, zones, edges) == 0


def test_shares_grow_with_new_sessions_and_fade_with_old_users(edges: np.ndarray) -> None:
    zones, remote = np.zeros(3, dtype=ZONE_STATE), np.zeros((3, 2), dtype=np.float32)
    zones["headroom"], zones["handover"] = (0.2, 0.5, 0.9), 0.5
    handover.hand_over(1, 10.0, 40.0, zones, remote, edges)
    assert remote[1] == pytest.approx([0.0, 0.5 * 10 / 40])
    zones["headroom"] = (0.8, 0.5, 0.1)
    handover.hand_over(1, 20.0, 50.0, zones, remote, edges)
    assert remote[1] == pytest.approx([0.5 * 20 / 50, 0.125 * 30 / 50])
    assert zones["away"] == pytest.approx([0.0, 0.5 * 20 / 50 + 0.125 * 30 / 50, 0.0])
    handover.hand_over(1, 0.0, 45.0, zones, remote, edges)
    assert remote[1] == pytest.approx([0.5 * 20 / 50, 0.125 * 30 / 50])
    zones["handover"] = 0.0
    handover.hand_over(1, 50.0, 50.0, zones, remote, edges)
    assert remote[1].tolist() == [0.0, 0.0]


def test_an_empty_zone_has_nobody_elsewhere(edges: np.ndarray) -> None:
    zones, remote = np.zeros(3, dtype=ZONE_STATE), np.full((3, 2), 0.3, dtype=np.float32)
    zones["away"], zones["handover"], zones["headroom"] = 0.6, 0.5, 0.9
    handover.hand_over(1, 0.0, 0.0, zones, remote, edges)
    assert remote[1].tolist() == [0.0, 0.0]
    assert zones["away"][1] == 0.0
    assert remote[0].tolist() == pytest.approx([0.3, 0.3])


def test_the_demand_of_users_moves_and_that_of_an_empty_zone_stays(edges: np.ndarray, rules: Any) -> None:
    outcomes, remote = np.zeros(3, dtype=OUTCOME), np.zeros((3, 2), dtype=np.float32)
    outcomes["demand"] = (1.1, 1000.0, 50.0), (2.1, 1400.0, 80.0), (0.6, 700.0, 20.0)
    remote[1] = 0.25, 0.5
    zones = np.zeros(3, dtype=ZONE_STATE)
    zones["away"] = remote.sum(axis=1)
    handover.served_demand(zones, outcomes, remote, edges, rules)
    assert outcomes["served"] == pytest.approx(
        np.array([(1.1 + 0.5, 1250.0, 70.0), (0.1 + 0.5, 650.0, 20.0), (0.6 + 1.0, 1200.0, 60.0)])
    )


def test_what_users_feel_is_a_mixture(edges: np.ndarray, rules: Any) -> None:
    outcomes, remote = np.zeros(3, dtype=OUTCOME), np.zeros((3, 2), dtype=np.float32)
    outcomes["latency_ms"], remote[1] = (60.0, 110.0, 95.0), (0.2, 0.3)
    latency_ms, violated, excess_ms = handover.feel(1, 0.5, outcomes, remote, edges, rules)
    assert latency_ms == pytest.approx(0.2 * 65.0 + 0.3 * 103.0 + 0.5 * 110.0)
    assert violated == pytest.approx(0.3 + 0.5)
    assert excess_ms == pytest.approx(0.3 * 3.0 + 0.5 * 10.0)


def test_at_the_objective_nothing_is_violated(edges: np.ndarray, rules: Any) -> None:
    outcomes = np.zeros(3, dtype=OUTCOME)
    outcomes["latency_ms"] = 100.0
    assert handover.feel(0, 0.0, outcomes, np.zeros((3, 2), dtype=np.float32), edges, rules) == (100.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def busy(scenario: Change) -> SimulatedWorld:
    return SimulatedWorld(scenario(layout={"zones": 12}, workload={"session_mean_s": 200.0}), 2)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**63), share=st.floats(0.0, 1.0))
def test_demand_is_conserved_in_a_world(busy: SimulatedWorld, seed: int, share: float) -> None:
    allocation = busy.reset(seeds=[seed, seed + 1]).allocation
    for _ in range(20):
        zones = busy.step(Command.of(allocation, share)).outcome.zones
        assert zones["served"].sum(axis=1) == pytest.approx(zones["demand"].sum(axis=1), rel=1e-4)
        assert zones["served"].min() >= 0.0
        assert busy.state.remote.min() >= 0.0
        assert busy.state.remote.sum(axis=2).max() <= 1.0 + 1e-5
        assert busy.state.zones["away"] == pytest.approx(busy.state.remote.sum(axis=2), abs=1e-6)


def test_users_are_where_they_would_be_without_it(calm: Change) -> None:
    counts, moved = [], []
    for share in (0.0, 0.5):
        world = SimulatedWorld(calm())
        allocation = world.reset(seeds=[1]).allocation
        zones = [world.step(Command.of(allocation, share)).outcome.zones for _ in range(30)]
        counts.append([tick["users"].tolist() for tick in zones])
        moved.append(np.abs(zones[-1]["served"] - zones[-1]["demand"]).sum())
    assert counts[0] == counts[1]
    assert moved[0] == 0.0
    assert moved[1] > 1.0


def test_in_the_long_run_the_share_is_served_elsewhere(calm: Change) -> None:
    world = SimulatedWorld(calm(workload={"session_mean_s": 60.0, "session_scv": 1.0}), 4)
    allocation = world.reset(seeds=range(4)).allocation
    for _ in range(40):
        world.step(Command.of(3.0 * allocation, 0.25))
    assert world.state.remote.sum(axis=2).mean() == pytest.approx(0.25, abs=0.01)


def test_a_lone_zone_hands_nothing_over(scenario: Change) -> None:
    world = SimulatedWorld(scenario("single_zone"))
    allocation = world.reset(seeds=[0]).allocation
    zones = world.step(Command.of(allocation, 0.5)).outcome.zones
    assert np.array_equal(zones["served"], zones["demand"])


def test_the_way_to_a_neighbour_is_the_same_in_both_directions(scenario: Change) -> None:
    edges = build_constants(scenario()).edges
    for zone, row in enumerate(edges):
        for edge in row[row["zone"] >= 0]:
            back = edges[edge["zone"]]
            assert back["extra_rtt_ms"][back["zone"] == zone] == edge["extra_rtt_ms"]
            assert back["travel_ticks"][back["zone"] == zone] == edge["travel_ticks"]
