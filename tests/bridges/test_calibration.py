"""The world model fitted to real pods, and the simulation judged by a recording that it was not fitted to.

``data/first.npz`` and ``data/second.npz`` were recorded by ``measure.py`` on a real node: zones with CPU limits of 300m,
500m and 1000m in the first, 400m, 700m and 1500m in the second, each at three loads.
"""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bridges.calibration.fitting import CONSTANTS, Fit, fit
from bridges.calibration.points import NEEDED, Point, operating_points
from bridges.calibration.predicting import Judged, calibrated, predicted
from bridges.calibration.report import is_within, scenario_toml
from metaverse_env.cli import app
from metaverse_env.errors import ConfigurationError
from metaverse_env.panels import Panel, load_panel
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.request_server import point_latency_ms, response_times_ms

DATA = Path(__file__).parent / "data"
TRUE = {"service_ms": 8.0, "cv": 0.3, "threads": 2.0, "base_ms": 5.0, "idle": 0.02}


def made_up(rows: int = 4, noise: float = 0.02) -> Panel:
    """Return a recording whose constants are known."""
    random, values = np.random.default_rng(3), []
    for cores in (0.2, 0.4, 1.0):
        for load in (8.0, 16.0):
            demand = TRUE["idle"] + load * TRUE["service_ms"] / 1e3
            p50, p95, _ = point_latency_ms(demand, cores, TRUE["service_ms"], 1.0, TRUE["cv"], TRUE["threads"])
            for _ in range(rows):
                wobble = np.exp(noise * random.standard_normal(3))
                values.append(
                    [
                        load,
                        demand * wobble[0],
                        (TRUE["base_ms"] + p50) * wobble[1],
                        (TRUE["base_ms"] + p95) * wobble[2],
                        cores,
                    ]
                )
    return Panel(np.array(values, dtype=np.float32)[:, None], NEEDED, ("zone-1",))


def test_known_constants_are_found() -> None:
    found = fit(operating_points(made_up()), resamples=50)
    constants = dict(zip(CONSTANTS, found.constants.tolist(), strict=True))
    assert constants["cpu_base_cores"] == pytest.approx(TRUE["idle"], abs=0.005)
    assert constants["cpu_per_request_ms"] == pytest.approx(TRUE["service_ms"], rel=0.05)
    assert constants["base_latency_ms"] == pytest.approx(TRUE["base_ms"], abs=1.0)
    assert constants["request_service_cv"] == TRUE["cv"]
    assert constants["server_threads"] == TRUE["threads"]
    assert found.error < 0.05


def test_intervals_hold_the_constants_and_widen_with_noise() -> None:
    quiet, loud = (fit(operating_points(made_up(noise=noise)), resamples=60) for noise in (0.01, 0.10))
    assert (quiet.low <= quiet.constants + 1e-9).all()
    assert (quiet.constants <= quiet.high + 1e-9).all()
    width = quiet.high - quiet.low, loud.high - loud.low
    assert width[1][1] > width[0][1]


def test_rows_of_the_same_load_and_allocation_are_one_point() -> None:
    points = operating_points(made_up())
    assert [(point.allocated_cores, round(point.requests_per_s)) for point in points] == [
        (pytest.approx(cores), load) for cores in (0.2, 0.4, 1.0) for load in (8, 16)
    ]
    assert all(len(point.rows) == 4 for point in points)


def test_the_latency_of_a_point_is_weighted_by_requests() -> None:
    rows = np.array([[10.0, 0.1, 10.0, 20.0, 1.0], [30.0, 0.3, 20.0, 60.0, 1.0]])
    assert Point("a", 1.0, rows).latency_ms.tolist() == [17.5, 50.0]


def test_what_is_missing_is_said() -> None:
    panel = made_up()
    without = Panel(panel.values[..., 1:], panel.feature_names[1:], panel.names, source="p.npz")
    with pytest.raises(ConfigurationError, match=r"p\.npz has no requests_per_s"):
        operating_points(without)
    silent = Panel(np.full_like(panel.values, np.nan), panel.feature_names, panel.names)
    with pytest.raises(ConfigurationError, match="no row"):
        operating_points(silent)
    with pytest.raises(ConfigurationError, match="at least 3"):
        fit(operating_points(panel)[:2])


def test_a_scenario_file_says_what_was_fitted(tmp_path: Path) -> None:
    found = Fit(*(np.array([0.01, 12.0, 3.5, 0.45, 1.5]) for _ in range(3)), error=0.1)
    scenario = calibrated(found)
    path = tmp_path / "scenario.toml"
    path.write_text(scenario_toml(scenario, found, "first.npz", "multi_zone"), encoding="utf-8")
    assert load_scenario(path) == scenario
    assert tomllib.loads(path.read_text(encoding="utf-8"))["service"]["request_service_ms"] == 12.0


def test_the_simulation_says_what_the_model_says() -> None:
    """A world that replays a constant load gives the latencies of the table, and the base latency on top."""
    found = Fit(*(np.array([0.0, 12.0, 4.0, 0.3, 2.0]) for _ in range(3)), error=0.0)
    rows = np.array([[15.0, 0.18, 18.0, 140.0, 0.3]])
    (judged,) = predicted(calibrated(found), [Point("a", 0.3, rows)])
    direct = point_latency_ms(0.18, 0.3, 12.0, 1.0, 0.3, 2.0)
    assert judged.predicted_ms[0] == pytest.approx(4.0 + direct[0], rel=0.1)
    assert judged.predicted_ms[1] == pytest.approx(4.0 + direct[1], rel=0.2)
    assert judged.errors == pytest.approx([judged.predicted_ms[0] / 18.0 - 1.0, judged.predicted_ms[1] / 140.0 - 1.0])


def test_sim_to_real_a_second_recording_is_predicted(tmp_path: Path) -> None:
    """Fitted to one recording of real pods, p50 and p95 of another are within 30 % on at least six operating points."""
    arguments = ["bridge", "calibrate", str(DATA / "first.npz"), "--against", str(DATA / "second.npz")]
    found = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path), "--resamples", "20", "--json"])
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    points = figures["points"]["against second.npz"]
    limits = {round(point["allocated_cores"], 3) for point in points}
    assert limits.isdisjoint(round(point["allocated_cores"], 3) for point in figures["points"]["first.npz"])
    assert sum(point["within"] for point in points) == figures["within"]["against second.npz"] >= 6
    assert figures["constants"]["cpu_per_request_ms"]["value"] == pytest.approx(12.0, rel=0.02)
    assert (tmp_path / "plot.png").stat().st_size > 10_000
    assert load_scenario(tmp_path / "scenario.toml").service.model == "quota"


def test_within_means_both_latencies() -> None:
    point = Judged("a", 1.0, 1.0, (10.0, 10.0), (12.9, 7.1))
    assert is_within(point)
    assert not is_within(point._replace(predicted_ms=(10.0, 13.1)))


def test_recordings_are_real_and_whole() -> None:
    for name in ("first", "second"):
        assert len(operating_points(load_panel(DATA / f"{name}.npz"))) >= 6


def test_a_quota_holds_back_what_it_does_not_cover() -> None:
    """By hand: three requests of 20 ms at once on two cores with 30 ms a period.

    All three share two cores: after 15 ms the 30 ms are spent, each has 10 ms left. At 100 ms the next period begins,
    and 15 ms later they are done.
    """
    found = response_times_ms(np.zeros(3), np.full(3, 20.0), quota_ms=30.0, threads=2.0)
    assert found.tolist() == pytest.approx([115.0, 115.0, 115.0])


def test_without_a_quota_it_is_processor_sharing() -> None:
    """Kleinrock: the mean sojourn of M/G/1-PS is S / (1 - rho), whatever the distribution of the service time."""
    random = np.random.default_rng(1)
    arrivals = np.cumsum(random.exponential(20.0, 200_000))
    for works in (np.full(200_000, 10.0), random.exponential(10.0, 200_000)):
        found = response_times_ms(arrivals, works, quota_ms=1e9, threads=1.0)
        assert found.mean() == pytest.approx(10.0 / (1.0 - 0.5), rel=0.05)


def test_more_quota_never_gives_more_latency() -> None:
    found = [point_latency_ms(0.2, quota, 12.0, 1.0, 0.3, 2.0) for quota in (0.25, 0.3, 0.5, 1.0, 2.0)]
    assert (np.diff(np.array(found), axis=0) <= 1e-6).all()
