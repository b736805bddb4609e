"""``metaverse live``: what it shows, what it writes, and what it refuses before anything runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.recording import load_recording, replay

QUICK = ["--dynamics", "physics", "--forecaster", "none", "--size", "960x540", "--fps", "5"]
ROOT = Path(__file__).parents[3]


def live(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["live", *map(str, arguments)], prog_name="metaverse")


def facts(found: Result) -> dict[str, object]:
    assert found.exit_code == 0, found.output
    told: dict[str, object] = json.loads(found.stdout)
    return told


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "frames"])
def test_a_film_is_written_without_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    path = tmp_path / name
    told = facts(live("--headless", "--out", path, *QUICK, "--ticks", 4, "--scenario", "single_zone", "--json"))
    assert told["film"] == str(path)
    assert (told["pictures"], told["fps"], told["ticks"]) == (10, 5, 5)
    assert (told["scenario"], told["policy"], told["source"]) == ("single_zone", "threshold", "simulation")
    assert path.exists()


def test_the_same_seed_gives_the_same_film(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> bytes:
        arguments = ["--headless", "--out", tmp_path / name, *QUICK, "--seconds", 1, "--seed", seed]
        assert live(*arguments).exit_code == 0
        return (tmp_path / name).read_bytes()

    assert written("a.mp4", 4) == written("b.mp4", 4) != written("c.mp4", 5)


def test_an_episode_is_kept_and_shown_again(tmp_path: Path) -> None:
    episode = tmp_path / "episode.npz"
    common = ["--headless", *QUICK, "--json", "--out"]
    kept = facts(live(*common, tmp_path / "a.gif", "--ticks", 6, "--keep", episode, "--seed", 3))
    assert kept["episode"] == str(episode)
    recording = load_recording(episode)
    assert recording.ticks == kept["ticks"]
    assert replay(recording) is None
    again = facts(live("--headless", "--json", "--out", tmp_path / "b.gif", "--replay", episode, "--fps", 5))
    assert (again["source"], again["policy"], again["ticks"]) == ("replay", "threshold", kept["ticks"])
    assert again["users"] == kept["users"]


def test_a_cluster_in_memory_is_filmed(tmp_path: Path) -> None:
    told = facts(
        live("--headless", "--dry-run-cluster", "--out", tmp_path / "a.gif", *QUICK[2:], "--ticks", 3, "--json")
    )
    assert (told["source"], told["state"]) == ("cluster", "live")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "1280"], "give WIDTHxHEIGHT"),
        (["--size", "²x3"], "give WIDTHxHEIGHT"),
        (["--size", "9000x100"], "at most 8192 px"),
        (["--speed", "100"], "speed = 100 ticks per second; must be from 0.0625 to 64"),
        (["--speed", "nan"], "speed = nan"),
        (["--ticks", "3", "--seconds", "2"], "--seconds and --ticks both say how long"),
        (["--headless", "--web"], "give one of them"),
        (["--replay", "a.npz", "--dry-run-cluster"], "--replay and --dry-run-cluster are different worlds"),
        (["--cluster", "zones", "--keep", "a.npz"], "--keep records a simulation"),
        (["--replay", "a.npz", "--scenario", "complex"], "leave --scenario out"),
        (["--replay", "nowhere.npz"], "nowhere.npz"),
        (["--keep", "a.json"], "ends with .npz"),
        (["--scenario", "complexx"], "Did you mean 'complex'"),
        (["--policy", "treshold"], "Did you mean 'threshold'"),
        (["--server", "127.0.0.1:8000"], "is no address"),
        (["--headless", "--out", "a.avi"], "film format 'avi'"),
        (["--headless", "--out", "a.gif", "--fps", "60", "--seconds", "1"], "at most 50"),
        (["--headless", "--seconds", "0"], "has no picture"),
        (["--headless", "--size", "320x200"], "needs at least 960 x 540"),
    ],
)
def test_what_cannot_be_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ["--dynamics", "physics", "--forecaster", "none"]
    found = live(*quick, *arguments)
    assert found.exit_code == 2, found.output
    assert words in " ".join(found.stderr.split())
    assert not list(tmp_path.glob("*"))


def test_without_a_display_the_command_says_what_to_do_instead() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.pop("SDL_VIDEODRIVER", None)
    command = [sys.executable, "-m", "metaverse_env.cli", "live", *QUICK]
    run = subprocess.run(
        command, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "DISPLAY and WAYLAND_DISPLAY are not set" in run.stderr
    assert "--headless --out demo.mp4" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_display_that_is_not_there_is_said_to_be_none() -> None:
    environment = {**os.environ, "DISPLAY": ":4711", "PYTHONPATH": str(ROOT)}
    environment.pop("SDL_VIDEODRIVER", None)
    command = [sys.executable, "-m", "metaverse_env.cli", "live", *QUICK]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "no window can be opened" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_window_in_memory_runs_for_as_long_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.chdir(tmp_path)
    told = facts(live("--seconds", 0.6, *QUICK, "--scenario", "single_zone", "--json"))
    assert told["ticks"] in (1, 2, 3)
    assert "film" not in told


def test_without_a_server_the_page_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("fastapi", "starlette", "uvicorn")]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [
        name for name in sys.modules if name.startswith("benchmarks.live.") and name.endswith(("web", "site"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    found = live("--web", *QUICK, "--scenario", "single_zone")
    assert found.exit_code == 1
    assert "metaverse-env[serve]" in found.stderr
