"""The colours of a picture, by name: safe for people who see colours differently, and mixed with white to fade."""

from typing import Final

Colour = tuple[int, int, int]

_PLAIN: Final[dict[str, Colour]] = {
    "paper": (241, 243, 246),
    "card": (255, 255, 255),
    "ink": (28, 32, 38),
    "muted": (84, 92, 102),
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
    "more": (0, 158, 115),
    "less": (160, 62, 120),
    "street": (218, 222, 228),
    "here": (32, 92, 150),
    "suffering": (196, 76, 0),
    "arriving": (0, 138, 100),
    "leaving": (126, 134, 144),
    "travelling": (140, 44, 104),
}
"""The strong ones are Okabe and Ito's palette for the colour blind (``less`` is darkened to be seen on white, ``fine``
is its blue); no meaning is carried by colour alone."""

CALLED: Final = {"fine": "blue", "near": "yellow", "over": "orange", "down": "black", "less": "purple"}
"""What people call them, wherever they are told."""

FADING: Final = ("fine", "near", "over", "down", "more", "less")
"""Colours that come in shades, too."""

SHADES: Final = (75, 50, 30, 15)
"""Percent of the colour in white, the strongest first: ``"over/50"`` is half of ``over``."""


def mixed(colour: Colour, percent: int) -> Colour:
    """Return so much of a colour in white.

    >>> mixed((0, 100, 200), 50)
    (128, 178, 228)
    """
    red, green, blue = (round(255 + (part - 255) * percent / 100) for part in colour)
    return red, green, blue


COLOURS: Final[dict[str, Colour]] = _PLAIN | {
    f"{name}/{percent}": mixed(_PLAIN[name], percent) for name in FADING for percent in SHADES
}
"""Red, green, blue by name."""


def faded(colour: str, age: int) -> str:
    """Return a colour of :data:`FADING` as it is after some ticks: itself, then its shades, the last one for ever.

    >>> faded("over", 0), faded("over", 2)
    ('over', 'over/50')
    """
    return colour if age <= 0 else f"{colour}/{SHADES[min(age, len(SHADES)) - 1]}"
