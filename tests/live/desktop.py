"""A desktop without a screen: an X server in memory, and a hand on its keys and mouse."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.absent import unavailable

PROGRAMS = ("Xvfb", "xdotool", "xwininfo")
WITHIN_S = 20.0


class Desktop:
    """An X server; ``environment`` is for programs that shall use it."""

    def __init__(self, display: str) -> None:
        self.environment = {**os.environ, "DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        self.environment.pop("WAYLAND_DISPLAY", None)

    def do(self, *arguments: str) -> str:
        """Run xdotool."""
        run = subprocess.run(["xdotool", *arguments], env=self.environment, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def look(self, *arguments: str) -> str:
        """Run xwininfo."""
        command = ["xwininfo", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def window(self, title: str) -> str:
        """Wait for a window and give it the keys; return its number."""
        found = ""

        def there() -> bool:
            nonlocal found
            lines = [line for line in self.look("-root", "-tree").splitlines() if f'"{title}"' in line]
            found = lines[0].split()[0] if lines else ""
            return bool(found) and "IsViewable" in self.look("-id", found)

        wait_for(there)
        self.do("windowfocus", "--sync", found)
        return found

    def size(self, window: str) -> tuple[int, int]:
        """Return the width and height of a window, px."""
        fields = dict(line.strip().split(": ", 1) for line in self.look("-id", window).splitlines() if ": " in line)
        return int(fields["Width"]), int(fields["Height"])


def wait_for(true: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline_s, "this never came to be"
        time.sleep(0.05)


@contextmanager
def desktop(folder: Path, screen: str = "1600x1000x24") -> Iterator[Desktop]:
    """Start an X server; skip or fail where there is none."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        unavailable(f"{', '.join(missing)} is not installed; on Debian: apt-get install xvfb xdotool x11-utils")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    with (folder / "xvfb.txt").open("w") as log:
        server = subprocess.Popen(command, pass_fds=(writing,), stdout=log, stderr=log)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, (folder / "xvfb.txt").read_text()
        yield Desktop(f":{number}")
    finally:
        server.terminate()
        server.wait()
