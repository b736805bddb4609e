"""An hour on its own: the learned world is bounded, and looks like the physics."""

import numpy as np
import pytest

from benchmarks.fidelity.report import WATCHED, compare_worlds, tables
from benchmarks.fidelity.rollouts import OTHER_NOISE, Rollout, roll_out
from benchmarks.fidelity.series import FIGURES, distances
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY, TARGETS

Array = np.ndarray

SCENARIOS = {"multi_zone": range(300, 310), "complex": range(300, 310), "single_zone": range(300, 420)}
RELATIVE = ("mean", "p50", "p95", "p99", "cv")
LIMITS = {
    "cpu_cores": (0.04, 0.05, 0.06, 0.10, 0.08),
    "memory_mb": (0.03, 0.03, 0.05, 0.08, 0.06),
    "bandwidth_mbps": (0.05, 0.06, 0.08, 0.10, 0.10),
    "latency_ms": (0.08, 0.05, 0.15, 0.10, 0.30),
}
"""Farthest from the physics that mean, p50, p95, p99 and coefficient of variation may be, as a share of it."""
MOST_CORRELATION = 0.08
"""Farthest that autocorrelations at 1, 4 and 16 ticks may be."""


@pytest.mark.parametrize("scenario", ["multi_zone", "complex", "single_zone"])
def test_it_does_not_run_away(scenario: str) -> None:
    """48 worlds hold their allocations for an hour. A network that reads its own output once drove memory to hundreds of
    GB in two of three ticks; no zone of the physics wants a tenth of that."""
    worst: dict[str, Array] = {}
    for dynamics in ("physics", "stgnn"):
        world = SimulatedWorld(scenario, 48, dynamics)
        command = Command.of(world.reset(seeds=range(100, 148)).zones["pending"])
        demand, memory_mb = np.zeros(3), 0.0
        for _ in range(240):
            outcome = world.step(command).outcome.zones
            demand = np.maximum(demand, outcome["demand"].max(axis=(0, 1)))
            memory_mb = max(memory_mb, float(world.state.zones["memory_mb"].max()))
            assert outcome["latency_ms"].max() <= world.scenario.service.down_latency_ms
        worst[dynamics] = np.array([*demand, memory_mb])
    assert np.isfinite(worst["stgnn"]).all()
    assert (worst["stgnn"] < 1.6 * worst["physics"]).all(), worst
    assert (worst["stgnn"] > 0.6 * worst["physics"]).all(), worst


@pytest.mark.parametrize("policy", list(WATCHED))
@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_it_looks_like_the_physics(scenario: str, policy: str) -> None:
    physics, learned = (
        roll_out(scenario, dynamics, WATCHED[policy](), SCENARIOS[scenario], 240) for dynamics in ("physics", "stgnn")
    )
    theirs, ours = physics.figures(), learned.figures()
    for target in TARGETS:
        apart = distances(ours[target], theirs[target])
        limits = dict(zip(RELATIVE, LIMITS[target], strict=True))
        far = {name: apart[name] for name in FIGURES if abs(apart[name]) > limits.get(name, MOST_CORRELATION)}
        assert not far, f"{target}: {apart}"


def test_noise_alone_is_told_from_users() -> None:
    """Runs that differ in noise meet the same users."""
    one, other = (
        roll_out("single_zone", "physics", WATCHED["static"](), range(3), 20, seed) for seed in (None, OTHER_NOISE)
    )
    assert isinstance(one, Rollout)
    assert (one.values[0] != other.values[0]).any()
    np.testing.assert_allclose(one.values[..., MEMORY], other.values[..., MEMORY], rtol=0.3)


def test_report_holds_everything() -> None:
    parts: list[int] = []
    found = compare_worlds("single_zone", "physics", range(3), 20, lambda: parts.append(1))
    assert len(parts) == len(WATCHED) + 2
    assert set(found) == {"distances", "chance", "effects", "ranking"}
    assert all(
        value == 0.0
        for targets in found["distances"].values()
        for figures in targets.values()
        for value in figures.values()
    )
    assert found["ranking"]["tau"] == pytest.approx(1.0, abs=0.2)
    assert [table.row_count for table in tables(found)] == [12, 5, 9]
