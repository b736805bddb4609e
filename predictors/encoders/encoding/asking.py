"""What commands that encode are given, checked before anything runs."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError
from predictors.encoders.cache import EncodingCache
from predictors.encoders.fusion.runtime import SHIPPED, Fusion
from predictors.encoders.table import ENCODERS, load_encoders


def given_folders(**folders: Path | None) -> dict[str, Path]:
    """Return the folders that were given, by modality.

    Raises:
        ConfigurationError: None was.
    """
    given = {modality: folder for modality, folder in folders.items() if folder is not None}
    if not given:
        raise ConfigurationError(
            "no samples; give --images, --audio, --motion, or some of them. 'metaverse encode samples' writes some"
        )
    return given


def load_needed(named: str, modalities: Iterable[str], cache: Path | None, **options: object) -> dict[str, Encoder]:
    """Load the encoders of the modalities that are needed, and no others.

    Raises:
        ConfigurationError, CheckpointError, MissingDependencyError: As :func:`.table.load_encoders`.
    """
    needed = tuple(modalities)
    kept = [part for part in named.split("+") if _modality(part) in (*needed, None)]
    if not kept:
        raise ConfigurationError(
            f"--encoders {named}: none of them reads {' or '.join(needed)}; known are {', '.join(ENCODERS)}"
        )
    return load_encoders("+".join(kept), cache=None if cache is None else EncodingCache(cache), **options)


def _modality(part: str) -> str | None:
    """Return what an encoder reads, ``None`` where the name is not known."""
    entry = ENCODERS.get(part.partition("=")[0].strip())
    return entry.modality if entry else None


def load_fusion(named: str, encoders: Mapping[str, Encoder]) -> Fusion | None:
    """Return the fusion that is asked for, ``None`` for ``"none"``.

    Raises:
        CheckpointError: There is none.
        ConfigurationError: It was made for other encoders.
    """
    if named == "none":
        return None
    fusion = Fusion(SHIPPED if named == "shipped" else Path(named))
    try:
        fusion.check(encoders)
    except ConfigurationError as error:
        raise ConfigurationError(f"--fusion {named}: {error}; or take --fusion none") from error
    return fusion


def command_line() -> str:
    """Return the command as it was typed."""
    return " ".join(
        ["metaverse", *(word for word in sys.argv[1:] if word not in ("--json", "--resume", "--overwrite"))]
    )
