"""Reading and writing the arrays of an ``.npz`` file that comes from somebody else.

Nothing in such a file is trusted: a small archive that unpacks to gigabytes is refused before it does, and an array of
Python objects is refused, as loading one can run any code. What the arrays mean is the business of
:mod:`metaverse_env.panels`.
"""

import lzma
import os
import tokenize
import zlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError

MAX_BYTES: Final = 512 * 2**20
"""Most bytes of a file's arrays, unpacked."""
MISSPELT: Final = 0.75
"""From this similarity of names on, an array that is not known is taken for a misspelt one [choice]."""
DAMAGE: Final = (
    *(OSError, EOFError, ValueError, TypeError, SyntaxError, RuntimeError, MemoryError),
    *(BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)
"""What zipfile and NumPy raise for a file that is damaged, encrypted, or something else."""


def read_arrays(path: Path, known: Sequence[str], needed: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays of these names.

    Args:
        path: The ``.npz`` file.
        known: Arrays to read; others stay unread.
        needed: Those that must be there.

    Raises:
        PanelError: The file is missing, damaged or no ``.npz``, too large, lacks an array or holds Python objects.
    """
    try:
        with ZipFile(path) as archive:
            names = _names(path, archive, known, needed)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except PanelError:
        raise
    except FileNotFoundError as error:
        raise PanelError(f"panel {path} does not exist. Give the path of an .npz file.") from error
    except DAMAGE as error:
        raise PanelError(
            f"panel {path} cannot be read: {error}. Give an intact .npz file of plain arrays, as np.savez writes it; "
            f"names are texts, np.array(names, dtype=str), and Python objects are never loaded."
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a compressed ``.npz`` of exactly this path, in one go.

    Raises:
        PanelError: It cannot be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **dict(arrays))
        partial.replace(path)
    except OSError as error:
        raise PanelError(f"panel {path} cannot be written: {error.strerror or error}. Name another file.") from error
    finally:
        partial.unlink(missing_ok=True)


def _names(path: Path, archive: ZipFile, known: Sequence[str], needed: Sequence[str]) -> list[str]:
    """Return which of the known arrays an archive has, after a look at its table of contents."""
    sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()}
    if {"about", "commands"} <= set(sizes):
        raise PanelError(
            f"{path} is the recording of an episode, and no panel; panel_of(load_recording({str(path)!r})) of "
            f"metaverse_env.recording makes one, and save_panel writes it."
        )
    for name in set(sizes) - set(known):
        if near := get_close_matches(name, set(known) - set(sizes), 1, MISSPELT):
            raise PanelError(f"panel {path} has an array {name!r}. Did you mean {near[0]!r}? Rename it.")
    for name in needed:
        if name not in sizes:
            raise PanelError(
                f"panel {path} has no array {name!r}; it has {', '.join(sorted(sizes)) or 'none'}. "
                f"Needed: {', '.join(needed)}. Optional: {', '.join(name for name in known if name not in needed)}."
            )
    found = [name for name in known if name in sizes]
    unpacked = sum(sizes[name] for name in found)
    if unpacked > MAX_BYTES:
        raise PanelError(
            f"panel {path}: its arrays unpack to {unpacked / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} MiB are "
            f"read. Save float32, fewer features, or shorter stretches."
        )
    return found
