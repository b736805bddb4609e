"""From a scene to pixels: the only place that knows pygame.

``"rgb_array"`` draws on memory and needs no display. ``"human"`` opens a window; where there is no display, one that
nobody sees, and says so. Texts are set glyph by glyph from a
cache in the font that pygame brings, without kerning, so that they are as wide as the scene says.
"""

import logging
import os
import sys
from functools import lru_cache
from math import floor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import MetaverseError, UnknownNameError
from metaverse_env.rendering.layout import REFERENCE, Layout, arrange
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import COLOURS, Circle, Line, Polygon, Rectangle, Scene, Text, advance
from metaverse_env.rendering.snapshot import Trail
from metaverse_env.reward import Reward

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library does not greet

import pygame

Array = np.ndarray
Mode = Literal["human", "rgb_array"]

_LOG = logging.getLogger(__name__)

_DEPTH = 32
"""Bits per pixel of what is drawn on; pygame 2.6.1 crashes when it draws smooth lines at 24."""

_DRIVER = "SDL_VIDEODRIVER"
"""The environment variable that chooses how SDL, under pygame, opens windows."""

_SMOOTH = 4
"""Enlargement at which a disc is drawn before it is reduced, so that its rim is smooth."""


class Viewer:
    """Shows world 0 of a shell, tick by tick.

    Args:
        mode: ``"rgb_array"`` (arrays, no display) or ``"human"`` (a window).
        fps: Most pictures per second in a window.
        size: Width and height, px.

    Raises:
        UnknownNameError: Another mode.
    """

    def __init__(self, mode: Mode = "rgb_array", fps: int = 20, size: tuple[int, int] = REFERENCE) -> None:
        if mode not in ("human", "rgb_array"):
            raise UnknownNameError("render mode", mode, ("human", "rgb_array"))
        self.mode, self.fps, self.size = mode, fps, size
        self._canvas = pygame.Surface(size, depth=_DEPTH)
        self._window: pygame.Surface | None = None
        self._clock = pygame.time.Clock()
        self._closed = False
        self._layout: tuple[Any, Layout] | None = None
        self._trail = Trail()
        self._seen: tuple[Any, Step | None] = (None, None)

    def show(self, shell: Shell, last_step: Step | None) -> Array | None:
        """Draw the world as it is after ``last_step``, or after its reset when that is ``None``.

        Returns:
            ``uint8 [height, width, 3]``, a new array; ``None`` in a window, also when the user has closed it.

        Raises:
            LifecycleError: Before the first reset.
            ConfigurationError: The picture is too small for its texts.
            MetaverseError: No window can be opened.
        """
        if self._closed:
            return None
        self._remember(shell, last_step)
        world = read_shell(shell, last_step, self._trail)
        self._trail = world.trail
        scene = build_scene(world, self._arranged(shell))
        if self.mode == "human":
            self._present(scene)
            return None
        draw_scene(scene, self._canvas)
        return pygame.surfarray.pixels3d(self._canvas).swapaxes(0, 1).copy()

    def note(self, shell: Shell, reward: Reward) -> None:
        """Take in a tick that is not drawn, so that the curves of the episode have it."""
        if shell.history is not self._seen[0]:
            self._trail = Trail()
        self._trail, self._seen = self._trail.extended(reward), (shell.history, None)

    def close(self) -> None:
        """Close the window, if there is one; nothing is shown after it."""
        self._closed = True
        if self._window is not None:
            self._window = None
            pygame.display.quit()

    def _remember(self, shell: Shell, step: Step | None) -> None:
        """Extend the trail by a tick that was not shown before; a new history is a new episode."""
        history, last = self._seen
        if step is None or history is not shell.history:
            self._trail = Trail()
        if step is not None and step is not last:
            self._trail = self._trail.extended(step.reward)
        self._seen = shell.history, step

    def _arranged(self, shell: Shell) -> Layout:
        graph = shell.world.zones
        if self._layout is None or self._layout[0] is not graph:
            self._layout = graph, arrange(graph, self.size)
        return self._layout[1]

    def _present(self, scene: Scene) -> None:
        """Show a scene in the window at the pace of ``fps``; let the user close it."""
        if self._window is None:
            self._window = _open_window(self.size)
        if any(event.type == pygame.QUIT for event in pygame.event.get()):
            self.close()
            return
        draw_scene(scene, self._window)
        pygame.display.flip()
        self._clock.tick(self.fps)


def _open_window(size: tuple[int, int]) -> pygame.Surface:
    try:
        _start_display()
        window = pygame.display.set_mode(size)
    except pygame.error as reason:
        raise MetaverseError(
            f"no window of {size[0]} x {size[1]} px can be opened: {reason}. On a machine without a display use "
            "render_mode='rgb_array', or record a film"
        ) from reason
    pygame.display.set_caption("Metaverse zones")
    return window


def _start_display() -> None:
    """Start pygame's display; where there is none, in memory: asked for one, SDL would print what it lacks."""
    if sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", _DRIVER)):
        pygame.display.init()
        return
    _LOG.warning(
        "no display (DISPLAY and WAYLAND_DISPLAY are not set), so that nobody sees the window; use "
        "render_mode='rgb_array', or set %s",
        _DRIVER,
    )
    os.environ[_DRIVER] = "dummy"
    try:
        pygame.display.init()
    finally:
        del os.environ[_DRIVER]


def draw_scene(scene: Scene, surface: pygame.Surface) -> None:
    """Draw a scene on a surface of its size."""
    surface.fill(COLOURS["paper"])
    for shape in scene.shapes:
        _DRAW[type(shape)](surface, shape)


def _draw_circle(surface: pygame.Surface, circle: Circle) -> None:
    sprite = _disc(max(1, round(2.0 * circle.radius)), circle.fill)
    half = sprite.get_width() / 2
    surface.blit(sprite, (round(circle.x - half), round(circle.y - half)))


def _draw_rectangle(surface: pygame.Surface, box: Rectangle) -> None:
    left, top = round(box.x), round(box.y)
    place = (left, top, round(box.x + box.width) - left, round(box.y + box.height) - top)
    if box.fill is not None:
        pygame.draw.rect(surface, COLOURS[box.fill], place, border_radius=round(box.corner))
    if box.edge is not None:
        pygame.draw.rect(surface, COLOURS[box.edge], place, round(box.thickness), border_radius=round(box.corner))


def _draw_line(surface: pygame.Surface, line: Line) -> None:
    if line.thickness < 2.0:
        pygame.draw.aalines(surface, COLOURS[line.colour], False, line.points)
    else:
        pygame.draw.lines(surface, COLOURS[line.colour], False, line.points, round(line.thickness))


def _draw_polygon(surface: pygame.Surface, polygon: Polygon) -> None:
    pygame.draw.polygon(surface, COLOURS[polygon.fill], polygon.points)
    pygame.draw.aalines(surface, COLOURS[polygon.fill], True, polygon.points)


def _draw_text(surface: pygame.Surface, text: Text) -> None:
    left, top = floor(text.box[0]), floor(text.box[1])
    for character in text.text:
        surface.blit(_glyph(character, text.size, text.colour), (left, top))
        left += advance(character, text.size)


_DRAW: dict[type, Any] = {
    Circle: _draw_circle,
    Rectangle: _draw_rectangle,
    Line: _draw_line,
    Polygon: _draw_polygon,
    Text: _draw_text,
}


@lru_cache(maxsize=1024)
def _disc(diameter: int, colour: str) -> pygame.Surface:
    """Return a disc with a smooth rim on a transparent ground."""
    large = pygame.Surface((diameter * _SMOOTH, diameter * _SMOOTH), pygame.SRCALPHA)
    large.fill((*COLOURS[colour], 0))
    middle = diameter * _SMOOTH / 2
    pygame.draw.circle(large, COLOURS[colour], (middle, middle), middle)
    return pygame.transform.smoothscale(large, (diameter, diameter))


@lru_cache(maxsize=4096)
def _glyph(character: str, size: int, colour: str) -> pygame.Surface:
    """Return one character, ``size`` high, on a transparent ground."""
    return _font(size).render(character, True, COLOURS[colour])


@lru_cache(maxsize=64)
def _font(size: int) -> pygame.font.Font:
    """Return pygame's own font; by its path, since by default it would be made smaller than asked."""
    pygame.font.init()
    return pygame.font.Font(Path(pygame.__file__).with_name(pygame.font.get_default_font()), size)
