"""``metaverse forecast`` and ``metaverse train predictor --data`` from end to end."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.panels import Panel, load_panel, save_panel

KEYS = {"mae", "rmse", "mse", "quantile_loss", "coverage_50", "coverage_90", "coverage_99", "count"}
QUICK = ("--minutes", "0.02", "--threads", "1")


def metaverse(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def saved(path: Path, values: np.ndarray, **more: object) -> Path:
    values = np.asarray(values, dtype=np.float32)
    values = values.reshape(*values.shape, *[1] * (3 - values.ndim))
    names = [tuple(f"{kind}{n}" for n in range(size)) for kind, size in zip("zf", values.shape[1:], strict=True)]
    save_panel(path, Panel(values, names[1], names[0], **more))  # type: ignore[arg-type]
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def all_missing_zone() -> np.ndarray:
    values = noise(60, 3)
    values[:, 1] = np.nan
    return values


def holed() -> np.ndarray:
    values = noise(60, 3, 2)
    values[np.random.default_rng(1).random(values.shape) < 0.4] = np.nan
    return values


KINDS = {
    "35 times 15 zones": noise(35, 15),
    "one zone": noise(60, 1),
    "many features": noise(60, 2, 9),
    "a zone never observed": all_missing_zone(),
    "missing values": holed(),
    "a constant": np.full((60, 2), 3.0),
    "zero": np.zeros((60, 2)),
    "negative": noise(60, 2) - 50.0,
    "huge": 1e12 * np.exp(noise(60, 2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_panel_is_judged(kind: str, tmp_path: Path) -> None:
    """By every model, with the JSON's shape, and without a warning, which would be an error here."""
    path = saved(tmp_path / "panel.npz", KINDS[kind])
    found = metaverse("forecast", "evaluate", "--data", path, "--horizons", "1,3,6,18", *QUICK, "--json")
    assert found.exit_code == 0, found.output
    results = json.loads(found.stdout)
    assert list(results) == ["stgnn", "persistence", "seasonal_naive", "seasonal_deviation", "ridge", "lightgbm"]
    for model in results.values():
        assert list(model) == ["1", "3", "6", "18"]
        for figures in model.values():
            assert set(figures) >= KEYS
            assert all(np.isfinite(figures[key]) for key in KEYS)
            assert figures["rmse"] == pytest.approx(figures["mse"] ** 0.5) or "features" in figures
    assert len({model["6"]["count"] for model in results.values()}) == 1, "all are judged on the same"


def test_it_writes_figures_and_pictures(tmp_path: Path) -> None:
    path = saved(tmp_path / "panel.npz", noise(60, 3, 2), timestamps=60.0 * np.arange(60))
    arguments = (
        "--horizons",
        "3,1,3",
        "--models",
        "ridge, persistence,ridge",
        "--lags",
        "4",
        "--out",
        tmp_path / "out",
    )
    found = metaverse("forecast", "evaluate", "--data", path, *arguments)
    assert found.exit_code == 0, found.output
    assert "Test part" in found.stdout
    results = json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))
    assert {model: list(horizons) for model, horizons in results.items()} == {
        "ridge": ["1", "3"],
        "persistence": ["1", "3"],
    }
    assert all(one["minutes"] == 8.0 and not one["stopped_early"] for one in results["ridge"].values())
    for name in ("forecasts.png", "errors.png"):
        assert (tmp_path / "out" / name).stat().st_size > 10_000


@pytest.mark.parametrize("model", ["stgnn-no-graph", "stgnn-learned-graph", "stgnn-no-intents", "stgnn"])
def test_the_network_is_judged_without_its_parts(model: str, tmp_path: Path) -> None:
    pairs = np.array([[0, 1, 2], [1, 2, 0]])
    path = saved(tmp_path / "panel.npz", noise(60, 3), edge_index=pairs, intents=noise(60, 3, 2))
    found = metaverse("forecast", "evaluate", "--data", path, "--horizons", "1", "--models", model, *QUICK, "--json")
    assert found.exit_code == 0, found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "stgn"], "Did you mean 'stgnn'"),
        (["--split", "0.7,0.3"], "three positive shares"),
        (["--split", "0.7,0.1,nan"], "three positive shares"),
        (["--split", "0.7,0,0.3"], "three positive shares"),
        (["--split", "most"], "numbers with commas"),
        (["--horizons", "0"], "ticks from 1 on"),
        (["--horizons", "1,x"], "numbers with commas"),
        (["--horizons", "50"], "cannot be learnt from a training part of 42 ticks"),
        (["--lags", "0"], "--lags"),
        (["--data", "nowhere.npz"], "does not exist"),
        (["--data", "nowhere.csv"], "cannot be read as CSV"),
        (["--data", "short.npz"], "no observed value"),
        (["--out", "file/below"], "cannot write there"),
    ],
)
def test_wrong_usage_is_2_and_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    saved(Path("panel.npz"), noise(60, 2))
    saved(Path("short.npz"), noise(2, 2))
    data = [] if "--data" in arguments else ["--data", "panel.npz"]
    for command in (("forecast", "evaluate", "--models", "persistence"), ("train", "predictor")):
        if command[0] == "train" and arguments[0] == "--models":
            continue
        found = metaverse(*command, *data, *arguments)
        assert found.exit_code == 2, found.output
        assert said in " ".join(found.stderr.replace("│", " ").split())
        assert found.stdout == ""
        assert "Traceback" not in found.stderr


def test_a_long_csv_becomes_a_panel(tmp_path: Path) -> None:
    rows = ["ts,pod,cpu_m,mem_mi", "0,a,1,10", "61,a,2,", "1,b,3,30", "59,b,4,40", "120,a,5,50"]
    (tmp_path / "long.csv").write_text("\n".join(rows), encoding="utf-8")
    command = ("forecast", "panel", "--csv", tmp_path / "long.csv", "--time", "ts", "--name", "pod")
    found = metaverse(*command, "--features", "cpu_m,mem_mi", "--step-s", "60", "--out", tmp_path / "made.npz")
    assert found.exit_code == 0, found.output
    panel = load_panel(tmp_path / "made.npz")
    assert (panel.names, panel.feature_names) == (("a", "b"), ("cpu_m", "mem_mi"))
    np.testing.assert_array_equal(panel.values[:, 0], [[1, 10], [2, np.nan], [5, 50]])
    np.testing.assert_array_equal(panel.values[:, 1], [[3, 30], [4, 40], [np.nan, np.nan]])
    wrong = metaverse(*command, "--features", "cpu", "--out", tmp_path / "made.npz")
    assert (wrong.exit_code, "Did you mean 'cpu_m'" in wrong.stderr) == (2, True)


def test_tables_are_whole_where_there_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of every feature, whatever width the environment claims; and no mean over units."""
    monkeypatch.setenv("COLUMNS", "40")
    path = saved(tmp_path / "panel.npz", 1e-7 * noise(60, 3, 2))
    found = metaverse("forecast", "evaluate", "--data", path, "--models", "seasonal_deviation,persistence")
    assert "…" not in found.stdout
    for heading in ("ticks ahead", "feature", "q-loss", "<=p50", "<=p90", "<=p99"):
        assert heading in found.stdout
    rows = [line.split("│")[1:-1] for line in found.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == 4 * 2 * 2, "horizons, features, models"
    assert {row[1].strip() for row in rows} == {"f0", "f1"}
    for name in ("seasonal_deviation", "persistence …", "persistence: done in"):
        assert name in found.stdout + found.stderr


def test_trees_that_time_stops_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "panel.npz", noise(3000, 6))
    out = tmp_path / "out"
    models = ("--models", "lightgbm,persistence", "--minutes", "0.01", "--threads", "1")
    found = metaverse("forecast", "evaluate", "--data", path, *models, "--out", out)
    assert re.search(r"lightgbm: stopped by --minutes at \d+ of \d+ trees", found.stderr)
    assert "lightgbm *" in found.stdout
    assert "stopped by --minutes" in found.stdout
    results = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert {(one["minutes"], one["stopped_early"]) for one in results["lightgbm"].values()} == {(0.01, True)}
    assert not any(one["stopped_early"] for one in results["persistence"].values())


CLOCK = "time,a\n" + "".join(f"{60 * row},{row % 7}\n" for row in range(100)) + "6000000,1\n"


def test_a_wrong_clock_is_refused_and_can_be_cut_off(tmp_path: Path) -> None:
    (tmp_path / "clock.csv").write_text(CLOCK, encoding="utf-8")
    judge = ("forecast", "evaluate", "--data", tmp_path / "clock.csv", "--models", "persistence", "--horizons", "1")
    found = metaverse(*judge)
    said = " ".join(found.stderr.replace("│", " ").split())
    assert found.exit_code == 2
    assert "101 times would become 100001 rows, one every 60 s" in said
    assert "times jump from 1970-01-01 01:39:00 to 1970-03-11 10:40:00 UTC" in said
    found = metaverse(*judge, "--until", "1970-01-02", "--from", "600")
    assert found.exit_code == 0, found.output
    assert "from 1970-01-01 00:10:00 to 1970-01-01 01:39:00 UTC, every 60 s" in found.stderr
    make = ("forecast", "panel", "--csv", tmp_path / "clock.csv", "--out", tmp_path / "made.npz")
    assert "times jump from" in metaverse(*make).stderr
    made = metaverse(*make, "--until", "6000")
    assert "100 times" in made.stdout
    assert "every 60 s" in made.stdout
    assert "jump" not in made.stderr
    assert "no row lies within" in metaverse(*make, "--from", "2000-01-01").stderr
    assert "'noon' is no time" in metaverse(*make, "--from", "noon").stderr


def test_a_wide_csv_off_the_grid_is_put_on_one(tmp_path: Path) -> None:
    """And needs no header, like a trace."""
    rows = [f"{1000.0 + 300.004 * row + 60.0 * (row % 3):.3f},{row}" for row in range(200)]
    (tmp_path / "wide.csv").write_text("\n".join(rows), encoding="utf-8")
    judge = ("forecast", "evaluate", "--data", tmp_path / "wide.csv", "--models", "persistence", "--horizons", "1")
    assert "--step-s" in metaverse(*judge).stderr
    assert metaverse(*judge, "--step-s", "300", "--json").exit_code == 0
    made = metaverse(
        "forecast", "panel", "--csv", tmp_path / "wide.csv", "--step-s", "300", "--out", tmp_path / "a.npz"
    )
    assert made.exit_code == 0, made.output
    panel = load_panel(tmp_path / "a.npz")
    assert panel.names == ("zone-1",)
    assert panel.timestamps is not None
    assert (panel.timestamps % 300.0 == 0.0).all()


def test_a_long_csv_is_recognised_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("ts,service,cpu\n0,adservice,1\n60,adservice,2\n", encoding="utf-8")
    words = ["forecast", "evaluate", "--data", str(tmp_path / "long.csv")]
    script = (
        "import sys\nfrom metaverse_env.cli import app\ntry:\n"
        f"    app({words!r})\nexcept SystemExit as end:\n    print(end.code, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert run.stdout.split() == ["2", "False"], run.stderr
    assert "'adservice' is no number" in " ".join(run.stderr.replace("│", " ").split())
    assert "'metaverse forecast panel' makes a panel of it" in " ".join(run.stderr.replace("│", " ").split())


def test_interrupted_it_says_nothing_but_130(tmp_path: Path) -> None:
    path = saved(tmp_path / "panel.npz", noise(400, 10))
    words = ["forecast", "evaluate", "--data", str(path), "--models", "stgnn", "--minutes", "5"]
    script = f"from metaverse_env.cli import app\napp({words!r})"
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(12.0)
    run.send_signal(signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 130, stderr
    assert stdout == ""
    assert "Traceback" not in stderr


# --- training and using a forecaster of one's own ---


def test_a_panel_is_learnt_and_forecast(tmp_path: Path) -> None:
    path = saved(tmp_path / "panel.npz", noise(80, 3, 2), timestamps=3600.0 * np.arange(80))
    command = (
        "train",
        "predictor",
        "--data",
        path,
        "--lags",
        "4",
        "--horizons",
        "1,3",
        "--out",
        tmp_path / "run",
        *QUICK,
    )
    made = metaverse(*command, "--json")
    assert made.exit_code == 0, made.output
    assert set(json.loads(made.stdout)) == {"stgnn", "persistence"}
    files = {one.name.split(".")[0] for one in (tmp_path / "run" / "panel").iterdir()}
    assert files == {"config", "metrics", "curves", "checkpoint", "events"}
    again = metaverse(*command, "--resume", "--json")
    assert json.loads(again.stdout) == json.loads(made.stdout)
    other = saved(tmp_path / "other.npz", noise(81, 3, 2), timestamps=3600.0 * np.arange(81))
    refused = metaverse(*command, "--resume", "--data", other)
    assert (refused.exit_code, "made with other fixed" in refused.stderr) == (2, True)
    predict = ("forecast", "predict", "--model", tmp_path / "run" / "stgnn_panel", "--data")
    found = json.loads(metaverse(*predict, path, "--json").stdout)
    assert list(found) == ["z0", "z1", "z2"]
    assert {feature: list(horizons) for feature, horizons in found["z1"].items()} == {
        "f0": ["1", "3"],
        "f1": ["1", "3"],
    }
    low, middle, high = found["z2"]["f1"]["3"]
    assert low <= middle <= high
    assert "90 %" in metaverse(*predict, path).stdout
    wrong = saved(tmp_path / "wrong.npz", noise(80, 3, 2), timestamps=60.0 * np.arange(80))
    assert "times are 60 s apart" in metaverse(*predict, wrong).stderr
    assert metaverse(*predict, wrong).exit_code == 2


def test_a_panel_has_a_forecaster_of_its_own(tmp_path: Path) -> None:
    path = saved(tmp_path / "panel.npz", noise(80, 3))
    found = metaverse("train", "predictor", "--data", path, "--kind", "dynamics", "--out", tmp_path)
    assert found.exit_code == 2
