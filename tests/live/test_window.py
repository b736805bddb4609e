"""A real window on a desktop in memory, with real keys and a real mouse."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation
from metaverse_env.rendering.interface import LAYERS
from tests.live.desktop import Desktop, desktop, wait_for
from tests.live.showing import terms

ROOT = Path(__file__).parents[2]
TITLE = "Metaverse zones"
SIZE = (1280, 720)


class Show:
    """A session in a window of another process."""

    def __init__(self, place: Desktop, folder: Path, size: tuple[int, int] | None = SIZE) -> None:
        self.place, self.folder = place, folder
        command = [sys.executable, str(Path(__file__).with_name("showing.py")), str(folder)]
        command += [] if size is None else [json.dumps(size)]
        environment = {**place.environment, "PYTHONPATH": str(ROOT), "SDL_AUDIODRIVER": "there-is-none"}
        self.log = folder.parent / "log.txt"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.facts: dict[str, Any] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def found(self) -> "Show":
        """Wait until it is there."""
        wait_for(lambda: self.facts or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        self.window = self.place.window(TITLE)
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.facts = {**self.facts, **json.loads(line)}

    def key(self, *names: str) -> None:
        self.place.do("key", "--delay", "60", *names)

    def click(self, x: float, y: float) -> None:
        self.place.do("mousemove", "--window", self.window, str(round(x)), str(round(y)), "click", "1")

    def shows(self, **wanted: Any) -> None:
        """Wait until the session is as wanted."""
        wait_for(lambda: all(self.facts.get(name) == value for name, value in wanted.items()))

    def ended(self) -> int:
        """Wait until the program has ended; return its status."""
        status = self.process.wait(30)
        self._reader.join()
        return status

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    with desktop(tmp_path_factory.mktemp("desktop")) as running:
        yield running


@pytest.fixture
def open_show(place: Desktop, tmp_path: Path) -> Iterator[Callable[..., Show]]:
    """Return a function that opens a window; it is closed afterwards."""
    (tmp_path / "kept").mkdir()
    opened: list[Show] = []

    def begin(size: tuple[int, int] | None = SIZE) -> Show:
        opened.append(Show(place, tmp_path / "kept", size))
        return opened[-1].found()

    yield begin
    for show in opened:
        show.close()


def test_keys_do_what_the_help_says(open_show: Callable[..., Show]) -> None:
    show = open_show()
    show.key("space")
    show.shows(paused=True)
    ticks = show.facts["ticks"]
    show.key("period")
    show.shows(ticks=ticks + 1)
    show.key("n")
    show.shows(ticks=ticks + 2, paused=True)
    show.key("plus")
    show.shows(speed=8.0)
    show.key("minus")
    show.shows(speed=4.0)
    show.key("Tab")
    show.shows(selected=0)
    show.key("Right")
    show.shows(selected=1)
    show.key("shift+Tab")
    show.shows(selected=0)
    show.key("f")
    show.shows(said="a flash crowd comes to zone-1")
    show.key("x")
    show.shows(said="node-1 fails")
    show.key("h")
    show.shows(help=True)
    show.key("Escape")
    show.shows(help=False, selected=0)
    show.key("p")
    show.shows(policy="threshold")
    show.key("1", "9")
    show.shows(hidden=sorted((LAYERS[0], LAYERS[8])))
    show.key("s")
    show.shows(scenario="single_zone")
    show.key("ctrl+c", "F5")  # mean nothing
    show.key("q")
    assert show.ended() == 0
    assert show.facts["ended"]


def test_a_window_fits_the_screen_takes_clicks_and_can_be_resized(
    open_show: Callable[..., Show], place: Desktop
) -> None:
    show, same = open_show(None), Session(Simulation(terms(zones=4, name="complex")))

    def hit(name: str, size: tuple[int, int], zone: int = -1) -> tuple[float, float]:
        found = next(one for one in same.frame(size).hits if (one.name, one.zone) == (name, zone))
        return found.x + found.width / 2, found.y + found.height / 2

    assert place.size(show.window) == SIZE  # 0.85 of 1600 x 1000 has room for it, and not for 1.25 times that
    show.click(*hit("pause", SIZE))
    show.shows(paused=True)
    show.click(*hit("zone", SIZE, 3))
    show.shows(selected=3)
    show.key("Escape")
    show.shows(selected=None)
    place.do("windowsize", "--sync", show.window, "1500", "900")
    show.shows(size=[1500, 900])
    show.click(*hit("zone", (1500, 900), 2))
    show.shows(selected=2)
    show.key("Escape")
    show.shows(selected=None)
    place.do("windowsize", "--sync", show.window, "400", "300")  # smaller than a picture can be: it is shrunk
    show.shows(size=[960, 540])
    x, y = hit("zone", (960, 540), 1)
    show.click(x * 400 / 960, y * 300 / 540)
    show.shows(selected=1)
    place.do("windowclose", show.window)
    assert show.ended() in (0, 1)  # without a window manager the window is taken away under SDL, which may end it


def test_screenshots_and_films_are_kept(open_show: Callable[..., Show]) -> None:
    show = open_show()
    show.key("F12")
    wait_for(lambda: "saved" in show.facts["said"] or list(show.folder.glob("*.png")))
    show.key("r")
    show.shows(recording=True)
    ticks = show.facts["ticks"]
    wait_for(lambda: show.facts["ticks"] >= ticks + 4)  # a second, or more where the machine cannot keep up
    show.key("r")
    show.shows(recording=False)
    wait_for(lambda: list(show.folder.glob("*.mp4")))
    show.key("c", "q")
    assert show.ended() == 0
    pictures, films = sorted(show.folder.glob("*.png")), list(show.folder.glob("*.mp4"))
    assert len(pictures) == 2
    assert all(file.name.startswith("metaverse-complex-tick-") for file in (*pictures, *films))
    with Image.open(pictures[0]) as picture:
        assert picture.size == SIZE
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 20
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(films[0]))
    assert frames >= 25
    assert seconds == pytest.approx(frames / 30.0, rel=0.05)


def test_ctrl_c_finishes_the_film_that_is_being_recorded(open_show: Callable[..., Show]) -> None:
    show = open_show()
    show.key("r")
    show.shows(recording=True)
    ticks = show.facts["ticks"]
    wait_for(lambda: show.facts["ticks"] >= ticks + 2)
    os.kill(show.process.pid, signal.SIGINT)
    assert show.ended() in (-signal.SIGINT, 130)
    (film,) = show.folder.glob("*.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(film))[0] >= 5
