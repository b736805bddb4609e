"""Pixels of a scene, in memory or in a window with keys and a mouse. Beside the viewer, the only one to know pygame."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pygame

from metaverse_env.errors import MetaverseError
from metaverse_env.rendering.events import Click, Closed, Event, Key
from metaverse_env.rendering.layout import REFERENCE, SMALLEST
from metaverse_env.rendering.painter import PIXEL_BITS, Painter, as_array
from metaverse_env.rendering.shapes import Scene

Array = np.ndarray
Size = tuple[int, int]

_SCREEN_SHARE: Final = 0.85
"""Most of a screen that a window takes by itself [choice]: panels and titles have room."""

_ENLARGED: Final = (3.0, 2.5, 2.0, 1.5, 1.25, 1.0)
"""Sizes of a window against the reference, the largest that fits is taken: so texts are readable on a dense screen."""

_DRIVER: Final = "SDL_VIDEODRIVER"
"""The environment variable that chooses how SDL, under pygame, opens windows."""

_UNSEEN: Final = ("dummy", "offscreen", "evdev")
"""Ways of SDL's to open windows that nobody sees."""

_NAMES: Final = {
    pygame.K_TAB: "Tab",
    pygame.K_ESCAPE: "Escape",
    pygame.K_LEFT: "ArrowLeft",
    pygame.K_RIGHT: "ArrowRight",
    pygame.K_UP: "ArrowUp",
    pygame.K_DOWN: "ArrowDown",
    pygame.K_F12: "F12",
    pygame.K_KP_PLUS: "+",
    pygame.K_KP_MINUS: "-",
}
"""Keys without a letter, as a browser calls them."""


class Canvas:
    """Draws scenes on memory; needs no display.

    Args:
        size: Width and height, px.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self._surface, self._painter = pygame.Surface(size, depth=PIXEL_BITS), Painter()

    def draw(self, scene: Scene) -> Array:
        """Return the pixels of a scene of this size, ``uint8 [height, width, 3]``, a new array."""
        self._painter.paint(scene, self._surface)
        return as_array(self._surface)


class Window:
    """A window that can be resized.

    Args:
        size: Width and height, px; by default as large as the screen has room for.
        title: In its frame.

    Raises:
        MetaverseError: None can be opened.
    """

    def __init__(self, size: Size | None = None, title: str = "Metaverse zones") -> None:
        try:
            _needs_display()
            pygame.display.init()
            _needs_screen(pygame.display.get_driver())
            self._surface = pygame.display.set_mode(size or _fitting(), pygame.RESIZABLE)
        except pygame.error as reason:
            raise MetaverseError(f"no window can be opened: {reason}. {_INSTEAD}") from reason
        pygame.display.set_caption(title)
        self._clock, self._painter = pygame.time.Clock(), Painter()

    @property
    def size(self) -> Size:
        """Width and height of the picture, px: those of the window, or of the smallest picture, which is shrunk."""
        width, height = self._surface.get_size()
        return max(width, SMALLEST[0]), max(height, SMALLEST[1])

    def events(self) -> Iterator[Event]:
        """Yield what the user has done since the last call."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                yield Closed()
            elif event.type == pygame.VIDEORESIZE:
                self._surface = pygame.display.get_surface()
            elif event.type == pygame.KEYDOWN and (name := _name(event)):
                yield Key(name)
            elif event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
                (width, height), (shown_width, shown_height) = self.size, self._surface.get_size()
                yield Click(event.pos[0] * width / shown_width, event.pos[1] * height / shown_height)

    def show(self, scene: Scene) -> None:
        """Show a scene; one of another size than the window is fitted into it."""
        if self._surface.get_size() == (scene.width, scene.height):
            self._painter.paint(scene, self._surface)
        else:
            canvas = pygame.Surface((scene.width, scene.height), depth=PIXEL_BITS)
            self._painter.paint(scene, canvas)
            pygame.transform.smoothscale(canvas, self._surface.get_size(), self._surface)
        pygame.display.flip()

    def wait(self, fps: float) -> float:
        """Wait until the next picture of so many per second is due; return how long the last one took, s."""
        return self._clock.tick(fps) / 1000.0

    def close(self) -> None:
        """Close it."""
        pygame.display.quit()


_INSTEAD: Final = "Without a display: --headless --out demo.mp4 writes a film, and --web shows the picture in a browser"


def _needs_display() -> None:
    """Refuse before SDL does, which would print what it lacks."""
    if os.name == "posix" and os.uname().sysname == "Linux":
        names = ("DISPLAY", "WAYLAND_DISPLAY", _DRIVER)
        if not any(os.environ.get(name) for name in names):
            raise MetaverseError(f"no window can be opened: DISPLAY and WAYLAND_DISPLAY are not set. {_INSTEAD}")


def _needs_screen(driver: str) -> None:
    """Refuse what SDL takes where no screen can be reached, and nobody sees anything, unless it is asked for."""
    if driver in _UNSEEN and os.environ.get(_DRIVER) != driver:
        pygame.display.quit()
        screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        raise MetaverseError(f"no window can be opened: the screen {screen} cannot be reached. {_INSTEAD}")


def _fitting() -> Size:
    """Return the largest size of a window that the screen has room for."""
    width, height = pygame.display.get_desktop_sizes()[0]
    for factor in _ENLARGED:
        size = round(factor * REFERENCE[0]), round(factor * REFERENCE[1])
        if size[0] <= _SCREEN_SHARE * width and size[1] <= _SCREEN_SHARE * height:
            return size
    return min(REFERENCE[0], width), min(REFERENCE[1], height)


def _name(event: pygame.event.Event) -> str:
    """Return the name of a key, or ``""`` of one that means nothing alone, such as a part of Ctrl-C."""
    if event.mod & (pygame.KMOD_CTRL | pygame.KMOD_ALT | pygame.KMOD_META):
        return ""
    name = _NAMES.get(event.key, event.unicode)
    return f"Shift+{name}" if name == "Tab" and event.mod & pygame.KMOD_SHIFT else name


def save_picture(picture: Array, path: Path) -> None:
    """Write a picture ``uint8 [height, width, 3]`` as PNG.

    Raises:
        MetaverseError: It cannot be written.
    """
    surface = pygame.image.frombuffer(picture.tobytes(), (picture.shape[1], picture.shape[0]), "RGB")
    try:
        pygame.image.save(surface, path)
    except (pygame.error, OSError) as error:
        raise MetaverseError(f"{path}: the picture cannot be written: {error}") from error
