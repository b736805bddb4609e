"""The door to the drawing library, which is loaded when the first picture is asked for."""

from typing import TYPE_CHECKING, Any, Final

from metaverse_env.plugins import resolve
from metaverse_env.rendering.layout import REFERENCE

if TYPE_CHECKING:
    from metaverse_env.rendering.viewer import Viewer

VIEWERS: Final = {
    "human": "metaverse_env.rendering.viewer:Viewer",
    "rgb_array": "metaverse_env.rendering.viewer:Viewer",
}
"""Render modes."""


def open_viewer(mode: str, fps: int, size: tuple[int, int] = REFERENCE) -> "Viewer":
    """Return a viewer of world 0; nothing is drawn yet.

    Args:
        mode: ``"human"`` (a window) or ``"rgb_array"`` (arrays, no display needed).
        fps: Most pictures per second in a window.
        size: Width and height, px.

    Raises:
        UnknownNameError: Another mode.
        MissingDependencyError: The extra ``render`` is not installed.
    """
    viewer: Viewer = resolve("render mode", mode, VIEWERS, extra="render")(mode, fps, size)
    return viewer


DRAWING: Final = {
    "canvas": "metaverse_env.rendering.window:Canvas",
    "picture file": "metaverse_env.rendering.window:save_picture",
    "window": "metaverse_env.rendering.window:Window",
}
"""What draws scenes that are there already."""


def drawing(part: str) -> Any:
    """Return one of :data:`DRAWING`.

    Raises:
        MissingDependencyError: The extra ``render`` is not installed.
    """
    return resolve("drawing", part, DRAWING, extra="render")
