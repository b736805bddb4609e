"""Animated GIFs, small because all pictures share one palette and store only what changed."""

from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from metaverse_env.errors import ConfigurationError
from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.film import Frames

Array = np.ndarray

FASTEST_FPS: Final = 50
"""A GIF counts in hundredths of a second, and players take less than two of them for a tenth."""

_GROUNDS: Final = ("card", "paper", "near_card", "over_card", "down_card")
_MARKS: Final = ("ink", "muted", "fine", "near", "over", "here", "less")
_PILLS: Final = ("ink", "muted", "line", "fine", "over", "more", "less", "suffering")
_STEPS: Final = 4
"""Parts into which the way from one colour to another is cut, for smooth rims: 147 colours of 256."""


def write_gif(frames: Frames, path: Path, fps: int) -> None:
    """Write pictures ``uint8 [height, width, 3]`` as a GIF that repeats for ever.

    Raises:
        ConfigurationError: More pictures per second than :data:`FASTEST_FPS`.
    """
    if fps > FASTEST_FPS:
        raise ConfigurationError(f"a GIF of {fps} pictures per second; at most {FASTEST_FPS}, or write .mp4")
    palette = _palette()
    pictures = (Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first = next(pictures)
    # optimize: pixels that did not change become transparent, which shortens the file to about a third
    first.save(path, save_all=True, append_images=pictures, duration=1000 // fps, loop=0, optimize=True)


def _palette() -> Image.Image:
    """Return an image of the palette: every colour of a scene, and the ways from grounds to what is drawn on them."""
    pairs = chain(
        ((ground, mark) for ground in _GROUNDS for mark in _MARKS),
        (("card", pill) for pill in _PILLS),
    )
    between = (_between(*pair, step / _STEPS) for pair in pairs for step in range(1, _STEPS))
    colours = dict.fromkeys(chain(COLOURS.values(), between))
    palette = Image.new("P", (1, 1))
    palette.putpalette(list(chain.from_iterable(colours)))
    return palette


def _between(one: str, other: str, share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(COLOURS[one], COLOURS[other], strict=True))
    return red, green, blue
