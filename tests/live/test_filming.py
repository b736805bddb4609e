"""Films without a display: the same by seed, as long as asked for, and refused in words."""

import gc
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from metaverse_env.errors import (
    ConfigurationError,
    MetaverseError,
    MissingDependencyError,
    PolicyError,
    UnknownNameError,
)
from metaverse_env.live.commands import Inject, Quit, SwitchPolicy
from metaverse_env.live.filming import film
from metaverse_env.live.watching import watch
from metaverse_env.rendering.camera import Camera
from metaverse_env.rendering.opening import drawing
from metaverse_env.rendering.shapes import Scene
from tests.live.conftest import Start
from tests.live.desktop import wait_for

SIZE = (960, 540)


def made(start: Start, path: Path, seed: int = 0, pictures: int = 5) -> Path:
    """Film half a second of a world in which much happens."""
    session = start(seed=seed, ticks_per_s=4.0, policy="threshold")
    session.apply(Inject("flash_crowd", 0))
    session.apply(SwitchPolicy("static"))
    session.apply(Inject("node_failure", 1))
    assert film(session, path, seconds=pictures / 10, fps=10, size=SIZE) == pictures
    return path


def content(path: Path) -> bytes:
    if path.is_dir():
        return b"".join(file.read_bytes() for file in sorted(path.iterdir()))
    return path.read_bytes()


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "frames"])
def test_the_same_seed_gives_the_same_bytes(start: Start, tmp_path: Path, name: str) -> None:
    films = []
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / folder).mkdir()
        films.append(content(made(start, tmp_path / folder / name, seed)))
    assert films[0] == films[1] != films[2]


def test_a_film_shows_what_the_session_shows(start: Start, tmp_path: Path) -> None:
    folder = made(start, tmp_path / "frames", seed=1, pictures=3)
    again = start(seed=1, ticks_per_s=4.0, policy="threshold")
    again.apply(Inject("flash_crowd", 0))
    again.apply(SwitchPolicy("static"))
    again.apply(Inject("node_failure", 1))
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["000001.png", "000002.png", "000003.png"]
    for file in files:
        with Image.open(file) as picture:
            assert (np.asarray(picture) == drawing("canvas")(SIZE).draw(again.frame(SIZE, controls=False))).all()
        again.advance(0.1)


def test_a_film_has_the_size_and_length_that_were_asked_for(start: Start, tmp_path: Path) -> None:
    path = made(start, tmp_path / "film.mp4", pictures=7)
    with closing(imageio_ffmpeg.read_frames(str(path))) as reader:
        about = next(reader)
    assert (about["size"], about["fps"]) == (SIZE, 10.0)
    assert imageio_ffmpeg.count_frames_and_secs(str(path)) == (7, pytest.approx(0.7))
    with Image.open(made(start, tmp_path / "film.gif", pictures=4)) as moving:
        lasts_ms = sum(picture.info["duration"] for picture in ImageSequence.Iterator(moving))
        assert (moving.size, lasts_ms) == (SIZE, 400)


def test_a_film_ends_with_its_session(start: Start, tmp_path: Path) -> None:
    session = start()
    session.apply(Quit())
    assert film(session, tmp_path / "film.gif", seconds=1.0, size=SIZE) == 0
    assert not (tmp_path / "film.gif").exists()


def test_a_policy_that_fails_ends_the_film_with_its_error(start: Start, tmp_path: Path) -> None:
    session = start(policy="tests.live.broken:Broken", ticks_per_s=4.0)
    with pytest.raises(PolicyError, match=r"Broken\.act failed at tick 2"):
        film(session, tmp_path / "film.mp4", seconds=5.0, fps=4, size=SIZE)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))[0] == 2


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("film.avi", {}, UnknownNameError, "film format 'avi'"),
        ("nowhere/film.mp4", {}, ConfigurationError, "no folder .*nowhere"),
        ("film.mp4", {"seconds": 0.0}, ConfigurationError, "has no picture"),
        ("film.mp4", {"fps": 121}, ConfigurationError, "give 1 to 120"),
        ("film.mp4", {"size": (320, 200)}, ConfigurationError, "needs at least 960 x 540"),
        ("film.gif", {"fps": 60}, ConfigurationError, "a GIF of 60 pictures per second"),
    ],
)
def test_what_cannot_be_filmed_is_refused(
    start: Start, tmp_path: Path, name: str, options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        film(start(), tmp_path / name, **{"seconds": 0.5, "size": SIZE, **options})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_folder_with_pictures_is_left_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "000007.png").write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match="has pictures of another film"):
        film(start(), tmp_path, seconds=0.2, fps=10, size=SIZE)
    assert (tmp_path / "000007.png").read_bytes() == b"mine"


def test_a_disk_that_is_full_is_said_to_be(start: Start) -> None:
    with pytest.raises(MetaverseError):
        film(start(), Path("/dev/full/film.mp4"), seconds=0.2, size=SIZE)


def film_until_interrupted(path: Path, pictures: int) -> None:
    with Camera(path, 10) as camera:
        for _ in range(pictures):
            camera.take(np.full((360, 640, 3), 200, dtype=np.uint8))
        raise KeyboardInterrupt


def test_a_camera_that_is_interrupted_leaves_a_film_that_can_be_seen(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        film_until_interrupted(tmp_path / "film.mp4", 12)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))[0] == 12


def test_a_writer_that_fails_is_heard_of_and_blocks_nobody(tmp_path: Path) -> None:
    camera = Camera(tmp_path / "film.gif", 10)
    camera.take(np.zeros((10, 10, 3), dtype=np.float64))
    wait_for(lambda: not camera._thread.is_alive())
    with pytest.raises(MetaverseError, match=r"film\.gif: the film cannot be written"):
        camera.take(np.zeros((10, 10, 3), dtype=np.uint8))


def test_an_odd_film_loses_its_last_row_and_column(tmp_path: Path) -> None:
    with Camera(tmp_path / "film.mp4", 10) as camera:
        camera.take(np.full((541, 961, 3), 200, dtype=np.uint8))
    with closing(imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4"))) as reader:
        assert next(reader)["size"] == (960, 540)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("pictures", [1, 20])
def test_an_encoder_that_stops_is_said_in_one_sentence(tmp_path: Path, pictures: int) -> None:
    (tmp_path / "film.mp4").symlink_to("/dev/full")

    def filmed() -> None:
        noise = np.random.default_rng(0)
        with Camera(tmp_path / "film.mp4", 10) as camera:
            for _ in range(pictures):
                camera.take(noise.integers(0, 255, (540, 960, 3), dtype=np.uint8))

    with pytest.raises(MetaverseError) as caught:
        filmed()
    said = str(caught.value)
    del caught
    gc.collect()  # imageio-ffmpeg leaves the pipe to an encoder that stopped open, and Python says so
    assert said == f"{tmp_path / 'film.mp4'}: the film cannot be written: the encoder stopped. Is the disk full?"


def test_a_window_shows_the_world_before_its_first_tick(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    session, shown = start(), []
    plain = drawing("window").show

    def show(window: object, scene: Scene) -> None:
        shown.append((session.source.ticks, [text.text for text in scene.texts]))
        plain(window, scene)

    monkeypatch.setattr(drawing("window"), "show", show)
    watch(session, tmp_path, SIZE, seconds=0.1)
    ticks, words = shown[0]
    assert ticks == 0
    assert "starting …: the first tick takes some seconds" in words
    assert not any("starting" in word for word in shown[-1][1])


def test_without_pygame_the_error_names_the_extra(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = start()
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.delitem(sys.modules, "metaverse_env.rendering.window", raising=False)
    with pytest.raises(MissingDependencyError, match=r"needs pygame.*metaverse-env\[render\]"):
        film(session, tmp_path / "film.mp4", seconds=0.2, size=SIZE)


def test_a_session_needs_neither_drawing_nor_a_server() -> None:
    code = (
        "import sys, metaverse_env.live.session, metaverse_env.live.simulation, metaverse_env.live.watching\n"
        "print(sorted({'pygame', 'PIL', 'imageio_ffmpeg', 'fastapi', 'torch', 'agents', 'bridges'} & {*sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
