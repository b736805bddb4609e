"""Films as MP4, through the ffmpeg that imageio-ffmpeg brings."""

from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg

from metaverse_env.errors import MetaverseError
from metaverse_env.rendering.film import Frames, even

_QUALITY: Final = 6
"""Of imageio-ffmpeg's 0 to 10; the smallest text stays readable, and a film is about as large as a GIF of it."""


def write_mp4(frames: Frames, path: Path, fps: int) -> None:
    """Write pictures ``uint8 [height, width, 3]``; an odd width or height loses its last pixel, as H.264 needs.

    Raises:
        MetaverseError: It cannot be written.
    """
    pictures = iter(frames)
    first = next(pictures)
    width, height = even((first.shape[1], first.shape[0]))
    stopped = MetaverseError(f"{path}: the film cannot be written: the encoder stopped. Is the disk full?")
    try:
        with closing(_encoder(path, (width, height), fps)) as film:
            film.send(None)  # starts the encoder
            for picture in chain([first], pictures):
                film.send(picture[:height, :width].tobytes())
    except OSError as error:  # its text is the encoder's command line
        raise stopped from error
    if not path.stat().st_size:  # of a short film, the encoder says nothing
        raise stopped


def _encoder(path: Path, size: tuple[int, int], fps: int) -> Any:
    return imageio_ffmpeg.write_frames(str(path), size, fps=fps, quality=_QUALITY, macro_block_size=2)
