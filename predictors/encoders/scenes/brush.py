"""Drawing with pillow: skies, grounds, avatars and things, in coordinates from 0 to 1 over the picture.

Everything is drawn twice as large and shrunk, which smooths edges. Colours are ``(red, green, blue)`` from 0 to 255.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH: Final = 320
HEIGHT: Final = 240
_OVER: Final = 2
"""Drawn so many times larger than shown."""

Colour = tuple[int, int, int]
Point = tuple[float, float]
Pose = tuple[float, float, float, float]
"""Angles of left arm, right arm, left leg, right leg, degrees from straight down; positive is to the right."""

POSES: Final[dict[str, Pose]] = {
    "stand": (-12, 12, -6, 6),
    "wave": (-12, 150, -6, 6),
    "talk": (-20, 65, -6, 6),
    "reach": (70, 80, -8, 8),
    "cheer": (-155, 155, -12, 12),
    "clap": (-130, 125, -5, 8),
    "hammer": (35, 130, -15, 15),
    "run": (-60, 55, -45, 40),
    "kick": (-50, 70, -8, 75),
    "jump": (-125, 130, -40, 35),
    "sit": (-15, 25, 70, 80),
    "play": (50, 75, -14, 14),
}
SKINS: Final[tuple[Colour, ...]] = ((241, 205, 172), (198, 145, 104), (134, 88, 58), (92, 60, 44), (160, 200, 235))


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that is ``share`` of the way from the first to the second.

    >>> blend((0, 0, 0), (100, 200, 50), 0.5)
    (50, 100, 25)
    """
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


class Brush:
    """A picture in the making, and where its chance comes from.

    Args:
        random: Decides everything that varies.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.image = Image.new("RGB", (WIDTH * _OVER, HEIGHT * _OVER))
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def between(self, low: float, high: float) -> float:
        """Return a number from an interval."""
        return float(self.random.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return int(self.random.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        """Return whether something of this probability happens."""
        return bool(self.random.random() < share)

    def one_of(self, colours: Sequence[Colour]) -> Colour:
        """Return one of several colours."""
        return colours[int(self.random.integers(len(colours)))]

    def bright(self) -> Colour:
        """Return a saturated colour of any hue."""
        return _of_hue(self.between(0.0, 6.0), self.between(0.5, 0.9), self.between(0.6, 0.95))

    def scale(self, points: Sequence[Point]) -> list[Point]:
        """Return points in pixels."""
        return [(x * self.image.width, y * self.image.height) for x, y in points]

    def gradient(self, top: Colour, bottom: Colour, begin: float = 0.0, end: float = 1.0) -> None:
        """Fill a band of the picture with a vertical gradient."""
        first, last = round(begin * self.image.height), round(end * self.image.height)
        for row in range(first, last):
            colour = blend(top, bottom, (row - first) / max(1, last - first))
            self._draw.line([(0, row), (self.image.width, row)], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: int = 255) -> None:
        """Draw a filled rectangle."""
        self._draw.rectangle(self.scale([(left, top), (right, bottom)]), fill=(*colour, alpha))

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: int = 255) -> None:
        """Draw a filled polygon."""
        self._draw.polygon(self.scale(points), fill=(*colour, alpha))

    def disc(self, x: float, y: float, radius: float, colour: Colour, alpha: int = 255, flat: float = 1.0) -> None:
        """Draw a disc whose radius is a share of the picture's height; ``flat`` below 1 makes an ellipse of it."""
        (cx, cy), tall = self.scale([(x, y)])[0], radius * self.image.height
        self._draw.ellipse([cx - tall, cy - tall * flat, cx + tall, cy + tall * flat], fill=(*colour, alpha))

    def line(self, points: Sequence[Point], colour: Colour, thick: float = 0.008, alpha: int = 255) -> None:
        """Draw a line whose thickness is a share of the picture's height."""
        width = max(1, round(thick * self.image.height))
        self._draw.line(self.scale(points), fill=(*colour, alpha), width=width, joint="curve")

    def avatar(self, x: float, y: float, tall: float, pose: str = "stand", dress: Colour | None = None) -> None:
        """Draw a person who stands at ``(x, y)``, ``tall`` as a share of the picture's height."""
        skin, coat = self.one_of(SKINS), dress or self.bright()
        trousers = blend(self.bright(), (40, 40, 60), 0.6)
        angles = [angle + self.between(-9, 9) for angle in POSES[pose]]
        hip, neck = y - 0.42 * tall * (0.55 if pose == "sit" else 1.0), tall
        shoulder = hip - 0.34 * tall
        self.disc(x, y, 0.16 * tall, (0, 0, 0), 50, 0.25)
        for angle in angles[2:]:
            self._limb((x, hip), angle, 0.42 * tall, trousers, 0.11 * tall)
        self.line([(x, hip), (x, shoulder)], coat, 0.2 * tall)
        for angle in angles[:2]:
            self._limb((x, shoulder), angle, 0.34 * tall, blend(coat, (0, 0, 0), 0.15), 0.085 * tall)
        self.disc(x, shoulder - 0.12 * neck, 0.105 * tall, skin)
        hair = blend(self.one_of(SKINS), (20, 15, 10), 0.7)
        self.disc(x, shoulder - 0.17 * neck, 0.09 * tall, hair, 255, 0.65)

    def _limb(self, start: Point, angle: float, length: float, colour: Colour, thick: float) -> None:
        """Draw an arm or a leg."""
        across, down = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        end = (start[0] + across * length * HEIGHT / WIDTH, start[1] + down * length)
        self.line([start, end], colour, thick)
        (x, y), radius = end, thick / 2
        self.disc(x, y, radius, colour)

    def finished(self) -> Image.Image:
        """Return the picture, shrunk, perhaps a little blurred, and grainy as a camera's."""
        shown = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        if self.chance(0.3):
            shown = shown.filter(ImageFilter.GaussianBlur(self.between(0.3, 1.0)))
        pixels = np.asarray(shown, dtype=np.float64) + self.random.normal(
            0.0, self.between(1.0, 6.0), (HEIGHT, WIDTH, 3)
        )
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _of_hue(hue: float, saturation: float, value: float) -> Colour:
    """Return the colour of a hue from 0 to 6, by the hexagon of HSV."""
    parts = [1.0 - saturation * min(1.0, max(0.0, min((n + hue) % 6, 4 - (n + hue) % 6))) for n in (5, 3, 1)]
    red, green, blue = (round(255 * value * part) for part in parts)
    return red, green, blue
