"""Zones as pictures: one drawing an activity, never twice the same.

Some drawings fit more than one activity, as real pictures do: an empty stage is nobody's concert, a crowd may chat.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from PIL import Image

from metaverse_env.errors import UnknownNameError
from predictors.encoders.scenes import things
from predictors.encoders.scenes.brush import Brush, Colour, blend

NIGHT: Final[Colour] = (14, 12, 30)


def idle(brush: Brush) -> None:
    """Draw a place with hardly anybody: a bench, trees, one or two who wait, now and then an empty stage."""
    horizon = brush.between(0.45, 0.65)
    outside = brush.chance(0.8)
    (things.outdoors if outside else things.indoors)(brush, horizon)
    for _ in range(brush.count(0, 3) if outside else 0):
        things.tree(brush, brush.between(0.03, 0.97), horizon + brush.between(0.0, 0.1), brush.between(0.25, 0.5))
    if brush.chance(0.2):
        _platform(brush, horizon)
    seat = brush.between(0.25, 0.75)
    if brush.chance(0.7):
        things.bench(brush, seat, brush.between(0.8, 0.9), brush.between(0.2, 0.3))
    if brush.chance(0.5):
        brush.avatar(seat, 0.86, brush.between(0.26, 0.36), "sit")
    elif brush.chance(0.7):
        brush.avatar(brush.between(0.15, 0.85), brush.between(0.75, 0.93), brush.between(0.2, 0.34))


def social(brush: Brush) -> None:
    """Draw groups who talk: pairs and circles that face each other, bubbles, tables."""
    horizon = brush.between(0.35, 0.55)
    (things.outdoors if brush.chance(0.5) else things.indoors)(brush, horizon)
    if brush.chance(0.5):
        things.table(brush, brush.between(0.3, 0.7), brush.between(0.8, 0.92), brush.between(0.12, 0.2))
    for group in range(brush.count(1, 3)):
        middle, foot, tall = 0.25 + 0.25 * group + brush.between(-0.08, 0.08), brush.between(0.7, 0.92), 0.34
        _group(brush, middle, foot, brush.between(0.8, 1.1) * tall)


def _group(brush: Brush, middle: float, foot: float, tall: float) -> None:
    for person in range(brush.count(2, 4)):
        pose = ("talk", "wave", "stand", "talk")[brush.count(0, 3)]
        x, y = middle + (person - 1.2) * 0.3 * tall, foot + brush.between(-0.04, 0.04)
        brush.avatar(x, y, tall * brush.between(0.92, 1.05), pose)
        if brush.chance(0.35):
            things.bubble(brush, x + 0.03, y - 1.18 * tall, brush.between(0.05, 0.075))


def trade(brush: Brush) -> None:
    """Draw a market: stalls, goods, buyers who reach for them, crates."""
    horizon = brush.between(0.4, 0.55)
    (things.outdoors if brush.chance(0.75) else things.indoors)(brush, horizon)
    stalls = brush.count(1, 3)
    for place in range(stalls):
        wide = brush.between(0.24, 0.32)
        things.stall(brush, 0.04 + 0.31 * place + brush.between(0.0, 0.05), brush.between(0.68, 0.78), wide)
    for _ in range(brush.count(0, 4)):
        colour = blend(brush.bright(), things.WOOD, 0.6)
        things.crate(brush, brush.between(0.0, 0.9), brush.between(0.85, 0.98), brush.between(0.07, 0.13), colour)
    for _ in range(brush.count(1, 5)):
        pose = ("reach", "stand", "talk")[brush.count(0, 2)]
        brush.avatar(brush.between(0.1, 0.9), brush.between(0.82, 0.97), brush.between(0.26, 0.36), pose)


def build(brush: Brush) -> None:
    """Draw a building site: walls of blocks half finished, scaffolds, a crane, people with hammers."""
    horizon = brush.between(0.4, 0.6)
    things.outdoors(brush, horizon)
    if brush.chance(0.45):
        things.crane(brush, brush.between(0.15, 0.85), horizon + 0.04, horizon - brush.between(0.06, 0.12))
    if brush.chance(0.5):
        things.scaffold(brush, brush.between(0.05, 0.6), 0.75, brush.between(0.2, 0.35), brush.count(1, 3))
    _wall(brush, brush.between(0.08, 0.5), brush.between(0.72, 0.85))
    for _ in range(brush.count(0, 4)):
        things.crate(brush, brush.between(0.0, 0.9), brush.between(0.88, 0.98), 0.09, brush.bright())
    for _ in range(brush.count(1, 3)):
        pose = ("hammer", "reach", "stand")[brush.count(0, 2)]
        brush.avatar(
            brush.between(0.1, 0.9), brush.between(0.82, 0.95), brush.between(0.26, 0.36), pose, (235, 150, 30)
        )


def _wall(brush: Brush, left: float, foot: float) -> None:
    """Draw columns of cubes, each as high as it has become."""
    size, colour = brush.between(0.075, 0.11), brush.bright()
    for column in range(brush.count(3, 6)):
        for row in range(brush.count(1, 4)):
            shade = blend(colour, brush.bright(), 0.12)
            things.crate(brush, left + 0.75 * size * column, foot - size * row, size, shade)


def game(brush: Brush) -> None:
    """Draw a match or a race: a marked field, two teams, a ball, a goal, a score board."""
    horizon = brush.between(0.25, 0.4)
    things.outdoors(brush, horizon)
    field = brush.one_of(((58, 140, 70), (170, 80, 50), (50, 90, 160), (60, 60, 70)))
    brush.polygon([(0.18, horizon), (0.82, horizon), (1.15, 1.0), (-0.15, 1.0)], field)
    _marks(brush, horizon)
    if brush.chance(0.6):
        _scores(brush)
    teams = brush.bright(), brush.bright()
    for player in range(brush.count(3, 8)):
        pose = ("run", "kick", "jump", "run")[brush.count(0, 3)]
        y = brush.between(horizon + 0.25, 0.96)
        brush.avatar(brush.between(0.08, 0.92), y, 0.12 + 0.24 * y, pose, teams[player % 2])
    if brush.chance(0.7):
        brush.disc(brush.between(0.2, 0.8), brush.between(0.45, 0.9), brush.between(0.02, 0.035), (250, 250, 250))


def _marks(brush: Brush, horizon: float) -> None:
    """Draw lines of a field, or lanes of a track, and perhaps a goal."""
    white: Colour = (240, 240, 240)
    if brush.chance(0.5):
        for lane in range(1, brush.count(3, 5)):
            brush.line([(0.18 + 0.13 * lane, horizon), (-0.15 + 0.26 * lane, 1.0)], white, 0.008)
    else:
        brush.line([(0.0, 0.72), (1.0, 0.72)], white, 0.01)
        brush.disc(0.5, 0.72, 0.14, white, 90, 0.4)
        for x in (0.4, 0.6):
            brush.line([(x, horizon + 0.02), (x, horizon - 0.12)], white, 0.012)
        brush.line([(0.4, horizon - 0.12), (0.6, horizon - 0.12)], white, 0.012)


def _scores(brush: Brush) -> None:
    brush.box(0.3, 0.03, 0.7, 0.14, (20, 20, 24))
    for side, colour in ((0.34, (230, 60, 50)), (0.56, (60, 120, 240))):
        brush.box(side, 0.055, side + brush.between(0.03, 0.1), 0.115, colour)


def concert(brush: Brush) -> None:
    """Draw a stage at night: beams of light, loudspeakers, a band, and a crowd with its arms up."""
    brush.gradient(NIGHT, blend(NIGHT, brush.bright(), 0.35), 0.0, 1.0)
    floor = brush.between(0.5, 0.6)
    brush.box(0.08, 0.12, 0.92, floor, blend(NIGHT, brush.bright(), 0.3))
    for _ in range(brush.count(3, 7)):
        x, aim, spread = brush.between(0.05, 0.95), brush.between(0.1, 0.9), brush.between(0.04, 0.1)
        brush.polygon([(x, 0.02), (aim - spread, floor), (aim + spread, floor)], brush.bright(), 90)
    brush.box(0.05, floor, 0.95, floor + 0.06, (46, 40, 44))
    for x in (0.06, 0.86):
        things.loudspeaker(brush, x, floor, brush.between(0.22, 0.3))
    for player in range(brush.count(1, 4)):
        x = 0.3 + 0.14 * player + brush.between(-0.03, 0.03)
        brush.avatar(x, floor, brush.between(0.24, 0.3), ("play", "play", "cheer")[brush.count(0, 2)])
        brush.line([(x - 0.05, floor - 0.1), (x + 0.06, floor - 0.16)], things.WOOD, 0.02)
    _crowd(brush, brush.count(8, 18))


def _crowd(brush: Brush, people: int) -> None:
    """Draw people from behind, dark against the light."""
    for person in range(people):
        pose = ("cheer", "clap", "cheer", "stand")[brush.count(0, 3)]
        dark = blend(NIGHT, brush.bright(), brush.between(0.1, 0.4))
        brush.avatar(brush.between(0.0, 1.0), 0.9 + 0.2 * person / people, brush.between(0.26, 0.34), pose, dark)


def _platform(brush: Brush, horizon: float) -> None:
    """Draw a stage on which nobody is."""
    brush.box(0.3, horizon - 0.22, 0.72, horizon, (70, 64, 70))
    brush.box(0.26, horizon - 0.02, 0.76, horizon + 0.06, (46, 40, 44))


DRAWINGS: Final[Mapping[str, Callable[[Brush], None]]] = {
    "idle": idle, "social": social, "trade": trade, "build": build, "game": game, "concert": concert,
}  # fmt: skip
"""How each activity is drawn."""


def draw(activity: str, random: np.random.Generator) -> Image.Image:
    """Return a picture of an activity, RGB, 320 x 240 pixels.

    Raises:
        UnknownNameError: No drawing has this name.
    """
    if activity not in DRAWINGS:
        raise UnknownNameError("drawing", activity, DRAWINGS)
    brush = Brush(random)
    DRAWINGS[activity](brush)
    return brush.finished()
