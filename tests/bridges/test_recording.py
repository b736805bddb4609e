"""A recording: forecasters train on it, simulations replay it, and an interruption loses nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bridges.clock import ManualClock
from bridges.dryrun import DryRunCluster
from bridges.errors import UnavailableError
from bridges.recording.recorder import Recorder
from bridges.recording.rows import FEATURES
from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError
from metaverse_env.panels import load_panel
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace

plain = load_scenario("multi_zone")
SCENARIO = plain.with_changes(layout=plain.layout.model_copy(update={"zones": 3}))


@pytest.fixture
def cluster() -> DryRunCluster:
    return DryRunCluster(SCENARIO, seed=4)


def recorder(cluster: DryRunCluster, out: Path, **arguments: Any) -> Recorder:
    near = {"zone-1": ["zone-2"], "zone-2": ["zone-3"]}
    return Recorder(cluster, cluster.telemetry, out, cluster.clock, 15.0, neighbours=near, **arguments)


def test_a_recording_is_a_panel_of_what_was_measured(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    recorder(cluster, out).run(20)
    panel = load_panel(out)
    assert (panel.values.shape, panel.feature_names, panel.names) == (
        (20, 3, len(FEATURES)),
        FEATURES,
        ("zone-1", "zone-2", "zone-3"),
    )
    assert panel.timestamps is not None
    assert np.diff(panel.timestamps).tolist() == [15.0] * 19
    assert panel.edge_index is not None
    assert panel.edge_index.shape == (2, 4)
    now = cluster.telemetry.read(cluster.read().workloads)["zone-2"]
    assert panel.feature("users")[-1, 1] == pytest.approx(now["users"].value)
    assert cluster.written == []


def test_silence_is_recorded_as_missing_and_never_as_zero(cluster: DryRunCluster, tmp_path: Path) -> None:
    cluster.faults.silent.add("zone-2")
    panel = recorder(cluster, tmp_path / "panel.npz").run(5)
    assert np.isnan(panel.feature("users")[:, 1]).all()
    assert not np.isnan(panel.feature("users")[:, [0, 2]]).any()
    assert (panel.feature("replicas") == 1.0).all()


def test_a_cluster_that_is_away_leaves_a_row_of_nothing(cluster: DryRunCluster, tmp_path: Path) -> None:
    one = recorder(cluster, tmp_path / "panel.npz")
    cluster.faults.reading = UnavailableError("away")
    panel = one.run(3)
    assert np.isnan(panel.values).all()
    assert one.lost_ticks == 3


def test_an_interruption_loses_nothing(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"

    def interrupt(done: int, known: float) -> None:
        if done == 7 and known > 0.0:
            raise KeyboardInterrupt

    recorder(cluster, out).run(100, interrupt)
    assert len(load_panel(out).values) == 7
    assert len(out.with_suffix(".csv").read_text(encoding="utf-8").splitlines()) == 8


def test_a_recording_goes_on_where_it_ended(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    first = recorder(cluster, out).run(5)
    with pytest.raises(ConfigurationError, match="--append"):
        recorder(cluster, out)
    assert isinstance(cluster.clock, ManualClock)
    cluster.clock.advance(60.0)
    both = recorder(cluster, out, append=True).run(5)
    assert len(both.values) == 10
    np.testing.assert_array_equal(both.values[:5], first.values)


def test_other_zones_are_not_appended(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    recorder(cluster, out).run(3)
    cluster.delete("zone-3")
    with pytest.raises(ConfigurationError, match="zone-3"):
        Recorder(cluster, cluster.telemetry, out, cluster.clock, 15.0, append=True)


def test_the_simulator_replays_the_trace(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    panel = recorder(cluster, out).run(40)
    trace = load_trace(out.with_suffix(".csv"))
    assert trace.names == panel.names
    short = SCENARIO.with_changes(episode_ticks=20)
    world = SimulatedWorld(short, dynamics="trace", trace=trace)
    telemetry = world.reset(seeds=[0])
    users = [world.step(Command.of(telemetry.allocation)).outcome.zones["users"][0] for _ in range(15)]
    assert np.isfinite(users).all()
    assert np.max(users) > 0


def test_the_simulator_replays_the_panel(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    recorder(cluster, out).run(40)
    world = SimulatedWorld(SCENARIO.with_changes(episode_ticks=20), dynamics="trace", trace=load_trace(out))
    telemetry = world.reset(seeds=[0])
    tick = world.step(Command.of(telemetry.allocation))
    assert (tick.outcome.zones["demand"] > 0.0).all()


def test_a_forecaster_trains_on_the_panel(cluster: DryRunCluster, tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    recorder(cluster, out).run(160)
    options = {"--models": "stgnn", "--horizons": "1,4", "--minutes": "0.05", "--out": str(tmp_path / "forecast")}
    arguments = ["forecast", "evaluate", "--data", str(out), *(text for pair in options.items() for text in pair)]
    found = CliRunner().invoke(app, [*arguments, "--json"])
    assert found.exit_code == 0, found.output


def test_the_command_records_a_cluster_in_memory(tmp_path: Path) -> None:
    out = tmp_path / "panel.npz"
    found = CliRunner().invoke(app, ["bridge", "record", str(out), "--memory", "single_zone", "--ticks", "4", "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["ticks"] == 4
    again = CliRunner().invoke(app, ["bridge", "record", str(out), "--memory", "single_zone", "--ticks", "4"])
    assert again.exit_code == 2
    assert "--append" in again.output
