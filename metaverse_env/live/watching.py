"""A session in a window: keys and clicks go in, pictures come out, at the pace of the screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from metaverse_env.errors import MetaverseError
from metaverse_env.live.commands import Quit, Record
from metaverse_env.live.session import Session
from metaverse_env.rendering.camera import Camera
from metaverse_env.rendering.events import Click, Closed, Event, Key
from metaverse_env.rendering.film import even
from metaverse_env.rendering.interface import Message
from metaverse_env.rendering.opening import drawing

FPS: Final = 60
"""Pictures per second in a window at most [choice]."""
FILM_FPS: Final = 30
"""Of a film that is recorded while somebody watches [choice]."""
LONGEST_STEP_S: Final = 0.25
"""Most time that passes between two pictures [choice]: after the machine has slept the world does not race."""


def watch(
    session: Session,
    folder: Path,
    size: tuple[int, int] | None = None,
    seconds: float | None = None,
    fps: int = FPS,
    say: Callable[[str], object] = print,
) -> None:
    """Show a session until somebody closes the window.

    Args:
        session: Is not closed.
        folder: For screenshots and films.
        size: Of the window, px; by default as large as the screen has room for.
        seconds: End after so long.
        fps: Pictures per second at most.
        say: Is told what was saved.

    Raises:
        MetaverseError: No window can be opened.
        MissingDependencyError: The extra ``render`` is not installed.
    """
    show = _Show(session, folder, size, say)
    try:
        show.run(seconds, fps)
    finally:
        show.close()


class _Show:
    """A window, and the camera that films it."""

    def __init__(
        self, session: Session, folder: Path, size: tuple[int, int] | None, say: Callable[[str], object]
    ) -> None:
        self.session, self.folder, self.say = session, folder, say
        self.window = drawing("window")(size)
        self.camera: Camera | None = None
        self.canvas: Any = None
        self.passed_s = self.filmed_s = 0.0

    def run(self, seconds: float | None, fps: int) -> None:
        """Show pictures until the end."""
        session, window, shown = self.session, self.window, None
        self._show_start()
        while not session.ended and (seconds is None or self.passed_s < seconds):
            for event in window.events():
                self._obey(event)
            dt_s = window.wait(fps)
            step_s = min(dt_s, LONGEST_STEP_S)
            changed = session.advance(step_s)
            if changed or shown != window.size:
                window.show(session.frame(window.size))
                shown = window.size
            self.passed_s += dt_s
            self.filmed_s += step_s
            self._keep()

    def _show_start(self) -> None:
        """Show the world before its first tick, for a window would be black while that is computed."""
        session, shown = self.session, self.session.interface
        says = Message(session.snapshot.time_s, "note", "starting …: the first tick takes some seconds")
        session.interface = shown.told(says, board=(says,))
        self.window.show(session.frame(self.window.size))
        session.interface = shown

    def _obey(self, event: Event) -> None:
        match event:
            case Key(name):
                self.session.press(name)
            case Click(x, y):
                self.session.click(x, y, self.window.size)
            case Closed():
                self.session.apply(Quit())

    def _keep(self) -> None:
        """Take the screenshot that is due, and the next picture of a film."""
        if self.session.take_photo():
            path, picture = self._free(".png"), self._picture(drawing("canvas")(self.window.size))
            self._save(lambda: drawing("picture file")(picture, path), path)
        if self.session.interface.recording != (self.camera is not None):
            self._switch_camera()
        if self.camera is not None:
            self._film(self.camera)

    def _film(self, camera: Camera) -> None:
        """Add what is shown to a film, as often as keeps its pace; one that cannot be written ends."""
        due = int(self.filmed_s * FILM_FPS) + 1 - camera.pictures
        if due <= 0:
            return
        picture = self._picture(self.canvas)
        try:
            for _ in range(due):
                camera.take(picture)
        except MetaverseError as error:
            self.camera = None
            self.session.note(str(error), ok=False)
            self.session.apply(Record())

    def _picture(self, canvas: Any) -> Any:
        return canvas.draw(self.session.frame(canvas.size, controls=False))

    def _save(self, write: Callable[[], object], path: Path) -> None:
        try:
            write()
        except MetaverseError as error:
            self.session.note(str(error), ok=False)
            self.say(str(error))
            return
        self.session.note(f"saved {path}")
        self.say(f"Saved {path}")

    def _switch_camera(self) -> None:
        """Begin or end a film; one that cannot be written is said to be none."""
        if self.camera is not None:
            camera, self.camera = self.camera, None
            if camera.pictures:
                self._save(camera.close, camera.path)
            else:  # ended before there was a picture to take: nothing is written
                camera.close()
            return
        try:
            self.camera = Camera(self._free(".mp4"), FILM_FPS)
        except MetaverseError as error:
            self.session.note(str(error), ok=False)
            self.session.apply(Record())
            return
        self.canvas, self.filmed_s = drawing("canvas")(even(self.window.size)), 0.0

    def _free(self, ending: str) -> Path:
        """Return a name that no file has."""
        stem = f"metaverse-{self.session.source.shell.scenario.name}-tick-{self.session.source.ticks}"
        numbers = ("", *(f"-{number}" for number in range(2, 10_000)))
        return next(path for each in numbers if not (path := self.folder / f"{stem}{each}{ending}").exists())

    def close(self) -> None:
        """Finish a film, and close the window."""
        if self.camera is not None:
            self._switch_camera()
        self.window.close()
