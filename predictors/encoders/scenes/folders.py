"""Samples written to folders: one a modality, in it one an activity, and beside these what they are and their licence.

::

    OUT/images/concert/000.png      OUT/audio/idle/003.wav      OUT/motion/game/011.npy
    OUT/images/samples.json         what each file is, from where, and under which licence
"""

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from predictors.encoders.scenes import ACTIVITIES, SPLITS, Split
from predictors.encoders.scenes.speech import RATE_HZ, speak
from predictors.encoders.table import MODALITIES

FOLDERS: Final[Mapping[str, str]] = {"image": "images", "speech": "audio", "motion": "motion"}
"""Name of the folder of each modality."""
LIST_NAME: Final = "samples.json"
OWN_LICENCE: Final = "Apache-2.0"


@dataclass(frozen=True)
class Sample:
    """What a file holds.

    Attributes:
        file: Its path below the folder of its modality, with ``/``.
        text: What is drawn, said or done, in words.
        origin: Who made it, of what.
        licence: Under which it may be used.
    """

    file: str
    text: str
    origin: str
    licence: str


class Recorded(NamedTuple):
    """A sample that somebody recorded: its path, and the entry that it becomes."""

    path: Path
    modality: str
    activity: str
    origin: str
    licence: str


def write_samples(
    out: Path,
    split: Split = "test",
    count: int = 24,
    seed: int = 0,
    modalities: Sequence[str] = MODALITIES,
    licensed: Path | None = None,
    report: Callable[[float, str], None] = lambda share, words: None,
) -> dict[str, dict[str, int]]:
    """Write samples of every activity; the same arguments give the same files.

    Args:
        out: Folder; made where it is missing.
        split: ``"train"`` or ``"test"``.
        count: Samples of each activity in each modality.
        seed: Of all chance.
        modalities: Which of image, speech and motion.
        licensed: Folder of recorded samples that take the place of as many synthetic ones; see ``licensed.toml``.
        report: Told the share that is done, and of what.

    Returns:
        By modality, how many samples have which licence.

    Raises:
        ConfigurationError: The folder cannot be written or holds other samples, or a recorded sample is missing.
        MissingDependencyError: A modality needs a program or a package that is not installed.
    """
    recorded = [] if licensed is None else list(recorded_samples(licensed))
    told = {}
    for place, modality in enumerate(modalities):
        folder = writable(out / FOLDERS[modality])
        made = {"split": split, "seed": seed, "samples": count, "licensed": sorted(one.path.name for one in recorded)}
        _refuse_others(folder, made)
        entries: list[Sample] = []
        for number, activity in enumerate(ACTIVITIES):
            report((place + number / len(ACTIVITIES)) / len(modalities), f"{modality} of {activity}")
            fitting = [one for one in recorded if (one.modality, one.activity) == (modality, activity)]
            entries += _write_activity(folder, modality, activity, fitting[:count], count, split, seed)
        _write_list(folder, made, entries)
        told[modality] = {
            name: sum(e.licence == name for e in entries) for name in sorted({e.licence for e in entries})
        }
    return told


def _write_activity(
    folder: Path, modality: str, activity: str, recorded: Sequence[Recorded], count: int, split: Split, seed: int
) -> Iterator[Sample]:
    """Write the samples of one activity, recorded ones first."""
    (folder / activity).mkdir(exist_ok=True)
    for one in recorded:
        file = f"{activity}/{one.path.name}"
        if not (folder / file).exists():
            shutil.copyfile(one.path, folder / file)
        yield Sample(file, one.path.stem, one.origin, one.licence)
    for number in range(len(recorded), count):
        random = np.random.default_rng([seed, SPLITS.index(split), ACTIVITIES.index(activity), number])
        yield WRITERS[modality](folder, activity, number, split, random)


def write_image(folder: Path, activity: str, number: int, split: Split, random: np.random.Generator) -> Sample:
    """Draw a scene."""
    from predictors.encoders.scenes.images import draw  # noqa: PLC0415  # pillow, where pictures are asked for

    file = f"{activity}/{number:03}.png"
    draw(activity, random).save(folder / file)
    return Sample(file, f"{activity}, drawn", "synthetic: drawn by predictors.encoders.scenes.images", OWN_LICENCE)


def write_speech(folder: Path, activity: str, number: int, split: Split, random: np.random.Generator) -> Sample:
    """Speak a sentence."""
    import soundfile  # noqa: PLC0415

    file = f"{activity}/{number:03}.wav"
    sentence, wave = speak(activity, number, split, random)
    soundfile.write(folder / file, wave, RATE_HZ, subtype="PCM_16")
    return Sample(file, sentence, "synthetic: the project's sentences, spoken by espeak-ng", OWN_LICENCE)


def write_motion(folder: Path, activity: str, number: int, split: Split, random: np.random.Generator) -> Sample:
    """Synthesise a motion."""
    from predictors.encoders.scenes.motions import write  # noqa: PLC0415

    file = f"{activity}/{number:03}.npy"
    text = write(folder / file, activity, random)
    return Sample(file, text, "synthetic: predictors.encoders.motion.synthesis", OWN_LICENCE)


WRITERS: Final[Mapping[str, Callable[[Path, str, int, Split, np.random.Generator], Sample]]] = {
    "image": write_image, "speech": write_speech, "motion": write_motion,
}  # fmt: skip
"""How a synthetic sample of each modality is made."""


def recorded_samples(folder: Path) -> Iterator[Recorded]:
    """Return the recorded samples of ``licensed.toml`` that must stand in a folder.

    Raises:
        ConfigurationError: One is missing.
    """
    document = tomllib.loads(Path(__file__).with_name("licensed.toml").read_text(encoding="utf-8"))
    for name, group in document.items():
        for activity, file in group["files"]:
            path = folder / name / file
            if not path.is_file():
                raise ConfigurationError(f"--licensed {folder}: there is no {name}/{file}; see {group['origin']}")
            yield Recorded(path, group["modality"], activity, group["origin"], group["licence"])


def read_list(folder: Path) -> dict[str, Any]:
    """Return what ``samples.json`` of a folder says; an empty dictionary where there is none.

    Raises:
        ConfigurationError: It is damaged.
    """
    path = folder / LIST_NAME
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {**told, "files": {entry["file"]: Sample(**entry) for entry in told["files"]}}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path} is no list of samples ({error!r}); delete it or write it anew") from error


def _write_list(folder: Path, made: Mapping[str, Any], entries: Sequence[Sample]) -> None:
    told = {"made": made, "files": [asdict(entry) for entry in entries]}
    (folder / LIST_NAME).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _refuse_others(folder: Path, made: Mapping[str, Any]) -> None:
    """Refuse a folder that holds samples which were made otherwise."""
    before = read_list(folder).get("made", made)
    if before != made:
        raise ConfigurationError(f"{folder} holds samples made with {before}, not {made}; name another folder")
