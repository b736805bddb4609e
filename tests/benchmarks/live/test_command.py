"""``metaverse live``: what it shows, what it writes, and what it refuses before anything runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.recording import load_recording, replay
from tests.live.desktop import wait_for

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
    assert (told["pictures"], told["fps"], told["ticks"]) == (10, 5, 4)
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
        (["--replay", "a.npz", "--scenario", "complex"], "leave --scenario and --dynamics out"),
        (["--replay", "a.npz", "--policy", "hpa", "--seed", "3"], "leave --policy and --seed and --dynamics out"),
        (["--dry-run-cluster"], "shows a cluster, and --dynamics is for simulations"),
        (["--keep", "a.json"], "ends with .npz"),
        (["--keep", "/proc/a.npz"], "--keep /proc/a.npz: cannot write there"),
        (["--headless", "--out", "/proc/a.mp4"], "film /proc/a.mp4: cannot write there"),
        (["--size", "0x0"], "--size 0x0: a picture needs at least 960 x 540 px"),
        (["--trace", "a.csv"], "a.csv"),
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


def run(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    """Begin the command in a process of its own."""
    command = [sys.executable, "-m", "metaverse_env.cli", "live", *QUICK, "--scenario", "single_zone"]
    return subprocess.Popen(
        [*command, *map(str, arguments)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def interrupted(process: subprocess.Popen[str], when: Callable[[], object]) -> tuple[str, str]:
    """Press Ctrl-C as soon as something is so; return what was printed."""
    try:
        wait_for(lambda: when() or process.poll() is not None, 60.0)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60.0)
    finally:
        process.kill()
    assert process.returncode in (130, -signal.SIGINT), (process.returncode, err)
    return out, err


def test_ctrl_c_keeps_the_episode_and_the_film(tmp_path: Path) -> None:
    episode, film = tmp_path / "ep.npz", tmp_path / "frames"
    out, _ = interrupted(
        run("--headless", "--out", f"{film}/", "--seconds", "600", "--keep", episode),
        lambda: len(list(film.glob("*.png"))) > 12,
    )
    recording = load_recording(episode)
    assert f"Episode: {episode} ({recording.ticks} ticks)" in out
    assert f"Film: {film} (" in out
    assert replay(recording) is None


def test_ctrl_c_in_a_window_keeps_the_episode_and_prints_json(tmp_path: Path) -> None:
    episode = tmp_path / "ep.npz"
    started = time.monotonic()
    process = run("--keep", episode, "--json", "--out", tmp_path, "--speed", "32", SDL_VIDEODRIVER="dummy")
    out, _ = interrupted(process, lambda: time.monotonic() > started + 8.0)
    told = json.loads(out)
    assert told["episode"] == str(episode)
    assert load_recording(episode).ticks == told["ticks"] > 0


def test_ctrl_c_at_a_page_prints_what_was_shown(tmp_path: Path) -> None:
    process = run("--web", "--json", "--keep", tmp_path / "ep.npz")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert json.loads(first)["url"].startswith("http://127.0.0.1:")
    out, err = interrupted(process, lambda: True)
    told = json.loads(out)
    assert told["source"] == "simulation"
    assert "Episode:" in err


def test_a_slash_makes_a_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "folder.d"
    found = live("--headless", "--out", f"{folder}/", *QUICK, "--ticks", 1, "--scenario", "single_zone")
    assert found.exit_code == 0, found.output
    assert sorted(path.suffix for path in folder.iterdir()) == [".png"] * 2


def test_an_odd_size_is_said_to_become_even(tmp_path: Path) -> None:
    arguments = ["--headless", *QUICK[:4], "--fps", "5", "--ticks", 1, "--scenario", "single_zone"]
    found = live(*arguments, "--size", "961x541", "--out", tmp_path / "a.mp4")
    assert found.exit_code == 0, found.output
    assert "--size 961x541: an .mp4 has an even width and height; it gets 960x540" in found.stderr
    assert "WARNING" not in found.output


def test_a_replay_forecasts_and_shows_its_last_tick(tmp_path: Path) -> None:
    episode = tmp_path / "ep.npz"
    common = ["--headless", "--fps", "4", "--size", "960x540", "--json"]
    quick = ["--dynamics", "physics", "--forecaster", "persistence", "--ticks", 6, "--scenario", "single_zone"]
    kept = facts(live(*common, *quick, "--out", tmp_path / "a.gif", "--keep", episode))
    again = facts(live(*common, "--out", tmp_path / "b.gif", "--replay", episode))
    assert again["ticks"] == kept["ticks"]
    assert again["pictures"] == 2 * load_recording(episode).ticks  # all of the last tick, too
    assert load_recording(episode).origin.forecaster == "persistence"


def test_users_of_a_trace_are_shown(tmp_path: Path) -> None:
    users = tmp_path / "users.csv"
    users.write_text("time_s,users\n" + "".join(f"{60 * n},{20 + n}\n" for n in range(300)))
    quick = ["--headless", "--fps", "4", "--size", "960x540", "--forecaster", "none", "--scenario", "single_zone"]
    told = facts(live(*quick, "--trace", users, "--ticks", 3, "--json", "--out", tmp_path / "a.gif"))
    assert told["ticks"] == 3
    found = live(*quick, "--dynamics", "trace", "--out", tmp_path / "b.gif")
    assert "give --trace FILE too" in found.stderr


def test_a_server_that_is_away_is_told_of_at_the_end(tmp_path: Path) -> None:
    arguments = ["--headless", *QUICK, "--ticks", 3, "--scenario", "single_zone", "--server", "http://127.0.0.1:9"]
    found = live(*arguments, "--out", tmp_path / "a.gif")
    assert found.exit_code == 0, found.output
    assert re.search(r"Server http://127.0.0.1:9: 0 of \d+ ticks delivered", found.stdout)
    told = facts(live(*arguments, "--out", tmp_path / "b.gif", "--json"))
    assert told["server"]["delivered"] == 0  # type: ignore[index]


def test_a_missing_recording_is_said_to_be_missing(tmp_path: Path) -> None:
    found = live("--headless", "--replay", tmp_path / "nowhere.npz")
    assert found.exit_code == 2
    assert "nowhere.npz: there is no such file" in found.stderr
