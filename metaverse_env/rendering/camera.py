"""Films of pictures that come one by one: MP4, GIF, or a folder of PNG files. Importing this loads nothing to draw."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import numpy as np

from metaverse_env.errors import ConfigurationError, MetaverseError
from metaverse_env.folders import writable
from metaverse_env.plugins import resolve
from metaverse_env.rendering.film import FILMS

Array = np.ndarray

FORMATS: Final = {**FILMS, "frames": "metaverse_env.rendering.frames:write_frames"}
"""What writes a film of each format."""

FASTEST_FPS: Final = 120
"""Most pictures per second of a film [choice]."""

_AHEAD: Final = 8
"""Pictures that may wait for whoever writes; then whoever films waits, too."""


def film_format(path: Path) -> str:
    """Return the format of a film by its name: the ending, or ``"frames"`` of a folder or a name without one.

    >>> film_format(Path("demo.mp4")), film_format(Path("frames/"))
    ('mp4', 'frames')
    """
    return "frames" if path.is_dir() else path.suffix.removeprefix(".").lower() or "frames"


class Camera:
    """Writes the pictures that it is given, in a thread of its own; use it as a context.

    Args:
        path: A file that ends with .mp4 or .gif, or a folder, which may hold no pictures yet.
        fps: Pictures per second.
        form: One of :data:`FORMATS`; by default what the path says.

    Raises:
        UnknownNameError: Another ending.
        ConfigurationError: No folder of that name or one that takes no files, a pace that cannot be, or a folder with
            pictures.
        MissingDependencyError: The extra ``render`` is not installed.
    """

    def __init__(self, path: Path, fps: int, form: str = "") -> None:
        if not 1 <= fps <= FASTEST_FPS:
            raise ConfigurationError(f"a film of {fps} pictures per second; give 1 to {FASTEST_FPS}")
        self._write = resolve("film format", form or film_format(path), FORMATS, extra="render")
        if not path.absolute().parent.is_dir():
            raise ConfigurationError(f"no folder {path.parent} for the film {path.name}; create it first")
        writable(path.absolute().parent, f"film {path}")
        self.path, self.fps, self.pictures = path, fps, 0
        self._queue: queue.Queue[Array | None] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def take(self, picture: Array) -> None:
        """Add a picture ``uint8 [height, width, 3]``, of the size of the first.

        Raises:
            MetaverseError: What was taken before could not be written.
        """
        self._put(picture)
        self.pictures += 1

    def close(self) -> None:
        """Finish the film.

        Raises:
            MetaverseError: It could not be written.
        """
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()
        self._fail()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, picture: Array | None) -> None:
        while self._thread.is_alive():
            try:
                self._queue.put(picture, timeout=0.1)
            except queue.Full:
                continue
            return
        self._fail()

    def _fail(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            if isinstance(error, MetaverseError):
                raise error
            raise MetaverseError(f"{self.path}: the film cannot be written: {error}") from error

    def _run(self) -> None:
        try:
            first = self._queue.get()
            if first is not None:
                self._write(self._frames(first), self.path, self.fps)
        except Exception as error:  # noqa: BLE001  raised again by whoever films
            self._error = error

    def _frames(self, first: Array) -> Iterator[Array]:
        picture: Array | None = first
        while picture is not None:
            yield picture
            picture = self._queue.get()
