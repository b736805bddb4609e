"""Which files are samples of which activity, and equally many of each: a bank is one array."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.errors import ConfigurationError

SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "image": (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"),
    "speech": (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"),
    "motion": (".npy", ".xml", ".txt", ".json"),
}
"""How names of files end that each modality's encoders read."""
OPTIONS: Final[Mapping[str, str]] = {"image": "--images", "speech": "--audio", "motion": "--motion"}


def find_samples(folder: Path, modality: str) -> dict[str, list[Path]]:
    """Return the samples of each sub-folder, sorted by name.

    Raises:
        ConfigurationError: There is no such folder, no sub-folder in it, or one without samples.
    """
    option, suffixes = OPTIONS[modality], SUFFIXES[modality]
    if not folder.is_dir():
        raise ConfigurationError(f"{option} {folder}: there is no such folder; 'metaverse encode samples' writes some")
    found = {
        inner.name: sorted(path for path in inner.iterdir() if path.suffix.lower() in suffixes)
        for inner in sorted(folder.iterdir())
        if inner.is_dir() and not inner.name.startswith(".")
    }
    if not found:
        raise ConfigurationError(f"{option} {folder}: no sub-folders; make one an activity, with its samples inside")
    if empty := [name for name, files in found.items() if not files]:
        raise ConfigurationError(
            f"{option} {folder}: nothing to encode in {', '.join(empty)}; {modality} ends in {', '.join(suffixes)}"
        )
    return found


def balance(
    found: Mapping[str, Mapping[str, Sequence[Path]]],
    activities: Sequence[str],
    samples: int | None,
    resample: bool,
    seed: int,
) -> dict[str, dict[str, list[Path]]]:
    """Choose equally many samples of each activity in each modality; a bank is one array.

    Args:
        found: By modality and activity.
        activities: In their order.
        samples: How many of each; ``None`` takes all, or with ``resample`` as many as the fullest has.
        resample: Where there are fewer, take some again, in turn.
        seed: Of the choice where there are more.

    Raises:
        ConfigurationError: There are too few somewhere, or different numbers and none was asked for.
    """
    counts = counts_of(found, activities)
    fewest, most = min(counts.values()), max(counts.values())
    if samples is None and fewest < most and not resample:
        raise ConfigurationError(
            f"activities are unbalanced: {in_words(counts)}. Give --count {max(fewest, 1)} to take so many of each, or "
            f"--resample to take some again, up to {most}"
        )
    wanted = most if samples is None else samples
    few = {key: count for key, count in counts.items() if count < wanted}
    if any(count == 0 for count in few.values()) or (few and not resample):
        raise ConfigurationError(
            f"--count {wanted}: too few of {in_words(few)}; give more samples, a smaller number, or --resample to "
            "take some again"
        )
    random = np.random.default_rng(seed)
    return {
        modality: {name: _choice(found[modality][name], wanted, random) for name in activities} for modality in found
    }


def reason(problem: object, path: Path) -> str:
    """Return why a file was refused without its name, which is told beside it.

    >>> reason("a/b.png: the file is empty", Path("a/b.png")), reason("b.npy: no array", Path("a/b.npy"))
    ('the file is empty', 'no array')
    """
    return str(problem).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ")


def counts_of(
    found: Mapping[str, Mapping[str, Sequence[Path]]], activities: Sequence[str]
) -> dict[tuple[str, str], int]:
    """Return how many samples there are of each activity in each modality."""
    return {(modality, name): len(found[modality][name]) for modality in found for name in activities}


def _choice(files: Sequence[Path], wanted: int, random: np.random.Generator) -> list[Path]:
    """Return ``wanted`` files in their order: a choice of more, or all of fewer in turn."""
    if len(files) > wanted:
        return [files[place] for place in sorted(random.permutation(len(files))[:wanted])]
    return [files[place % len(files)] for place in range(wanted)]


def in_words(counts: Mapping[tuple[str, str], int]) -> str:
    """Say how many samples there are of what."""
    return ", ".join(f"{modality} {name} {count}" for (modality, name), count in counts.items())
