"""Pixels: shapes where they are, texts as wide as scenes say, dots as many as there are, and nothing drawn twice."""

from typing import Any

import numpy as np
import pygame
import pytest

from metaverse_env.rendering import painter
from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.dots import KINDS, Dots
from metaverse_env.rendering.lettering import advance
from metaverse_env.rendering.shapes import Circle, Line, Polygon, Rectangle, Scene, Text

# --- the font ---------------------------------------------------------------------------------------------------------


def test_the_fonts_advances_are_those_that_scenes_are_measured_with() -> None:
    ranges = ((0x20, 0x7F), (0xA1, 0xAD), (0xAE, 0x180), (0x391, 0x3A2), (0x3A3, 0x3CF), (0x400, 0x460))
    characters = [chr(code) for first, last in ranges for code in range(first, last)] + list("–−…•")
    for size in range(8, 73, 8):
        for character, metrics in zip(characters, painter._font(size).metrics("".join(characters)), strict=True):
            assert abs(metrics[4] - advance(character, size)) <= 1, (character, size)


def test_a_letter_is_as_high_as_its_text_is_said_to_be() -> None:
    for size in (9, 12, 20, 60):
        assert painter._font(size).get_height() <= size + 2


def ink(surface: pygame.Surface) -> pygame.Rect:
    """Return the smallest rectangle around everything that is not paper."""
    drawn = (pygame.surfarray.array3d(surface) != COLOURS["paper"]).any(axis=2)
    columns, rows = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return pygame.Rect(columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)


@pytest.mark.parametrize("size", [9, 12, 20, 44])
@pytest.mark.parametrize("align", ["left", "middle", "right"])
def test_a_drawn_text_stays_within_its_box(size: int, align: Any) -> None:
    text = Text(400.0, 60.0, "zone-17: 312 ms, CPU +20 %", size, "ink", align)
    surface = pygame.Surface((1000, 120), depth=32)
    painter.draw_scene(Scene(1000, 120, (text,)), surface)
    left, top, right, bottom = text.box
    drawn = ink(surface)
    assert drawn.left >= left - 1
    assert drawn.right <= right + 1
    assert drawn.top >= top - 1
    assert drawn.bottom <= bottom + 1


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "inside", "outside"),
    [
        (Circle(50.0, 50.0, 20.0, "over"), [(50, 50), (32, 50), (50, 67)], [(35, 35), (72, 50)]),
        (Rectangle(10.0, 20.0, 30.0, 10.0, "near"), [(10, 20), (39, 29)], [(9, 20), (40, 29), (39, 30)]),
        (Rectangle(10.0, 20.0, 30.0, 10.0, None, "ink", 2.0), [(11, 21), (38, 25)], [(20, 25), (41, 25)]),
        (Line(((10.0, 50.0), (90.0, 50.0)), "ink", 4.0), [(11, 50), (88, 49)], [(50, 54), (50, 45)]),
        (Line(((10.0, 50.0), (90.0, 50.0)), "ink"), [(50, 50)], [(50, 52)]),
        (Polygon(((10.0, 10.0), (60.0, 10.0), (10.0, 60.0)), "more"), [(12, 12), (30, 30)], [(50, 50)]),
    ],
)
def test_shapes_are_painted_where_they_are(shape: Any, inside: Any, outside: Any) -> None:
    surface = pygame.Surface((100, 100), depth=32)
    painter.draw_scene(Scene(100, 100, (shape,)), surface)
    colour = getattr(shape, "fill", None) or getattr(shape, "edge", None) or shape.colour
    assert [tuple(surface.get_at(place)[:3]) for place in inside] == [COLOURS[colour]] * len(inside)
    assert [tuple(surface.get_at(place)[:3]) for place in outside] == [COLOURS["paper"]] * len(outside)


def test_what_lies_beyond_the_edge_does_no_harm() -> None:
    far = ((-500.0, -500.0), (3000.0, 100.0), (1270.5, 719.9))
    shapes = (Line(far, "ink"), Polygon(far, "over"), Circle(1300.0, 730.0, 50.0, "fine"), Text(1275.0, 719.0, "x", 40))
    painter.draw_scene(Scene(1280, 720, shapes), pygame.Surface((1280, 720), depth=32))


def test_an_outlined_disc_is_empty_inside() -> None:
    surface = pygame.Surface((100, 100), depth=32)
    painter.draw_scene(Scene(100, 100, (Circle(50.0, 50.0, 20.0, None, "ink", 3.0),)), surface)
    assert tuple(surface.get_at((50, 50))[:3]) == COLOURS["paper"]
    assert tuple(surface.get_at((31, 50))[:3]) == COLOURS["ink"]
    assert tuple(surface.get_at((35, 50))[:3]) == COLOURS["paper"]


@pytest.mark.parametrize("text", ["東京", "▯", "→", "1.00 → 1.50", "\u202e"])
def test_what_the_font_has_not_is_drawn_within_its_box(text: str) -> None:
    surface = pygame.Surface((300, 60), depth=32)
    shape = Text(20.0, 30.0, text, 20)
    painter.draw_scene(Scene(300, 60, (shape,)), surface)
    left, top, right, bottom = shape.box
    drawn = ink(surface)
    assert left - 1 <= drawn.left < drawn.right <= right + 1
    assert top - 1 <= drawn.top < drawn.bottom <= bottom + 1


# --- dots -------------------------------------------------------------------------------------------------------------


def dots(places: list[tuple[float, float]], sizes: list[tuple[float, float]]) -> Dots:
    start = np.array(places, dtype=np.float32)
    count = len(places)
    turn, kind = np.full(count, 0.5, dtype=np.float32), np.arange(count, dtype=np.uint8) % len(KINDS)
    return Dots(start, start + 20, start + 40, turn, np.array(sizes, dtype=np.float32), kind, 3.0, 1)


def test_dots_are_where_they_are_at_a_phase() -> None:
    moving = dots([(20.0, 20.0), (100.0, 20.0)], [(1.0, 1.0), (1.0, 1.0)])
    for phase, moved in ((0.0, 0), (0.25, 10), (0.5, 20), (1.0, 40)):
        surface = pygame.Surface((160, 100), depth=32)
        painter.draw_scene(Scene(160, 100, (), (), moving, phase=phase), surface)
        for x, kind in ((20, "here"), (100, "suffering")):
            assert tuple(surface.get_at((x + moved, 20 + moved))[:3]) == COLOURS[kind]


def test_what_has_no_size_is_not_drawn() -> None:
    coming = dots([(20.0, 20.0)], [(0.0, 1.0)])
    surface = pygame.Surface((100, 100), depth=32)
    painter.draw_scene(Scene(100, 100, (), (), coming, phase=0.0), surface)
    assert (pygame.surfarray.array3d(surface) == COLOURS["paper"]).all()


def test_as_many_dots_as_are_apart_are_seen() -> None:
    grid = [(10.0 + 12 * (n % 20), 10.0 + 12 * (n // 20)) for n in range(300)]
    still = dots(grid, [(1.0, 1.0)] * 300)
    surface = pygame.Surface((300, 240), depth=32)
    painter.draw_scene(Scene(300, 240, (), (), still, phase=0.0), surface)
    pixels = pygame.surfarray.array3d(surface)
    assert sum((pixels[int(x), int(y)] != COLOURS["paper"]).any() for x, y in grid) == 300


def test_dots_lie_over_what_is_below_and_under_what_is_above() -> None:
    still = dots([(20.0, 20.0), (60.0, 20.0)], [(1.0, 1.0)] * 2)
    below, above = (Rectangle(0.0, 0.0, 100.0, 100.0, "card"),), (Rectangle(50.0, 10.0, 20.0, 20.0, "over"),)
    surface = pygame.Surface((100, 100), depth=32)
    painter.draw_scene(Scene(100, 100, (), below, still, above, phase=0.0), surface)
    assert tuple(surface.get_at((20, 20))[:3]) == COLOURS["here"]
    assert tuple(surface.get_at((60, 20))[:3]) == COLOURS["over"]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_a_painter_keeps_what_stays_and_shows_what_changed() -> None:
    artist, surface = painter.Painter(), pygame.Surface((100, 100), depth=32)
    still = dots([(20.0, 20.0)], [(1.0, 1.0)])
    scene = Scene(100, 100, (), (Rectangle(0.0, 0.0, 100.0, 50.0, "card"),), still, phase=0.0)
    artist.paint(scene, surface)
    assert artist._below is not None
    kept = artist._below[1]
    artist.paint(scene.at(1.0), surface)
    assert artist._below[1] is kept
    assert tuple(surface.get_at((60, 60))[:3]) == COLOURS["here"]
    assert tuple(surface.get_at((20, 20))[:3]) == COLOURS["card"]  # the dot has left no trace
    artist.paint(Scene(100, 100, (), (Rectangle(0.0, 0.0, 100.0, 50.0, "over"),)), surface)
    assert tuple(surface.get_at((20, 20))[:3]) == COLOURS["over"]
    other = pygame.Surface((50, 40), depth=32)
    artist.paint(Scene(50, 40, ()), other)
    assert tuple(other.get_at((20, 20))[:3]) == COLOURS["paper"]


@pytest.mark.parametrize("size", [(1280, 720), (641, 363)])
def test_an_array_has_the_pixels_of_its_surface(size: tuple[int, int]) -> None:
    surface = pygame.Surface(size, depth=32)
    random = np.random.default_rng(0).integers(0, 256, (*size, 3))
    pygame.surfarray.blit_array(surface, random)
    pixels = painter.as_array(surface)
    assert (pixels == random.swapaxes(0, 1)).all()
    assert pixels.flags.writeable
    pixels[:] = 0
    assert (painter.as_array(surface) == random.swapaxes(0, 1)).all()
