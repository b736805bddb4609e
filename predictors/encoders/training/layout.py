"""What the folder of a run holds, as far as others look for it; needs nothing but paths."""

from pathlib import Path
from typing import Final

MODEL: Final = "model"
"""Folder in the folder of a run: the best weights so far, for ``from_pretrained``."""


def weights_inside(folder: Path, file: str) -> str:
    """Return advice where somebody named the folder of a run instead of the weights in it, and nothing otherwise.

    Args:
        folder: That was named.
        file: Which weights have beside them.
    """
    inner = folder / MODEL
    return f"; it is the folder of a run, whose weights are in {inner}" if (inner / file).is_file() else ""
