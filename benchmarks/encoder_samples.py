"""What ``metaverse demo --encoders`` shows: samples of two announcements, the user's or new ones."""

import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.errors import ConfigurationError
from predictors.encoders.encoding.files import expanded
from predictors.encoders.scenes.folders import FOLDERS, write_image, write_motion
from predictors.encoders.table import modality_named

ANNOUNCED: Final = ("concert", "idle")
"""What users announce, beside each other [choice]: the loudest and the quietest activity."""
SAMPLES: Final = 2
"""Of each modality, for each announcement."""


def given_samples(folder: Path, encoders: str) -> dict[str, list[Path]]:
    """Return the user's samples of each announcement, of the modalities that the named encoders read.

    Raises:
        ConfigurationError: There are none of one.
    """
    return {name: _given(name, folder, encoders) for name in ANNOUNCED}


def new_samples(modalities: Sequence[str], folder: Path, seed: int) -> dict[str, list[Path]]:
    """Make samples of each announcement."""
    return {
        name: [path for modality in modalities for path in _made(name, modality, folder / FOLDERS[modality], seed)]
        for name in ANNOUNCED
    }


def _given(name: str, given: Path, encoders: str) -> list[Path]:
    """Return the user's samples of an announcement, of the modalities that the named encoders read."""
    read = [modality_named(part) for part in encoders.split("+")]
    folders = [given / folder / name for modality, folder in FOLDERS.items() if modality in read]
    there = [folder for folder in folders if folder.is_dir()]
    if folders and not there:
        raise ConfigurationError(
            f"--samples {given}: no samples of {name}; one of {', '.join(map(str, folders))} is needed"
        )
    return [path for folder in there for path in expanded([folder])[:SAMPLES]]


def _made(name: str, modality: str, folder: Path, seed: int) -> list[Path]:
    """Draw, copy or synthesise samples; speech is shipped, as the program that speaks may not be there."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(SAMPLES):
        random = np.random.default_rng([seed, ANNOUNCED.index(name), number])
        if modality == "speech":
            spoken = resources.files("predictors.encoders.scenes") / "spoken" / f"{name}_{number}.flac"
            with resources.as_file(spoken) as source:
                paths.append(Path(shutil.copy(source, folder / name)))
        else:
            write = write_image if modality == "image" else write_motion
            paths.append(folder / write(folder, name, number, "test", random).file)
    return paths
