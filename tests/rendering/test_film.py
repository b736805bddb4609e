"""Films: written, read back, the same for the same seed, small, and refused in words."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, LifecycleError, MissingDependencyError, UnknownNameError
from metaverse_env.rendering import record_episode_gif
from metaverse_env.rendering.gif import write_gif
from metaverse_env.rendering.viewer import Viewer
from metaverse_env.telemetry import Command

SIZE = (960, 540)


class Doubling:
    """Asks for twice of what is in use."""

    resets = 0

    def reset(self, zones: Any, worlds: int) -> None:
        self.resets += 1

    def act(self, view: View) -> Command:
        return Command.of(np.clip(2.0 * view.telemetry.usage, view.limits[0], view.limits[1]))


def shell(seed: int = 0, scenario: str = "single_zone") -> Shell:
    started = Shell(scenario, dynamics="physics", forecaster="persistence")
    started.reset([seed])
    return started


def test_a_gif_has_a_picture_per_tick_and_repeats(tmp_path: Path) -> None:
    path = record_episode_gif(shell(), Doubling(), tmp_path / "film.gif", ticks=5, fps=10, size=SIZE)
    assert path == tmp_path / "film.gif"
    with Image.open(path) as film:
        assert (film.size, film.n_frames) == (SIZE, 5)  # type: ignore[attr-defined]
        assert (film.info["duration"], film.info["loop"]) == (100, 0)


def test_a_film_names_its_controller(tmp_path: Path) -> None:
    films = []
    for name in ("", "hpa"):
        path = record_episode_gif(
            shell(), Doubling(), tmp_path / f"film{name}.gif", ticks=1, size=SIZE, controller=name
        )
        with Image.open(path) as film:
            films.append(np.asarray(film.convert("RGB")))
    rows, columns = np.nonzero((films[0] != films[1]).any(axis=2))
    assert rows.max() < 30  # beside the name of the scenario, and nowhere else
    assert columns.max() < 240


def test_a_gif_shows_what_the_viewer_shows(tmp_path: Path) -> None:
    path = record_episode_gif(shell(3), Doubling(), tmp_path / "film.gif", ticks=4, size=SIZE)
    again, policy, viewer = shell(3), Doubling(), Viewer(size=SIZE)
    for _ in range(4):
        picture = viewer.show(again, again.command(policy.act(again.view)))
    assert picture is not None
    with Image.open(path) as film:
        film.seek(3)
        error = np.abs(np.asarray(film.convert("RGB")).astype(int) - picture)
    # a palette of 147 colours: rims of letters may be a little off, areas not
    assert error.mean() < 2.0
    assert (error.max(axis=2) > 24).mean() < 0.01


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    files = [
        record_episode_gif(shell(seed), Doubling(), tmp_path / f"{name}.gif", 3, size=SIZE).read_bytes()
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert files[0] == files[1] != files[2]


def test_two_minutes_of_thirty_zones_stay_below_six_megabytes(tmp_path: Path) -> None:
    # 12 pictures of the default size stand for 120: each stores only what changed
    path = record_episode_gif(shell(1, "multi_zone"), Doubling(), tmp_path / "film.gif", ticks=12)
    assert path.stat().st_size < 0.6e6


def test_pictures_that_do_not_change_keep_their_time(tmp_path: Path) -> None:
    write_gif(iter([np.full((40, 60, 3), 255, dtype=np.uint8)] * 3), tmp_path / "still.gif", fps=10)
    with Image.open(tmp_path / "still.gif") as film:
        frames = range(film.n_frames)  # type: ignore[attr-defined]
        assert sum(duration(film, frame) for frame in frames) == 300


def duration(film: Image.Image, frame: int) -> int:
    film.seek(frame)
    return int(film.info["duration"])


def test_an_mp4_shows_what_the_viewer_shows(tmp_path: Path) -> None:
    path = record_episode_gif(shell(3), Doubling(), tmp_path / "film.mp4", ticks=6, fps=5, size=SIZE)
    decoder = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(path),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    decoded = subprocess.run(decoder, capture_output=True, check=True).stdout
    pictures = np.frombuffer(decoded, dtype=np.uint8).reshape(6, SIZE[1], SIZE[0], 3)
    again, policy, viewer = shell(3), Doubling(), Viewer(size=SIZE)
    for _ in range(6):
        shown = viewer.show(again, again.command(policy.act(again.view)))
    assert shown is not None
    assert np.abs(pictures[-1].astype(int) - shown).mean() < 3.0
    assert imageio_ffmpeg.count_frames_and_secs(str(path)) == (6, pytest.approx(1.2))


def test_progress_and_the_policys_reset_are_called(tmp_path: Path) -> None:
    policy, calls = Doubling(), []
    record_episode_gif(
        shell(), policy, tmp_path / "film.gif", 3, size=SIZE, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert policy.resets == 1


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("film.avi", {}, UnknownNameError, "film format 'avi'"),
        ("film", {}, UnknownNameError, "film format ''"),
        ("film.gif", {"ticks": 0}, ConfigurationError, "0 ticks at 10 pictures per second"),
        ("film.gif", {"fps": 0}, ConfigurationError, "at 0 pictures per second"),
        ("film.gif", {"fps": 60}, ConfigurationError, "at most 50, or write .mp4"),
        ("film.gif", {"size": (100, 100)}, ConfigurationError, "at least 960 x 540 px"),
        ("nowhere/film.gif", {}, ConfigurationError, "no folder .*nowhere for the film film.gif"),
    ],
)
def test_what_cannot_be_filmed_is_refused(
    tmp_path: Path, name: str, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        record_episode_gif(shell(), Doubling(), tmp_path / name, **{"ticks": 2, "size": SIZE, **arguments})
    assert list(tmp_path.iterdir()) == []


def test_a_shell_that_was_never_reset_is_refused(tmp_path: Path) -> None:
    idle = Shell("single_zone", dynamics="physics", forecaster="none")
    with pytest.raises(LifecycleError, match="before reset"):
        record_episode_gif(idle, Doubling(), tmp_path / "film.gif", 2)


def test_without_pillow_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "metaverse_env.rendering.gif", raising=False)
    with pytest.raises(MissingDependencyError, match=r"metaverse-env\[render\]"):
        record_episode_gif(shell(), Doubling(), tmp_path / "film.gif", 2)
