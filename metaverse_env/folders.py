"""Folders for results."""

import os
from pathlib import Path

from metaverse_env.errors import ConfigurationError


def writable(folder: str | Path) -> Path:
    """Make a folder for results and prove that it takes them, before hours go into making them.

    Raises:
        ConfigurationError: It does not.
    """
    path = Path(folder)
    probe = path / f".writable-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"--out {path}: cannot write there: {error.strerror or error}. Name another folder."
        ) from error
    return path
