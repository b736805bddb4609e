"""The learned dynamics at work in worlds: reproducible, of any size, and going on from where a world starts."""

from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import CheckpointError
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from predictors.stgnn.card import WEIGHTS, read_card
from predictors.stgnn.data import record
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES
from predictors.stgnn.dynamics.runtime import StgnnDynamics
from predictors.stgnn.dynamics.task import DynamicsTask

Array = np.ndarray


def run(world: SimulatedWorld, seeds: list[int], ticks: int, factor: float = 1.0) -> list[Array]:
    """Hold ``factor`` times the first allocation of CPU, and ample memory and egress; return the outcomes."""
    telemetry = world.reset(seeds=seeds)
    command = Command.of(telemetry.allocation * np.array([factor, 1.5, 1.5], dtype=np.float32))
    return [world.step(command).outcome.zones.copy() for _ in range(ticks)]


def test_row_of_a_batch_equals_the_single_world() -> None:
    alone = run(SimulatedWorld("multi_zone", dynamics="stgnn"), [8], 12)
    batch = run(SimulatedWorld("multi_zone", worlds=3, dynamics="stgnn"), [7, 8, 9], 12)
    for one, many in zip(alone, batch, strict=True):
        for name in ("users", "demand", "latency_ms", "allocation"):
            np.testing.assert_allclose(one[name][0], many[name][1], rtol=2e-4)
        np.testing.assert_array_equal(one["users"][0], many["users"][1])


def test_many_worlds_are_run_in_blocks() -> None:
    """600 worlds of 30 zones are several blocks."""
    many = run(SimulatedWorld("multi_zone", 600, "stgnn"), list(range(600)), 2)[-1]
    alone = run(SimulatedWorld("multi_zone", 1, "stgnn"), [599], 2)[-1]
    np.testing.assert_allclose(many["latency_ms"][599], alone["latency_ms"][0], rtol=2e-4)


def test_partial_reset_forgets_one_world_only() -> None:
    world = SimulatedWorld("multi_zone", worlds=2, dynamics="stgnn")
    run(world, [3, 4], 6)
    assert isinstance(world.dynamics, StgnnDynamics)
    before = world.dynamics._memory.copy()
    world.reset(seeds=[5, 0], worlds=np.array([True, False]))
    after = world.dynamics._memory
    assert (after[0]["users"] != before[0]["users"]).any()
    assert not after[0]["signals"].any()
    np.testing.assert_array_equal(after[1], before[1])
    fresh = SimulatedWorld("multi_zone", worlds=2, dynamics="stgnn")
    fresh.reset(seeds=[5, 0])
    np.testing.assert_allclose(after[0]["residual"], fresh.dynamics._memory[0]["residual"], atol=1e-3)  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", [0, 2])
def test_a_zone_goes_on_as_it_starts(target: int) -> None:
    """A zone that wants more than others like it at the reset still does so a tick later."""
    world = SimulatedWorld("multi_zone", 16, "stgnn")
    telemetry = world.reset(seeds=range(16))
    first = np.log(np.maximum(telemetry.usage[..., target], 0.01)).ravel()
    outcome = world.step(Command.of(telemetry.allocation)).outcome.zones
    second = np.log(np.maximum(outcome["demand"][..., target], 0.01)).ravel()
    many = outcome["users"].ravel() > 10.0
    change = (second - first)[many]
    assert abs(np.median(change)) < 0.05
    assert change.std() < 0.35, "zones differ by 0.4 to 0.6 in what a user costs, when nobody knows what they do"


def test_it_is_fed_at_work_what_it_learnt_from() -> None:
    """What the network was last given equals the features of the recording of that tick."""
    dynamics = StgnnDynamics()
    taped = record("multi_zone", [4], ticks=12, dynamics=dynamics, multiples=(1.5, 3.0))
    (block,) = dynamics._blocks._made.values()
    batch = DynamicsTask().batch(taped, np.array([11]), np.array([0]))
    assert block.inputs["features"].shape[1] == len(DYNAMICS_FEATURES)
    for name in ("features", "users", "allocation", "neighbours", "shares", "waiting"):
        np.testing.assert_allclose(block.inputs[name], batch[name].numpy(), atol=1e-4, err_msg=name)


def test_other_intents_are_refused() -> None:
    """The network reads intents of width 32."""
    world = SimulatedWorld("multi_zone", dynamics="physics")
    narrow = world._simulation.constants._replace(bank=np.zeros((1, 6, 2, 8), dtype=np.float32))
    simulation: Any = type(world._simulation)(
        world.scenario, world.zones, narrow, world.state, world._simulation.replay
    )
    with pytest.raises(CheckpointError, match=r"intents of width 32.*'multi_zone' have 8"):
        StgnnDynamics().reset(simulation, np.ones(1, dtype=bool))


# --- what it says ---


def test_half_the_cpu_raises_latency() -> None:
    """The counterfactual of a single tick: the same people and noise, half the CPU."""
    plenty = run(SimulatedWorld("multi_zone", 4, "stgnn"), [1, 2, 3, 4], 1)[0]
    scarce = run(SimulatedWorld("multi_zone", 4, "stgnn"), [1, 2, 3, 4], 1, factor=0.5)[0]
    running = (plenty["down"] == 0) & (scarce["down"] == 0)
    np.testing.assert_array_equal(plenty["users"], scarce["users"])
    np.testing.assert_array_equal(plenty["demand"], scarce["demand"])
    for name in ("latency_p50_ms", "latency_ms", "latency_p99_ms"):
        assert (scarce[name] >= plenty[name] * (1.0 - 1e-6))[running].all()
    assert scarce["latency_ms"][running].mean() > 1.5 * plenty["latency_ms"][running].mean()


def test_quantiles_of_latency_are_in_order_and_differ() -> None:
    outcome = run(SimulatedWorld("multi_zone", 4, "stgnn"), [1, 2, 3, 4], 5)[-1]
    p50, p95, p99 = (outcome[name] for name in ("latency_p50_ms", "latency_ms", "latency_p99_ms"))
    assert (p50 <= p95).all()
    assert (p95 <= p99).all()
    assert ((p50 < p95) & (p95 < p99)).mean() > 0.9


def test_network_trouble_adds_to_the_way() -> None:
    """A degraded network is no matter of the zone's server, so it is added to what the network says of that."""
    scenario = load_scenario("multi_zone")
    trouble = {"degradation_per_day": 5760.0, "degradation_rtt_ms": (25.0, 25.0)}  # every tick begins one
    disturbed = scenario.with_changes(disturbances=scenario.disturbances.model_copy(update=trouble))
    calm, slow = (run(SimulatedWorld(each, 2, "stgnn"), [1, 2], 1)[0] for each in (scenario, disturbed))
    np.testing.assert_allclose(slow["latency_ms"] - calm["latency_ms"], 25.0, atol=0.1)


def test_a_killed_zone_starts_with_little_memory() -> None:
    """Whatever the network says: a kill empties memory, and from there it grows toward its goal."""
    world = SimulatedWorld("multi_zone", 4, "stgnn")
    telemetry = world.reset(seeds=range(4))
    stingy = Command.of(telemetry.usage * np.array([3.0, 0.7, 3.0], dtype=np.float32))
    for _ in range(3):
        tick = world.step(stingy)
        killed = tick.outcome.zones["out_of_memory"] > 0.0
        if killed.any():
            break
    assert killed.any()
    base_mb = world.scenario.demand.memory_base_mb
    np.testing.assert_allclose(world.state.zones["memory_mb"][killed], base_mb)
    for _ in range(20):
        tick = world.step(Command.of(telemetry.usage * np.array([3.0, 3.0, 3.0], dtype=np.float32)))
    goal = tick.outcome.zones["served"][..., 1][killed]
    assert np.median(world.state.zones["memory_mb"][killed] / goal) == pytest.approx(1.0, abs=0.1)


# --- the files ---


def test_card_says_how_deviations_last() -> None:
    card = read_card(WEIGHTS / "stgnn_dynamics", "dynamics")
    assert len(card.residual_keep) == 4
    for share, quick, slow, size in card.residual_keep:
        assert 0.0 <= share <= 1.0
        assert 0.0 <= quick < 1.0
        assert 0.0 <= slow < 1.0
        assert 0.3 < size < 1.5
