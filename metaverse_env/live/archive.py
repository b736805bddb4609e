"""Episodes that are kept while somebody watches: a file for each, of which none takes the place of another."""

import os
from pathlib import Path

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.recording import Recording, save_recording


class Archive:
    """Files of episodes: the one that was named, then the same name with numbers that are free.

    Args:
        path: Of the first, ``.npz``; a file of that name is replaced.

    Attributes:
        files: What was saved: each file, and how many ticks it has.

    Raises:
        ConfigurationError: It could not be written at the end.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix != ".npz":
            raise ConfigurationError(f"--keep {path}: a recorded episode ends with .npz")
        if path.is_dir():
            raise ConfigurationError(f"--keep {path}: is a folder; name a file in it")
        writable(path.parent, f"--keep {path}")
        if path.exists() and not os.access(path, os.W_OK):
            raise ConfigurationError(f"--keep {path}: cannot write it: Permission denied. Name another file.")
        self.path, self.files = path, list[tuple[Path, int]]()

    def add(self, recording: Recording) -> Path:
        """Save an episode; return where.

        Raises:
            ConfigurationError: It cannot be written.
        """
        path = save_recording(recording, self.next)
        self.files.append((path, recording.ticks))
        return path

    @property
    def next(self) -> Path:
        """Where the next episode goes."""
        if not self.files:
            return self.path
        names = (self.path.with_stem(f"{self.path.stem}-{number}") for number in range(2, 1_000_000))
        return next(path for path in names if not path.exists())
