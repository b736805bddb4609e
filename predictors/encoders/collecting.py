"""From folders of samples, one sub-folder an activity, to embeddings: what banks and fusions are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.contracts import Encoder
from metaverse_env.errors import ConfigurationError
from predictors.encoders.choosing import OPTIONS, balance, find_samples, reason
from predictors.encoders.fusion.runtime import Maker

Array = np.ndarray
Report = Callable[[float, str], None]

_CHUNK: Final = 32
"""Samples between two words about progress."""


@dataclass(frozen=True, eq=False)
class Signals:
    """Samples of ``K`` activities, ``S`` of each in every modality, encoded.

    Attributes:
        activities: Their names.
        embeddings: By modality ``float32 [K, S, d]``.
        texts: By modality, ``[K][S]``.
        files: By modality ``[K][S]``, paths below the modality's folder.
        makers: Who encoded each modality.
        refused: By path, why a file was left out.
    """

    activities: tuple[str, ...]
    embeddings: Mapping[str, Array]
    texts: Mapping[str, Sequence[Sequence[str]]]
    files: Mapping[str, Sequence[Sequence[str]]]
    makers: Mapping[str, Maker]
    refused: Mapping[str, str]

    @property
    def samples(self) -> int:
        """How many there are of each activity in each modality, ``S``."""
        return int(next(iter(self.embeddings.values())).shape[1])

    @property
    def size(self) -> int:
        """How many samples there are in all."""
        return sum(rows.shape[0] * rows.shape[1] for rows in self.embeddings.values())

    def flat(self) -> dict[str, Array]:
        """Return the embeddings by modality, ``float32 [K S, d]``, activity by activity."""
        return {name: rows.reshape(-1, rows.shape[-1]) for name, rows in self.embeddings.items()}

    def part(self, places: Sequence[int]) -> "Signals":
        """Return the samples at these places of every activity and modality."""
        picked = {
            field: {
                name: [[row[place] for place in places] for row in rows] for name, rows in getattr(self, field).items()
            }
            for field in ("texts", "files")
        }
        embeddings = {name: rows[:, list(places)] for name, rows in self.embeddings.items()}
        return Signals(self.activities, embeddings, picked["texts"], picked["files"], self.makers, self.refused)


def collect(
    folders: Mapping[str, Path],
    encoders: Mapping[str, Encoder],
    *,
    samples: int | None = None,
    resample: bool = False,
    skip_bad: bool = False,
    seed: int = 0,
    report: Report = lambda share, words: None,
) -> Signals:
    """Encode the samples of every activity.

    Args:
        folders: By modality; in each one sub-folder an activity, the same in all.
        encoders: By modality; one for each folder.
        samples: Of each activity in each modality; where there are more, a choice by ``seed``. By default all, of
            which there must then be equally many, unless ``resample`` evens them out.
        resample: Where there are fewer, than ``samples`` or than the fullest has, take some again, in turn.
        skip_bad: Leave out files that cannot be encoded instead of refusing all.
        seed: Of the choice.
        report: Told the share that is done.

    Raises:
        ConfigurationError: A modality lacks a folder or an encoder, a folder lacks an activity or samples, or a file
            cannot be encoded; says how many there are of what.
    """
    _check_pairs(folders, encoders)
    everything = find_all(folders)
    activities = tuple(next(iter(everything.values())))
    encoded = _encode(folders, everything, encoders, report)
    refused = {path: why for rows in encoded.values() for path, (_, _, why) in rows.items() if why}
    if refused and not skip_bad:
        path, why = next(iter(refused.items()))
        raise ConfigurationError(
            f"{len(refused)} of the samples cannot be encoded, such as {path}: {why}. Remove them, or leave them out "
            "with --skip-bad"
        )
    kept = {
        name: {key: [file for file in files if str(file) not in refused] for key, files in rows.items()}
        for name, rows in everything.items()
    }
    chosen = balance(kept, activities, samples, resample, seed)
    return _assemble(folders, chosen, encoded, encoders, activities, refused)


def find_all(folders: Mapping[str, Path]) -> dict[str, dict[str, list[Path]]]:
    """Return the samples by modality and activity; activities come in the order of their names, the same in all.

    Raises:
        ConfigurationError: A folder is missing, lacks samples, or has other activities than another.
    """
    found = {modality: find_samples(folder, modality) for modality, folder in folders.items()}
    activities = _common_activities(folders, found)
    return {modality: {name: rows[name] for name in activities} for modality, rows in found.items()}


def _check_pairs(folders: Mapping[str, Path], encoders: Mapping[str, Encoder]) -> None:
    if not folders:
        raise ConfigurationError("no samples; give --images, --audio, --motion, or some of them")
    for modality in folders:
        if modality not in encoders:
            raise ConfigurationError(
                f"{OPTIONS[modality]} is given, but no encoder of {modality} among --encoders; add one, or leave it out"
            )


def _common_activities(
    folders: Mapping[str, Path], found: Mapping[str, Mapping[str, Sequence[Path]]]
) -> tuple[str, ...]:
    """Return the activities, of which every folder must have the same."""
    first, *others = found
    for other in others:
        if set(found[other]) != set(found[first]):
            lacking = sorted(set(found[first]) ^ set(found[other]))
            raise ConfigurationError(
                f"{folders[first]} and {folders[other]} have different activities: {', '.join(lacking)} is in one of "
                "them alone"
            )
    return tuple(sorted(found[first]))


Row = tuple[str, Array | None, str]
"""Text, embedding, and why there is none."""


def _encode(
    folders: Mapping[str, Path],
    found: Mapping[str, Mapping[str, Sequence[Path]]],
    encoders: Mapping[str, Encoder],
    report: Report,
) -> dict[str, dict[str, Row]]:
    """Encode every file, chunk by chunk; with a cache, what was done before an interruption is not done again."""
    total = sum(len(files) for rows in found.values() for files in rows.values())
    done, encoded = 0, {}
    for modality in folders:
        files = [file for rows in found[modality].values() for file in rows]
        rows: dict[str, Row] = {}
        for first in range(0, len(files), _CHUNK):
            report(done / total, f"{modality} {first}/{len(files)}")
            chunk = files[first : first + _CHUNK]
            made = encoders[modality].encode(chunk, strict=False)
            for place, file in enumerate(chunk):
                why = reason(made.problems[place], file) if place in made.problems else ""
                rows[str(file)] = made.texts[place], None if why else made.embeddings[place], why
            done += len(chunk)
        encoded[modality] = rows
    return encoded


def _assemble(
    folders: Mapping[str, Path],
    chosen: Mapping[str, Mapping[str, Sequence[Path]]],
    encoded: Mapping[str, Mapping[str, Row]],
    encoders: Mapping[str, Encoder],
    activities: tuple[str, ...],
    refused: Mapping[str, str],
) -> Signals:
    embeddings, texts, files, makers = {}, {}, {}, {}
    for modality, folder in folders.items():
        rows = [[encoded[modality][str(file)] for file in chosen[modality][name]] for name in activities]
        embeddings[modality] = np.array([[row[1] for row in one] for one in rows], dtype=np.float32)
        texts[modality] = [[row[0] for row in one] for one in rows]
        files[modality] = [
            [file.relative_to(folder).as_posix() for file in chosen[modality][name]] for name in activities
        ]
        encoder = encoders[modality]
        makers[modality] = Maker(encoder.backend, encoder.version, encoder.dimension)
    return Signals(activities, embeddings, texts, files, makers, dict(refused))
