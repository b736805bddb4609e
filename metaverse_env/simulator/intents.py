"""The bank of intents: embeddings of single signals, from which the intent of a zone is averaged.

A signal is one image, utterance or motion of a user. The simulator draws signals of an activity from the bank and
averages them (world model, section 2); it never runs an encoder. Banks are data, and say in their provenance how they
were made: ``"text"`` of sentences by :mod:`predictors.encoders.text_bank`, ``"samples"`` of pictures, recordings and
motions by encoders (``metaverse encode bank``).
"""

import lzma
import os
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import ScenarioError, UnknownNameError

SHIPPED_BANKS: Final = {"text": "intent_bank_text.npz", "samples": "intent_bank_samples.npz"}
ARRAYS: Final = ("vectors", "activities", "modalities", "provenance")
MAX_BYTES: Final = 512 * 2**20
"""Most bytes of a bank's arrays; 3 modalities x 10 activities x 1,000 samples x 4,000 dimensions take 480 MB."""
MAKE_A_BANK: Final = (
    "metaverse encode bank --images DIR --out BANK.npz; of sentences, python -m predictors.encoders.text_bank "
    "--texts TEXTS.toml --out BANK.npz"
)

# What zipfile and NumPy were seen to raise on thousands of randomly damaged banks.
_DAMAGE: Final = (
    *(ValueError, TypeError, SyntaxError, RuntimeError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)


@dataclass(frozen=True, eq=False)
class IntentBank:
    """Embeddings of ``M`` modalities, ``K`` activities, ``S`` samples each, of ``E`` dimensions.

    >>> bank = load_bank("text", ["game", "idle"])
    >>> bank.vectors.shape, bank.modalities
    ((3, 2, 24, 32), ('image', 'speech', 'motion'))
    """

    vectors: NDArray[np.float32]
    """``[M, K, S, E]``, contiguous, ``K`` in the order of the scenario's activities."""
    modalities: tuple[str, ...]
    provenance: str
    """How the bank was made, as JSON."""


def load_bank(source: str, activities: Sequence[str]) -> IntentBank:
    """Load a bank for a scenario.

    Args:
        source: A shipped name (``"text"``, ``"samples"``), or the path of a bank, ending in ``.npz``.
        activities: Names of the scenario's activities; the bank may hold more.

    Raises:
        UnknownNameError: ``source`` is neither a path ending in ``.npz`` nor a shipped name.
        ScenarioError: The file is missing, damaged or of another layout, or lacks an activity.
    """
    arrays = _read(_locate(source))
    _check_layout(source, arrays)
    held = arrays["activities"].tolist()
    if missing := [name for name in activities if name not in held]:
        raise ScenarioError(
            f"bank of intents {source!r} holds no activity {', '.join(map(repr, missing))}; it holds "
            f"{', '.join(held)}. Rename the scenario's activity, or make a bank with samples of it: {MAKE_A_BANK}"
        )
    vectors = np.ascontiguousarray(arrays["vectors"][:, [held.index(name) for name in activities]])
    return IntentBank(vectors, tuple(arrays["modalities"].tolist()), str(arrays["provenance"]))


def _locate(source: str) -> Traversable:
    if source.endswith(".npz"):
        return Path(os.path.expanduser(source))
    if source in SHIPPED_BANKS:
        return resources.files("metaverse_env.data") / SHIPPED_BANKS[source]
    raise UnknownNameError("bank of intents (a name, or a path ending in .npz)", source, SHIPPED_BANKS)


def _read(file: Traversable) -> dict[str, NDArray[Any]]:
    """Read the known arrays of an untrusted file: nothing is unpickled, and nothing large is unpacked."""
    try:
        with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            _check_members(file, archive)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in ARRAYS}
    except ScenarioError:
        raise
    except OSError as error:
        raise ScenarioError(
            f"bank of intents {_absolute(file)} cannot be read: {error.strerror or error}. Check the path; in a "
            "scenario file it is relative to that file."
        ) from error
    except _DAMAGE as error:
        raise ScenarioError(f"bank of intents {file} is damaged: {error}. Make it anew: {MAKE_A_BANK}") from error


def _absolute(file: Traversable) -> Traversable:
    return file.absolute() if isinstance(file, Path) else file


def _check_members(file: Traversable, archive: zipfile.ZipFile) -> None:
    names = {member.filename.removesuffix(".npy") for member in archive.infolist()}
    if missing := [name for name in ARRAYS if name not in names]:
        raise ScenarioError(
            f"bank of intents {file} lacks the arrays {', '.join(missing)}; it needs {', '.join(ARRAYS)}. "
            f"Make one: {MAKE_A_BANK}"
        )
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_BYTES:
        raise ScenarioError(
            f"bank of intents {file} unpacks to {unpacked} bytes; the limit is {MAX_BYTES}. Keep fewer samples."
        )


def _check_layout(source: str, arrays: dict[str, NDArray[Any]]) -> None:
    vectors, activities, modalities = arrays["vectors"], arrays["activities"], arrays["modalities"]
    for name, ndim in (("activities", 1), ("modalities", 1), ("provenance", 0)):
        names = arrays[name]
        if names.ndim != ndim or names.dtype.kind != "U" or len(set(names.ravel().tolist())) != names.size:
            _refuse(source, f"{name!r} must be different strings in {ndim} axes, not {names.dtype} {list(names.shape)}")
    if vectors.dtype != np.float32:
        _refuse(source, f"'vectors' must be float32, not {vectors.dtype}")
    if vectors.ndim != 4 or vectors.shape[:2] != (len(modalities), len(activities)) or not vectors.size:
        expected = f"[{len(modalities)} modalities, {len(activities)} activities, samples, dimensions]"
        _refuse(source, f"'vectors' must be {expected}, not {list(vectors.shape)}")
    if not np.isfinite(vectors).all():
        modality, activity, sample, _ = np.argwhere(~np.isfinite(vectors))[0]
        _refuse(
            source, f"sample {sample} of {activities[activity]}, {modalities[modality]}, has a value that is not finite"
        )


def _refuse(source: str, fault: str) -> NoReturn:
    raise ScenarioError(f"bank of intents {source!r}: {fault}. Make it anew: {MAKE_A_BANK}")
