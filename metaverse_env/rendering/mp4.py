"""Films as MP4, through the ffmpeg that imageio-ffmpeg brings."""

from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final

import imageio_ffmpeg

from metaverse_env.rendering.film import Frames

_QUALITY: Final = 6
"""Of imageio-ffmpeg's 0 to 10; the smallest text stays readable, and a film is about as large as a GIF of it."""


def write_mp4(frames: Frames, path: Path, fps: int) -> None:
    """Write pictures ``uint8 [height, width, 3]``; an odd width or height is stretched by one pixel, as H.264 needs."""
    pictures = iter(frames)
    first = next(pictures)
    size = first.shape[1], first.shape[0]
    with closing(imageio_ffmpeg.write_frames(str(path), size, fps=fps, quality=_QUALITY, macro_block_size=2)) as film:
        film.send(None)  # starts the encoder
        for picture in chain([first], pictures):
            film.send(picture.tobytes())
