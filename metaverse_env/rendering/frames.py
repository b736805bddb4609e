"""Films as folders of numbered pictures, for whoever cuts them."""

from pathlib import Path

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.rendering.film import Frames
from metaverse_env.rendering.window import save_picture


def write_frames(frames: Frames, path: Path, fps: int) -> None:
    """Write pictures ``uint8 [height, width, 3]`` as ``000001.png`` and so on; the pace is whoever's who reads them.

    Raises:
        ConfigurationError: The folder cannot be written, or has such pictures.
    """
    folder = writable(path)
    if next(folder.glob("[0-9]*.png"), None) is not None:
        raise ConfigurationError(f"{folder} has pictures of another film; name another folder, or empty it")
    for number, frame in enumerate(frames, 1):
        save_picture(frame, folder / f"{number:06d}.png")
