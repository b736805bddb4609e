"""What a run that goes on must have in common with the one that was begun."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError, safe_open

from metaverse_env.errors import CheckpointError
from predictors.stgnn.checkpoints import CHECKPOINT

if TYPE_CHECKING:
    from predictors.encoders.training.loop import Settings

_CHANGES_NOTHING: Final = ("device", "threads")
_WORDS: Final = {"rate": "learning rate", "decay": "weight decay", "every": "steps between looks"}
"""Names of settings that do not speak for themselves."""


def fixed_settings(settings: "Settings") -> dict[str, Any]:
    """Return the settings that a resumed run cannot change."""
    return {name: value for name, value in asdict(settings).items() if name not in _CHANGES_NOTHING}


def check_resumable(folder: Path, settings: "Settings") -> None:
    """Make sure that a folder holds a run with these settings; quick, for it comes before data and weights are read.

    Raises:
        CheckpointError: It holds none, a damaged one, or one with other settings.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        raise CheckpointError(f"nothing to resume, for there is no {path}; leave --resume out")
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads(file.metadata()["note"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); train again with --overwrite") from error
    check_same(path, note.get("settings", {}), fixed_settings(settings))


def check_same(path: Path, found: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare what a checkpoint was made with and what is asked for now.

    Raises:
        CheckpointError: Something differs; names the first that does, with both values.
    """
    for name, value in now.items():
        if found.get(name) != value:
            said = _WORDS.get(name, name.replace("_", " "))
            raise CheckpointError(
                f"{path} was made with {said} {found.get(name)}, not {value}; give the same, start anew with "
                "--overwrite, or train in another folder"
            )
