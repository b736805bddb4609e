"""Reading and writing the arrays of an ``.npz`` file that comes from somebody else.

Nothing in such a file is trusted. An array's type and size stand in a header that can be read without unpacking what
follows, so a small archive that unpacks to gigabytes is refused before it does; an array of Python objects is refused,
as loading one can run any code. What the arrays mean is the business of :mod:`metaverse_env.panels`.
"""

import os
import zlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from metaverse_env.errors import PanelError

MAX_BYTES: Final = 2**30
"""Most bytes of all arrays together, unpacked."""
MISSPELT: Final = 0.75
"""From this similarity of names on, an array that is not known is taken for a misspelt one [choice]."""
UNREADABLE: Final = (OSError, EOFError, ValueError, BadZipFile, zlib.error, RuntimeError)
"""What zipfile and NumPy raise for a file that is damaged, encrypted, or something else."""
_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
"""By version of the format; later ones differ for arrays with named fields only, which are none of ours."""


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


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
            found = _members(path, archive, known, needed)
            _check_headers(path, {name: _header(archive, member) for name, member in found.items()})
            return {name: _array(archive, member) for name, member in found.items()}
    except FileNotFoundError as error:
        raise PanelError(f"panel {path} does not exist. Give the path of an .npz file.") from error
    except PanelError:
        raise
    except UNREADABLE as error:
        raise PanelError(
            f"panel {path} cannot be read: {error}. Give an intact .npz file, as np.savez writes it."
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a compressed ``.npz`` of exactly this path, in one go."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **dict(arrays))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _members(path: Path, archive: ZipFile, known: Sequence[str], needed: Sequence[str]) -> dict[str, str]:
    """Return the archive's entries by the name of their array."""
    entries = {entry.removesuffix(".npy"): entry for entry in archive.namelist()}
    for name in needed:
        if name not in entries:
            raise PanelError(
                f"panel {path} has no array {name!r}; it has {', '.join(sorted(entries)) or 'none'}. "
                f"Needed: {', '.join(needed)}. Optional: {', '.join(name for name in known if name not in needed)}."
            )
    for name in entries:
        if name not in known and (near := get_close_matches(name, set(known) - set(entries), 1, MISSPELT)):
            raise PanelError(f"panel {path} has an array {name!r}. Did you mean {near[0]!r}? Rename it.")
    return {name: entries[name] for name in known if name in entries}


def _header(archive: ZipFile, member: str) -> _Header | None:
    """Return what an entry says of itself; ``None`` for a version of the format that plain arrays never have."""
    with archive.open(member) as file:
        read = _HEADERS.get(npy.read_magic(file))
        if read is None:
            return None
        shape, _, dtype = read(file)
        return _Header(shape, dtype)


def _check_headers(path: Path, headers: Mapping[str, _Header | None]) -> None:
    total = 0
    for name, header in headers.items():
        if header is None or header.dtype.hasobject or header.dtype.names:
            raise PanelError(
                f"panel {path}: {name} holds Python objects or named fields, which are never loaded: that could run "
                f"code. Save it as a plain array of numbers or, for names, as np.array(names, dtype=str)."
            )
        # whole numbers are read as floats of 8 bytes
        total += prod(header.shape) * (8 if header.dtype.kind in "iu" else header.dtype.itemsize)
        if total > MAX_BYTES:
            raise PanelError(
                f"panel {path}: with {name} {list(header.shape)} its arrays take {total / 2**20:.0f} MiB; at most "
                f"{MAX_BYTES // 2**20} MiB are read. Save float32, fewer features, or shorter stretches."
            )


def _array(archive: ZipFile, member: str) -> NDArray[Any]:
    with archive.open(member) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array
