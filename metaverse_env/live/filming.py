"""A session as a film, without a display: the same seed and commands give the same pictures."""

from collections.abc import Callable
from pathlib import Path

from metaverse_env.errors import ConfigurationError
from metaverse_env.live.session import Session
from metaverse_env.rendering.camera import Camera
from metaverse_env.rendering.layout import REFERENCE
from metaverse_env.rendering.opening import drawing


def film(
    session: Session,
    path: Path,
    *,
    seconds: float,
    fps: int = 30,
    size: tuple[int, int] = REFERENCE,
    form: str = "",
    progress: Callable[[], object] = lambda: None,
) -> int:
    """Write a film of a session.

    Args:
        session: Where it stands.
        path: A file that ends with .mp4 or .gif, or a folder for PNG files.
        seconds: How long the film is, s.
        fps: Pictures per second.
        size: Width and height, px.
        form: ``"mp4"``, ``"gif"`` or ``"frames"``; by default what the path says.
        progress: Called after every picture.

    Returns:
        How many pictures it has: fewer than asked for if the session ended, such as a recording that is over.

    Raises:
        ConfigurationError: No picture at all, or what cannot be written or drawn like that.
        UnknownNameError: Another ending.
        MissingDependencyError: The extra ``render`` is not installed.
        MetaverseError: Writing failed, or the session did.
    """
    count = round(seconds * fps)
    if count < 1:
        raise ConfigurationError(f"a film of {seconds:g} s at {fps} pictures per second has no picture")
    session.frame(size, controls=False)  # refuses a size before anything is written
    with Camera(path, fps, form) as camera:
        canvas = drawing("canvas")(size)
        while camera.pictures < count and not session.over:
            if camera.pictures:
                session.advance(1.0 / fps)
            if session.error is not None:
                raise session.error
            camera.take(canvas.draw(session.frame(size, controls=False)))
            progress()
    return camera.pictures
