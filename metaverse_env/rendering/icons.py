"""Activities as small drawings, for no font is sure to have them. Each fits a disc around its middle."""

from collections.abc import Callable
from typing import Final

from metaverse_env.rendering.pen import Pen

Draw = Callable[[Pen, float, float, float, str], None]


def draw_icon(pen: Pen, activity: str, x: float, y: float, radius: float, colour: str = "ink") -> None:
    """Draw the sign of an activity; of one that is not known, a diamond."""
    _ICONS.get(activity, _diamond)(pen, x, y, radius, colour)


def _idle(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """Three dots: nothing goes on."""
    for place in (-0.66, 0.0, 0.66):
        pen.circle(x + place * r, y, 0.24 * r, colour)


def _social(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """A speech bubble."""
    pen.rectangle(x - 0.9 * r, y - 0.8 * r, 1.8 * r, 1.2 * r, colour, corner=0.4 * r)
    pen.polygon(((x - 0.5 * r, y + 0.3 * r), (x + 0.1 * r, y + 0.3 * r), (x - 0.5 * r, y + 0.95 * r)), colour)


def _trade(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """Two arrows, there and back."""
    for way, up in ((1.0, -0.42), (-1.0, 0.42)):
        level = y + up * r
        pen.rectangle(x - 0.8 * r, level - 0.13 * r, 1.6 * r, 0.26 * r, colour)
        tip, base = x + way * 0.95 * r, x + way * 0.35 * r
        pen.polygon(((base, level - 0.45 * r), (base, level + 0.45 * r), (tip, level)), colour)


def _build(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """Bricks."""
    for left, top in ((-0.45, -0.85), (-0.95, 0.05), (0.05, 0.05)):
        pen.rectangle(x + left * r, y + top * r, 0.9 * r, 0.78 * r, colour)


def _game(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """A die."""
    pen.rectangle(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r, colour, corner=0.3 * r)
    for place in (-0.42, 0.0, 0.42):
        pen.circle(x + place * r, y + place * r, 0.2 * r, "card")


def _concert(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """A note."""
    pen.circle(x - 0.3 * r, y + 0.55 * r, 0.42 * r, colour)
    pen.rectangle(x - 0.06 * r, y - 0.95 * r, 0.2 * r, 1.5 * r, colour)
    pen.polygon(
        ((x + 0.06 * r, y - 0.95 * r), (x + 0.8 * r, y - 0.45 * r), (x + 0.8 * r, y), (x + 0.06 * r, y - 0.45 * r)),
        colour,
    )


def _diamond(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    pen.polygon(((x, y - 0.9 * r), (x + 0.9 * r, y), (x, y + 0.9 * r), (x - 0.9 * r, y)), colour)


def draw_person(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    """Draw a head and shoulders: users."""
    pen.circle(x, y - 0.45 * r, 0.45 * r, colour)
    pen.rectangle(x - 0.75 * r, y + 0.1 * r, 1.5 * r, 0.85 * r, colour, corner=0.5 * r)


_ICONS: Final[dict[str, Draw]] = {
    "idle": _idle,
    "social": _social,
    "trade": _trade,
    "build": _build,
    "game": _game,
    "concert": _concert,
}
"""By name of the activity; these are the shipped scenarios'."""
