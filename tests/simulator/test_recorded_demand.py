"""Recorded demand takes the place of the formulas, resource by resource; everything else stays the physics."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from metaverse_env.envs.shell import Shell
from metaverse_env.panels import Panel, save_panel
from metaverse_env.recording import Origin, load_recording, panel_of, record, replay, save_recording
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace

TICKS = 10
ZONES = 3
ROWS = 40


def short(**changes: Any) -> Scenario:
    return load_scenario("multi_zone").with_changes(episode_ticks=TICKS, **changes)


def recorded(**features: Any) -> Panel:
    columns = [np.broadcast_to(value, (ROWS, ZONES)) for value in features.values()]
    names = tuple(f"hall-{number}" for number in range(ZONES))
    return Panel(np.stack(columns, axis=-1).astype(np.float32), tuple(features), names)


def full(seed: int = 0) -> Panel:
    random = np.random.default_rng(seed)
    users = random.integers(0, 100, (ROWS, ZONES))
    cores, megabytes, mbps = (random.uniform(low, high, (ROWS, ZONES)) for low, high in ((1, 2), (600, 900), (10, 30)))
    return recorded(users=users, cpu_cores=cores, memory_mb=megabytes, bandwidth_mbps=mbps)


def world_of(panel: Panel, worlds: int = 1, **changes: Any) -> SimulatedWorld:
    return SimulatedWorld(short(**changes), worlds, "trace", load_trace(panel))


def test_demand_is_what_was_recorded() -> None:
    panel = full()
    world = world_of(panel, 4)
    command = Command.of(world.reset(seeds=range(4)).allocation)
    rows = world.state.worlds["trace_row"].copy()
    assert len(set(rows.tolist())) > 1
    for tick in range(1, TICKS + 1):
        zones = world.step(command).outcome.zones
        np.testing.assert_array_equal(zones["demand"], panel.values[rows + tick][..., 1:])
        np.testing.assert_array_equal(zones["users"], panel.values[rows + tick][..., 0])


def test_recorded_memory_is_memory_in_use() -> None:
    panel = full()
    world = world_of(panel)
    command = Command.of(np.maximum(world.reset(seeds=[0]).allocation, (4.0, 2000.0, 100.0)))
    world.step(command)
    row = int(world.state.worlds["trace_row"][0])
    np.testing.assert_array_equal(world.state.zones["memory_mb"][0], panel.values[row, :, 2])


def test_what_was_not_recorded_is_computed_as_ever() -> None:
    users = np.random.default_rng(1).integers(0, 100, (ROWS, ZONES))
    cores = np.full((ROWS, ZONES), 3.0)
    plain, partly = world_of(recorded(users=users)), world_of(recorded(users=users, cpu_cores=cores))
    command = Command.of(plain.reset(seeds=[5]).allocation * (10.0, 1.0, 1.0))
    partly.reset(seeds=[5])
    for _ in range(TICKS):
        one, other = plain.step(command).outcome.zones, partly.step(command).outcome.zones
        np.testing.assert_array_equal(one["demand"][..., 1:], other["demand"][..., 1:])
        assert (other["demand"][..., 0] == 3.0).all()
        assert (one["demand"][..., 0] != 3.0).all()


def test_latency_is_that_of_the_allocation_and_not_the_recorded_one() -> None:
    panel = recorded(users=50.0, cpu_cores=2.0, memory_mb=500.0, bandwidth_mbps=5.0, latency_ms=777.0)
    latency_ms = []
    for cores in (1.0, 2.5, 8.0):
        world = world_of(panel)
        world.reset(seeds=[0])
        command = Command.of(np.broadcast_to([cores, 2000.0, 100.0], (1, ZONES, 3)))
        latency_ms.append([world.step(command).outcome.zones["latency_ms"] for _ in range(TICKS)][-1])
    short_of_cpu, enough, plenty = latency_ms
    assert (short_of_cpu > 1000.0).all()
    assert (enough > plenty).all()
    assert (plenty < 100.0).all()


def test_a_world_starts_provisioned_for_the_recorded_demand() -> None:
    panel = recorded(users=5.0, cpu_cores=10.0, memory_mb=9000.0, bandwidth_mbps=800.0)
    telemetry = world_of(panel, 8).reset(seeds=range(8))
    used = np.array([10.0, 9000.0, 800.0]) / telemetry.allocation
    low, high = load_scenario("multi_zone").actuation.initial_utilisation
    assert used.min() > low - 1e-5
    assert used.max() < high + 1e-5
    np.testing.assert_allclose(telemetry.usage[..., 0], 10.0, rtol=1e-5)


def test_peaks_and_nodes_are_sized_for_the_recorded_demand() -> None:
    cores = np.ones((ROWS, ZONES))
    cores[7, 1] = 6.0
    constants = world_of(recorded(users=5.0, cpu_cores=cores)).constants
    # The largest recorded demand at a utilisation of 0.6; memory by the formula, as without a record.
    np.testing.assert_allclose(constants.zones["peak_allocation"][:, 0], [1 / 0.6, 10.0, 1 / 0.6], rtol=1e-6)
    plain = world_of(recorded(users=5.0)).constants
    np.testing.assert_array_equal(constants.zones["peak_allocation"][:, 1:], plain.zones["peak_allocation"][:, 1:])
    headroom = load_scenario("multi_zone").layout.node_headroom
    np.testing.assert_allclose(constants.node_capacity[:, 0].sum(), headroom * (10.0 + 2 / 0.6), rtol=1e-6)


def test_handed_over_demand_moves() -> None:
    ramp = np.linspace(10, 1000, ROWS)[:, None]
    world = world_of(recorded(users=ramp, cpu_cores=ramp / 100))
    allocation = np.full((1, ZONES, 3), 5000.0)
    world.reset(seeds=[0])
    for _ in range(TICKS):
        zones = world.step(Command.of(allocation, [[0.5, 0.0, 0.0]])).outcome.zones[0]
    assert zones["served"][0, 0] < zones["demand"][0, 0]
    np.testing.assert_allclose(zones["served"][:, 0].sum(), zones["demand"][:, 0].sum(), rtol=0.05)


@pytest.mark.parametrize("scaling", ["vertical", "horizontal"])
def test_gymnasium_takes_a_file_or_a_panel(tmp_path: Path, scaling: str) -> None:
    save_panel(tmp_path / "panel.npz", full())
    seen = []
    for trace in (str(tmp_path / "panel.npz"), full()):
        env = gym.make(
            "Metaverse/MultiZone-v0",
            dynamics="trace", trace=trace, forecaster="none", scaling=scaling, episode_ticks=TICKS,
        )  # fmt: skip
        env.reset(seed=2)
        env.action_space.seed(2)
        seen.append([env.step(env.action_space.sample())[0] for _ in range(TICKS)])
    np.testing.assert_array_equal(seen[0], seen[1])


def test_a_batch_equals_each_world_alone() -> None:
    batch = world_of(full(), 3)
    command = Command.of(batch.reset(seeds=[4, 5, 6]).allocation)
    for _ in range(TICKS):
        together = batch.step(command).outcome.zones
    alone = world_of(full())
    command = Command.of(alone.reset(seeds=[5]).allocation)
    for _ in range(TICKS):
        single = alone.step(command).outcome.zones
    assert single.tobytes() == together[1:2].tobytes()


class Hold:
    """Asks for what it has."""

    def reset(self, zones: Any, worlds: int) -> None:
        """Nothing to forget."""

    def act(self, view: Any) -> Command:
        return Command.of(view.pending.allocation)


def test_a_recorded_replay_lives_again(tmp_path: Path) -> None:
    file = tmp_path / "panel.npz"
    save_panel(file, full())
    trace = load_trace(file).scaled(33.0)
    shell = Shell(short(), 2, "trace", "none", trace=trace)
    recording = record(shell, Hold(), [1, 2], TICKS, Origin("trace", str(file), trace.scale))
    assert replay(load_recording(save_recording(recording, tmp_path / "episode.npz"))) is None


def test_a_recording_becomes_a_panel_that_replays() -> None:
    shell = Shell(load_scenario("multi_zone"), 2, "physics", "none")
    recording = record(shell, Hold(), [1, 2], 30, Origin("physics", policy="hold"))
    panel = panel_of(recording, 1)
    assert panel.values.shape == (31, 30, 9)
    telemetry = recording.telemetry[:, 1]
    np.testing.assert_array_equal(panel.feature("memory_mb"), telemetry["usage"][..., 1])
    np.testing.assert_array_equal(panel.feature("allocated_bandwidth_mbps"), telemetry["allocation"][..., 2])
    assert panel.timestamps is not None
    assert (np.diff(panel.timestamps) == 15.0).all()
    world = SimulatedWorld(short(), 1, "trace", load_trace(panel))
    command = Command.of(world.reset(seeds=[0]).allocation)
    row = int(world.state.worlds["trace_row"][0])
    assert world.state.worlds["time_s"][0] == pytest.approx(recording.weather["time_s"][row, 1])
    demand = world.step(command).outcome.zones["demand"][0]
    np.testing.assert_array_equal(demand, telemetry["usage"][row + 1])
