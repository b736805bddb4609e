"""A generated week: users of the workload generator alone, and a trace like any other."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.conditions import conditions
from benchmarks.suite import compare
from benchmarks.week import SPARE_SAMPLES, generate, write
from metaverse_env.cli import app
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace


def test_the_command_writes_a_trace_of_so_many_ticks(tmp_path: Path) -> None:
    arguments = [
        "benchmark",
        "week",
        "--scenario",
        "single_zone",
        "--ticks",
        "100",
        "--seed",
        "3",
        "--out",
        str(tmp_path),
    ]
    found = CliRunner().invoke(app, [*arguments, "--json"])
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    trace = load_trace(said["path"])
    assert trace.users.shape == (102, 1)
    assert trace.step_s == 15.0
    assert said["mean_users"] == pytest.approx(float(trace.users.mean()))
    once = Path(said["path"]).read_bytes()
    again = CliRunner().invoke(app, arguments)
    assert "--mean-users" in again.stdout
    assert Path(said["path"]).read_bytes() == once
    assert [path.name for path in tmp_path.iterdir()] == ["users-single_zone-3.csv.gz"]


def test_a_whole_week_has_its_length_its_hours_and_its_peaks() -> None:
    scenario = load_scenario("single_zone")
    passed: list[int] = []
    start_s, users = generate(scenario, 5, 40_320 + SPARE_SAMPLES, passed.append)
    (counts,) = users.values()
    assert len(counts) == sum(passed) == 40_322
    assert counts.min() >= 0
    hours = ((start_s + 15.0 * np.arange(len(counts))) % 86_400) / 3600
    evening = counts[(hours >= 19) & (hours < 21)].mean()
    morning = counts[(hours >= 7) & (hours < 9)].mean()
    assert evening > 1.3 * morning  # the daily peak is at 20 h, and the mean day's is three times its trough


def test_before_anybody_is_driven_away_they_are_the_users_of_the_world() -> None:
    scenario = load_scenario("single_zone")
    world = SimulatedWorld(scenario)
    telemetry = world.reset(seeds=[11])
    generous = Command.of(4.0 * telemetry.allocation)
    lived = [world.step(generous).outcome.zones["users"][0, 0] for _ in range(40)]
    _, users = generate(scenario, 11, 40)
    assert users[world.zones.names[0]].tolist() == lived


def test_losses_that_nobody_mends_keep_nobody_away() -> None:
    scenario = load_scenario("complex")
    _, users = generate(scenario, 1, 6_000)
    counts = np.stack(list(users.values()), axis=1)
    assert (counts[-1_000:].max(axis=0) > 0).all()


def test_controllers_replay_it_whole(tmp_path: Path) -> None:
    scenario = load_scenario("multi_zone")
    path = tmp_path / "week.csv.gz"
    write(path, *_placed(generate(scenario, 2, 300 + SPARE_SAMPLES), scenario.tick_s))
    trace = load_trace(path)
    mean = float(trace.users.mean(dtype=np.float64))
    terms = conditions(trace=str(path), mean_users=mean, forecaster="none", seeds=1, ticks=300)
    (result,) = compare(terms, ("threshold",), codec=False)
    assert result.scores["cost_eur_per_h"] > 0.0
    with pytest.raises(Exception, match="does not fit trace"):
        next(compare(conditions(trace=str(path), forecaster="none", seeds=1, ticks=301), ("threshold",)))


def _placed(
    generated: tuple[float, dict[str, np.ndarray]], tick_s: float
) -> tuple[float, float, dict[str, np.ndarray]]:
    start_s, users = generated
    return start_s, tick_s, users
