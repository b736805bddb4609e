"""The vocabulary of a picture: a few shapes, named colours, and how wide a text is.

A :class:`Scene` is a description that can be compared, measured and stored; :mod:`.viewer` turns it into pixels.
Nothing here knows what a zone is or how to draw. Positions and lengths are logical pixels, x to the right, y down.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Final, Literal
from unicodedata import normalize

COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "paper": (241, 243, 246),
    "card": (255, 255, 255),
    "ink": (28, 32, 38),
    "muted": (96, 104, 114),
    "line": (196, 202, 210),
    "held": (206, 210, 216),
    "fine": (0, 114, 178),
    "near": (230, 159, 0),
    "over": (213, 94, 0),
    "down": (28, 32, 38),
    "fine_card": (255, 255, 255),
    "near_card": (255, 248, 228),
    "over_card": (253, 228, 214),
    "down_card": (216, 219, 224),
    "in_use": (86, 180, 233),
    "band": (186, 219, 240),
    "more": (0, 158, 115),
    "less": (160, 62, 120),
}
"""Red, green, blue by name. The strong ones are Okabe and Ito's palette for the colour blind (``less`` is darkened to
be seen on white, ``fine`` is its blue); no meaning is carried by colour alone."""

Align = Literal["left", "middle", "right"]


@dataclass(frozen=True, slots=True)
class Circle:
    """A filled disc."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle from its top left corner; filled, outlined (inwards) or both."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    edge: str | None = None
    thickness: float = 1.0
    corner: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line through two or more points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    thickness: float = 1.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; ``x`` is where ``align`` says, ``y`` its middle, ``size`` its height."""

    x: float
    y: float
    text: str
    size: int
    colour: str = "ink"
    align: Align = "left"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, by :func:`text_width`."""
        width = text_width(self.text, self.size)
        left = self.x - {"left": 0.0, "middle": width / 2, "right": width}[self.align]
        return left, self.y - self.size / 2, left + width, self.y + self.size / 2


Shape = Circle | Rectangle | Line | Polygon | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: shapes in the order in which they are painted, on ``paper``."""

    width: int
    height: int
    shapes: tuple[Shape, ...]

    @property
    def texts(self) -> tuple[Text, ...]:
        """The texts alone, in order."""
        return tuple(shape for shape in self.shapes if isinstance(shape, Text))


_ADVANCES = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 "
    "611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
_ADVANCE: Final = {chr(32 + place): int(width) / 1000 for place, width in enumerate(_ADVANCES.split())} | {
    "·": 0.278,
    "×": 0.584,
    "»": 0.556,
    "–": 0.556,
    "−": 0.584,
}
"""Advance of characters of FreeSans Bold, the font that pygame brings, per unit of size."""

_WIDEST = 1.0
"""Advance of every character that is not in the table; few are wider than high."""


@lru_cache(maxsize=4096)
def advance(character: str, size: int) -> int:
    """Return how far a character moves the next one to the right, px; accents change nothing."""
    width = _ADVANCE.get(character) or _ADVANCE.get(normalize("NFD", character)[0], _WIDEST)
    return floor(width * size + 0.5)


@lru_cache(maxsize=16_384)
def text_width(text: str, size: int) -> int:
    """Return how wide a text is, px: the sum of its advances, for it is set without kerning.

    >>> text_width("zone-1", 10)
    32
    """
    return sum(advance(character, size) for character in text)


@lru_cache(maxsize=16_384)
def fitted(text: str, size: int, room: int) -> str:
    """Return a text that fits into ``room`` pixels, shortened with an ellipsis if it must be, empty if nothing fits.

    >>> fitted("zone-of-many-words", 10, 60), fitted("zone-1", 10, 60)
    ('zone-of-m…', 'zone-1')
    """
    if text_width(text, size) <= room:
        return text
    for length in range(len(text) - 1, 0, -1):
        shorter = text[:length].rstrip() + "…"
        if text_width(shorter, size) <= room:
            return shorter
    return ""
