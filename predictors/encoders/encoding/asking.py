"""What commands that encode are given, checked before anything runs."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError
from predictors.encoders.cache import EncodingCache
from predictors.encoders.fusion.runtime import SHIPPED, Fusion
from predictors.encoders.table import ENCODERS, load_encoders, modality_named
from predictors.forecasting.progress import Phases


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


def needed_encoders(named: str, modalities: Iterable[str], *, each: bool = False) -> str:
    """Return those of the named encoders that read these modalities; nothing is loaded.

    Args:
        named: As in :func:`.table.load_encoders`.
        modalities: That are to be read.
        each: Whether every one of them needs an encoder.

    Raises:
        ConfigurationError: None of them does, or one lacks an encoder.
    """
    needed, parts = tuple(modalities), named.split("+")
    kept = [part for part in parts if modality_named(part) in (*needed, None)]
    if not kept:
        raise ConfigurationError(
            f"--encoders {named}: none of them reads {' or '.join(needed)}; known are {', '.join(ENCODERS)}"
        )
    read = [modality_named(part) for part in kept]
    missing = [modality for modality in needed if modality not in read]
    if each and missing and None not in read:
        raise ConfigurationError(
            f"--encoders {named}: none of them reads {' or '.join(missing)}; add one, or leave the {missing[0]} out"
        )
    return "+".join(kept)


def load_needed(named: str, modalities: Iterable[str], cache: Path | None, **options: object) -> dict[str, Encoder]:
    """Load the encoders of the modalities that are needed, and no others.

    Raises:
        ConfigurationError, CheckpointError, MissingDependencyError: As :func:`.table.load_encoders`.
    """
    needed = needed_encoders(named, modalities)
    return load_encoders(needed, cache=None if cache is None else EncodingCache(cache), **options)


def load_fusion(named: str, encoders: Mapping[str, Encoder]) -> Fusion | None:
    """Return the fusion that is asked for, ``None`` for ``"none"``; see :func:`read_fusion`."""
    return None if named == "none" else read_fusion(named, encoders, "or take --fusion none")


def read_fusion(named: str, encoders: Mapping[str, Encoder], otherwise: str) -> Fusion:
    """Return the fusion that is asked for.

    Args:
        named: ``"shipped"``, or a place as of :class:`.fusion.runtime.Fusion`.
        encoders: By modality; it must have been made for them.
        otherwise: What to do where it was not, besides training one.

    Raises:
        CheckpointError: There is none.
        ConfigurationError: It was made for other encoders.
    """
    fusion = Fusion(SHIPPED if named == "shipped" else Path(named))
    try:
        fusion.check(encoders)
    except ConfigurationError as error:
        raise ConfigurationError(f"--fusion {named}: {error}; {otherwise}") from error
    return fusion


@contextmanager
def told_what_stays(steps: Phases, cache: Path) -> Iterator[None]:
    """Say after Ctrl-C while samples are encoded how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        steps.say(f"Interrupted; the same command goes on, what was encoded is in {cache}.")
        raise


def command_line() -> str:
    """Return the command as it was typed."""
    return " ".join(
        ["metaverse", *(word for word in sys.argv[1:] if word not in ("--json", "--resume", "--overwrite"))]
    )
