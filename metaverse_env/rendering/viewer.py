"""Pictures of a shell, tick by tick: as arrays, or in a window.

``"rgb_array"`` draws on memory and needs no display. ``"human"`` opens a window; where there is no display, one that
nobody sees, and says so. :mod:`.painter` turns scenes into pixels.
"""

import logging
import os
import sys
from typing import Any, Literal

import numpy as np

from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import MetaverseError, UnknownNameError
from metaverse_env.rendering.interface import UNTOUCHED, Interface
from metaverse_env.rendering.layout import REFERENCE, Layout, arrange
from metaverse_env.rendering.painter import PIXEL_BITS, Painter, as_array
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import Scene
from metaverse_env.rendering.snapshot import Trail
from metaverse_env.reward import Reward
from metaverse_env.wrapping import simulated

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library does not greet

import pygame

Array = np.ndarray
Mode = Literal["human", "rgb_array"]

_LOG = logging.getLogger(__name__)

_DRIVER = "SDL_VIDEODRIVER"
"""The environment variable that chooses how SDL, under pygame, opens windows."""


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
        self._canvas = pygame.Surface(size, depth=PIXEL_BITS)
        self._painter = Painter()
        self._window: pygame.Surface | None = None
        self._clock = pygame.time.Clock()
        self._closed = False
        self._layout: tuple[Any, Any, Layout] | None = None
        self._trail = Trail()
        self._seen: tuple[Any, Step | None] = (None, None)

    def show(
        self, shell: Shell, last_step: Step | None, interface: Interface = UNTOUCHED, phase: float = 1.0
    ) -> Array | None:
        """Draw the world as it is after ``last_step``, or after its reset when that is ``None``.

        Args:
            shell: Whose world 0 is shown.
            last_step: What its last step gave.
            interface: What is chosen to be shown.
            phase: How far between the tick before (0) and this one (1) users are.

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
        scene = build_scene(world, self._arranged(shell, interface), interface, phase)
        if self.mode == "human":
            self._present(scene)
            return None
        self._painter.paint(scene, self._canvas)
        return as_array(self._canvas)

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
            if (inside := simulated(shell.world)) is not None:
                inside.watch()
        if step is not None and step is not last:
            self._trail = self._trail.extended(step.reward)
        self._seen = shell.history, step

    def _arranged(self, shell: Shell, interface: Interface) -> Layout:
        graph = shell.world.zones
        if self._layout is None or self._layout[0] is not graph or self._layout[1] != interface.room:
            self._layout = graph, interface.room, arrange(graph, self.size, interface)
        return self._layout[2]

    def _present(self, scene: Scene) -> None:
        """Show a scene in the window at the pace of ``fps``; let the user close it."""
        if self._window is None:
            self._window = _open_window(self.size)
        if any(event.type == pygame.QUIT for event in pygame.event.get()):
            self.close()
            return
        self._painter.paint(scene, self._window)
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
