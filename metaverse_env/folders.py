"""Folders for results."""

import os
from pathlib import Path

from metaverse_env.errors import ConfigurationError


def writable(folder: str | Path, named: str = "") -> Path:
    """Make a folder for results and prove that it takes them, before hours go into making them.

    Args:
        folder: Where.
        named: What named it, for the error; an option ``--out`` when empty.

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
            f"{named or f'--out {path}'}: cannot write there: {error.strerror or error}. Name another folder."
        ) from error
    return path


def free_for_run(folder: str | Path, found: str, *, resume: bool, overwrite: bool) -> Path:
    """Return a folder for the results of a run, after making sure that no run is lost in it by a command given twice.

    Args:
        folder: Made if absent.
        found: Which run it holds, in words; nothing where there is none.
        resume: The run that it holds is to go on.
        overwrite: It is to be lost.

    Raises:
        ConfigurationError: It holds a run and neither is asked for, or both are; or it cannot be written.

    >>> free_for_run("runs", "a run", resume=False, overwrite=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    metaverse_env.errors.ConfigurationError: runs holds a run; --resume goes on, --overwrite starts anew, or name ...
    """
    if resume and overwrite:
        raise ConfigurationError("--resume goes on with a run and --overwrite starts it anew; give one of them")
    if found and not (resume or overwrite):
        raise ConfigurationError(
            f"{folder} holds {found}; --resume goes on, --overwrite starts anew, or name another folder with --out"
        )
    return writable(folder)
