"""Nodes: what they grant, by hand and by invariants, and what befalls them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaverse_env.compiling import compiled
from metaverse_env.scenario import Scenario
from metaverse_env.simulator import nodes, rng
from metaverse_env.simulator.constants import build_constants
from metaverse_env.simulator.records import NODE_STATE, OUTCOME, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]
LIMIT = 4.0
SLACK = 1e-5
"""Relative error of sums in float32."""


@compiled
def advance_many(function: Any, hosts: Any, key: int, tick: int, rules: Any) -> None:
    for index in range(len(hosts)):
        function(hosts[index], rng.place_key(rng.tick_key(key, tick), index), rules)


def per_node(world: SimulatedWorld, allocation: np.ndarray) -> np.ndarray:
    """Sum ``[W, Z, 3]`` over the zones of each node."""
    total = np.zeros((world.worlds, world.zones.nodes, 3))
    np.add.at(total, (slice(None), world.zones.node), allocation)
    return total


@pytest.fixture(scope="module")
def scarce(scenario: Change) -> SimulatedWorld:
    """Return worlds whose nodes are too small for what their zones would like, and sometimes lost."""
    layout, disturbances = {"node_headroom": 0.6}, {"node_loss_per_day": 100.0}
    return SimulatedWorld(scenario("complex", layout=layout, disturbances=disturbances), 2)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**63), greed=st.floats(-1.0, 3.0))
def test_no_node_gives_more_than_it_has(scarce: SimulatedWorld, seed: int, greed: float) -> None:
    random = np.random.default_rng(seed)
    first, capacity = scarce.reset(seeds=[seed, seed + 1]), scarce.constants.node_capacity
    memory_before = per_node(scarce, first.allocation)[..., 1]
    assert (memory_before <= capacity[:, 1] * (1.0 + SLACK)).all()
    for _ in range(15):
        wish = first.allocation * np.exp(random.normal(greed, 1.0, first.allocation.shape))
        tick = scarce.step(Command.of(wish))
        granted = per_node(scarce, tick.outcome.zones["allocation"])
        left = np.where(scarce.state.nodes["lost_s"] > 0.0, 0.5, 1.0)[..., None]
        assert (granted[..., [0, 2]] <= left * capacity[:, [0, 2]] * (1.0 + SLACK)).all()
        memory = per_node(scarce, tick.telemetry.allocation)[..., 1]
        assert (memory <= np.maximum(capacity[:, 1], memory_before) * (1.0 + SLACK)).all()
        memory_before = memory


def test_scarcity_is_real(scarce: SimulatedWorld) -> None:
    first = scarce.reset(seeds=[0, 1])
    zones = scarce.step(Command.of(5.0 * first.allocation)).outcome.zones
    assert (zones["allocation"][..., 0] < 0.9 * zones["charged"][..., 0]).mean() > 0.5
    assert scarce.step(Command.of(5.0 * first.allocation)).telemetry.zones["node_free"].min() < 0.0


def test_capacity_is_shared_in_proportion_and_memory_is_only_counted(scenario: Change, blank: Any) -> None:
    constants = build_constants(scenario(layout={"zones": 3, "zones_per_node": 2}))
    constants.node_capacity[:] = (10.0, 8000.0, 400.0)
    hosts, zones = np.zeros(2, dtype=NODE_STATE), np.zeros(3, dtype=ZONE_STATE)
    outcomes = np.zeros(3, dtype=OUTCOME)
    outcomes["charged"] = (8.0, 3000.0, 100.0), (12.0, 6000.0, 100.0), (5.0, 1000.0, 500.0)
    zones["current"] = (4.0, 3000.0, 100.0), (2.0, 6000.0, 100.0), (5.0, 1000.0, 500.0)
    nodes.share_capacity(hosts, zones, outcomes, constants)
    assert hosts["scale"] == pytest.approx(np.array([[0.5, 1.0, 1.0], [1.0, 1.0, 0.8]]))
    assert hosts["free"] == pytest.approx(np.array([[0.4, -0.125, 0.5], [0.5, 0.875, -0.25]]))
    assert hosts["memory_free_mb"] == pytest.approx([-1000.0, 7000.0])


def test_a_lost_node_lends_half_of_its_capacity(scenario: Change) -> None:
    constants = build_constants(scenario(layout={"zones": 1, "zones_per_node": 1}))
    constants.node_capacity[:] = (10.0, 8000.0, 400.0)
    hosts, zones, outcomes = (np.zeros(1, dtype=kind) for kind in (NODE_STATE, ZONE_STATE, OUTCOME))
    hosts["lost_s"], outcomes["charged"], zones["current"] = 30.0, (8.0, 3000.0, 100.0), (8.0, 3000.0, 100.0)
    nodes.share_capacity(hosts, zones, outcomes, constants)
    assert hosts["scale"][0] == pytest.approx([5.0 / 8.0, 1.0, 1.0])
    assert hosts["memory_free_mb"][0] == pytest.approx(1000.0)


def test_the_zones_of_a_lost_node_restart(scenario: Change) -> None:
    world = SimulatedWorld(scenario(disturbances={"node_loss_per_day": 60.0}), 4)
    command = Command.of(world.reset(seeds=range(4)).allocation)
    lost_before = np.zeros((4, 6), dtype=bool)
    losses = 0
    for _ in range(40):
        tick = world.step(command)
        lost = world.state.nodes["lost_s"] > 0.0
        fresh, losses = lost & ~lost_before, losses + (lost & ~lost_before).sum()
        assert (world.state.nodes["lost_s"][fresh] >= 60.0).all()
        assert (world.state.nodes["lost_s"][fresh] <= 180.0).all()
        assert (tick.telemetry.zones["node_free"][:, ::5][lost] < 0.9).all()
        lost_before = lost
    expected = 60.0 * 24 * 40 * 15.0 / 86_400.0
    assert abs(losses - expected) < LIMIT * math.sqrt(expected)


@pytest.mark.parametrize(
    ("function", "per_s", "length", "size", "bounds", "lengths"),
    [
        (nodes.advance_steal, 30.0 / 3600.0, "steal_ticks", "steal", (0.10, 0.20), (4, 20)),
        (nodes.advance_degradation, 500.0 / 86_400.0, "degraded_ticks", "degraded_rtt_ms", (10.0, 30.0), (20, 60)),
    ],
)
def test_episodes_begin_at_their_rate_and_last_as_long_as_they_may(
    rules: Any, function: Any, per_s: float, length: str, size: str, bounds: Any, lengths: Any
) -> None:
    rules["noisy_neighbour_per_h"], rules["degradation_per_day"] = 30.0, 500.0
    hosts, begun, quiet = np.zeros(2000, dtype=NODE_STATE), 0, 0
    for tick in range(30):
        could = hosts[length] <= 1
        advance_many(function, hosts, np.uint64(5), tick, rules)
        began = could & (hosts[size] > 0.0)
        begun, quiet = begun + began.sum(), quiet + could.sum()
        assert ((hosts[size] == 0.0) | (hosts[size] >= bounds[0]) & (hosts[size] <= bounds[1])).all()
        assert (hosts[length][began] >= lengths[0]).all()
        assert (hosts[length][began] <= lengths[1]).all()
        assert (hosts[size][hosts[length] <= 0] == 0.0).all()
    expected = quiet * per_s * 15.0
    assert abs(begun - expected) < LIMIT * math.sqrt(expected)


def test_a_noisy_neighbour_takes_its_share_of_the_cpu_alone(calm: Change) -> None:
    world = SimulatedWorld(calm())
    command = Command.of(world.reset(seeds=[0]).allocation)
    world.state.nodes["steal"], world.state.nodes["steal_ticks"] = 0.15, 10
    zones = world.step(command).outcome.zones
    assert zones["allocation"][..., 0] == pytest.approx(0.85 * zones["charged"][..., 0], rel=1e-5)
    assert zones["allocation"][..., 1:] == pytest.approx(zones["charged"][..., 1:], rel=1e-5)


def test_a_degraded_network_adds_its_round_trip(calm: Change) -> None:
    latency_ms = []
    for added_ms in (0.0, 25.0):
        world = SimulatedWorld(calm())
        command = Command.of(world.reset(seeds=[0]).allocation)
        world.state.nodes["degraded_rtt_ms"], world.state.nodes["degraded_ticks"] = added_ms, 10
        latency_ms.append(world.step(command).outcome.zones["latency_ms"])
    assert latency_ms[1] - latency_ms[0] == pytest.approx(np.full((1, 30), 25.0), abs=1e-3)
