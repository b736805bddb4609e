"""From a scene to pixels, with pygame, on memory or on a window's surface.

What stays from picture to picture is drawn once: texts, discs and dots are kept as small pictures, and so is all of a
scene below its dots while they move. Texts are set glyph by glyph in the font that pygame brings, without kerning, so
that they are as wide as the scene says.
"""

import os
from functools import lru_cache
from itertools import repeat
from math import floor
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.dots import KINDS, Dots
from metaverse_env.rendering.lettering import advance, is_known, text_width
from metaverse_env.rendering.shapes import Circle, Line, Polygon, Rectangle, Scene, Shape, Text

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library does not greet

import pygame

Array = np.ndarray

PIXEL_BITS: Final = 32
"""Bits per pixel of what is drawn on; pygame 2.6.1 crashes when it draws smooth lines at 24."""

_RGB: Final = (0x0000FF, 0x00FF00, 0xFF0000, 0)
"""Places of red, green and blue in 24 bits that lie in memory in this order, as arrays have them."""

_SMOOTH: Final = 4
"""Enlargement at which a disc is drawn before it is reduced, so that its rim is smooth."""

_ARROW: Final = "→"
"""Is no letter of the font."""

_PARTS_OF_A_PIXEL: Final = 2
"""Dots are drawn in sizes that differ by so much of a pixel."""


class Painter:
    """Paints scenes of a session one after the other; what lies below the dots is kept between them."""

    def __init__(self) -> None:
        self._ground: tuple[tuple[Shape, ...], pygame.Surface] | None = None
        self._below: tuple[tuple[Shape, ...], pygame.Surface] | None = None

    def paint(self, scene: Scene, surface: pygame.Surface) -> None:
        """Draw a scene on a surface of its size."""
        surface.blit(self._stays(scene), (0, 0))
        if len(scene.dots):
            draw_dots(scene.dots, scene.phase, surface)
        _draw(scene.above, surface)

    def _stays(self, scene: Scene) -> pygame.Surface:
        """Return what lies below the dots; drawn anew where these are other shapes than those of the scene before."""
        size = scene.width, scene.height
        if self._ground is None or self._ground[0] is not scene.ground or self._ground[1].get_size() != size:
            ground = pygame.Surface(size, depth=PIXEL_BITS)
            ground.fill(COLOURS["paper"])
            _draw(scene.ground, ground)
            self._ground, self._below = (scene.ground, ground), None
        if self._below is None or self._below[0] is not scene.below:
            below = pygame.Surface(size, depth=PIXEL_BITS) if self._below is None else self._below[1]
            below.blit(self._ground[1], (0, 0))
            _draw(scene.below, below)
            self._below = scene.below, below
        return self._below[1]


def draw_scene(scene: Scene, surface: pygame.Surface) -> None:
    """Draw a single scene on a surface of its size."""
    Painter().paint(scene, surface)


def as_array(surface: pygame.Surface) -> Array:
    """Return the pixels of a surface, ``uint8 [height, width, 3]``, a new array."""
    width, height = surface.get_size()
    rgb = _packed(surface.get_size())
    rgb.blit(surface, (0, 0))  # the blitter reorders bytes several times faster than NumPy copies them
    memory: Any = rgb.get_buffer()
    lines: Array = np.frombuffer(memory, np.uint8).reshape(height, rgb.get_pitch())
    return lines[:, : 3 * width].reshape(height, width, 3).copy()


@lru_cache(maxsize=4)
def _packed(size: tuple[int, int]) -> pygame.Surface:
    return pygame.Surface(size, depth=24, masks=_RGB)


def _draw(shapes: tuple[Shape, ...], surface: pygame.Surface) -> None:
    for shape in shapes:
        _DRAW[type(shape)](surface, shape)


def draw_dots(dots: Dots, phase: float, surface: pygame.Surface) -> None:
    """Draw dots at a phase; those that are not there any more, or not yet, have no size."""
    place, radius = dots.at(phase)
    width = np.rint(radius * 2 * _PARTS_OF_A_PIXEL).astype(np.int64)
    shown = np.flatnonzero(width > 0)
    order = shown[np.argsort(width[shown] * len(KINDS) + dots.kind[shown], kind="stable")]
    corner = np.rint(place[order] - radius[order, None]).astype(np.int64)
    if not len(order):
        return
    alike = width[order] * len(KINDS) + dots.kind[order]
    starts = np.flatnonzero(np.diff(alike, prepend=-1))
    for first, last in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        parts, kind = divmod(int(alike[first]), len(KINDS))
        sprite = _dot(parts, KINDS[kind])
        surface.blits(list(zip(repeat(sprite, last - first), corner[first:last].tolist(), strict=True)), False)


def _draw_circle(surface: pygame.Surface, circle: Circle) -> None:
    diameter = max(1, round(2.0 * circle.radius))
    sprite = _disc(diameter, circle.fill, circle.edge, round(circle.thickness * _SMOOTH))
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
    left, top, _, _ = text.box
    surface.blit(_words(text.text, text.size, text.colour), (floor(left), floor(top)))


_DRAW: Final[dict[type, Any]] = {
    Circle: _draw_circle,
    Rectangle: _draw_rectangle,
    Line: _draw_line,
    Polygon: _draw_polygon,
    Text: _draw_text,
}


@lru_cache(maxsize=2048)
def _disc(diameter: int, fill: str | None, edge: str | None, thickness: int) -> pygame.Surface:
    """Return a disc with a smooth rim on a transparent ground; the thickness of its edge is enlarged already."""
    large = pygame.Surface((diameter * _SMOOTH, diameter * _SMOOTH), pygame.SRCALPHA)
    large.fill((*COLOURS[edge or fill or "paper"], 0))
    middle = diameter * _SMOOTH / 2
    if fill is not None:
        pygame.draw.circle(large, COLOURS[fill], (middle, middle), middle)
    if edge is not None:
        pygame.draw.circle(large, COLOURS[edge], (middle, middle), middle, thickness)
    return pygame.transform.smoothscale(large, (diameter, diameter))


@lru_cache(maxsize=512)
def _dot(parts: int, colour: str) -> pygame.Surface:
    """Return a dot whose diameter is so many parts of a pixel."""
    side = -(-parts // _PARTS_OF_A_PIXEL)
    large = pygame.Surface((side * _SMOOTH, side * _SMOOTH), pygame.SRCALPHA)
    large.fill((*COLOURS[colour], 0))
    radius = parts * _SMOOTH / _PARTS_OF_A_PIXEL / 2
    pygame.draw.circle(large, COLOURS[colour], (side * _SMOOTH / 2, side * _SMOOTH / 2), radius)
    return pygame.transform.smoothscale(large, (side, side))


@lru_cache(maxsize=8192)
def _words(text: str, size: int, colour: str) -> pygame.Surface:
    """Return a text on a transparent ground; a letter that is missing is an empty box."""
    words = pygame.Surface((max(text_width(text, size), 1), size + 3), pygame.SRCALPHA)
    words.fill((*COLOURS[colour], 0))
    left = 0
    for character in text:
        words.blit(_glyph(character, size, colour), (left, 0), special_flags=pygame.BLEND_RGBA_MAX)
        left += advance(character, size)
    return words


@lru_cache(maxsize=4096)
def _glyph(character: str, size: int, colour: str) -> pygame.Surface:
    """Return one character; what the font has not is drawn: an arrow, or an empty box for a letter."""
    if is_known(character) and character != _ARROW:
        return _font(size).render(character, True, COLOURS[colour])
    wide, middle = advance(character, size), size // 2 + 1
    drawn = pygame.Surface((wide, size + 3), pygame.SRCALPHA)
    drawn.fill((*COLOURS[colour], 0))
    if character == _ARROW:
        pygame.draw.rect(drawn, COLOURS[colour], (1, middle - size // 16, wide - size // 3, max(size // 8, 1)))
        tip, base, half = wide - 2, wide - 2 - size // 3, max(size // 4, 2)
        pygame.draw.polygon(drawn, COLOURS[colour], ((base, middle - half), (base, middle + half), (tip, middle)))
    else:
        pygame.draw.rect(drawn, COLOURS[colour], (1, size // 5, max(wide - 2, 2), max(size - size // 3, 2)), 1)
    return drawn


@lru_cache(maxsize=64)
def _font(size: int) -> pygame.font.Font:
    """Return pygame's own font; by its path, since by default it would be made smaller than asked."""
    pygame.font.init()
    return pygame.font.Font(Path(pygame.__file__).with_name(pygame.font.get_default_font()), size)
