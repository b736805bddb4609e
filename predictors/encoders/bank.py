"""Banks of intents made of encoded samples, in the format of :mod:`metaverse_env.simulator.intents`.

Embeddings of the modalities have lengths of their own; a bank has one. A fusion brings them there
(:class:`~predictors.encoders.fusion.runtime.Fusion`); without one, the leading principal components of the
concatenated embeddings do, centred and of mean length 1 in each modality: unsupervised, and no network that is shipped
reads them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env import __version__
from metaverse_env.errors import ConfigurationError
from predictors.encoders.collecting import Signals
from predictors.encoders.fusion.runtime import Fusion
from predictors.encoders.scenes.folders import Sample, read_list
from predictors.encoders.text_bank import leading_scores

Array = np.ndarray

DIMENSIONS: Final = 32
"""Of a bank without a fusion [choice]: the width that the shipped networks read."""
UNSTATED: Final = "not stated"


class Components:
    """The baseline: principal components of embeddings side by side, a missing modality at its mean.

    Args:
        embeddings: By modality ``[samples, d]``, to learn from.
        dimensions: To keep.

    Raises:
        ConfigurationError: There are fewer samples than dimensions and modalities together.
    """

    def __init__(self, embeddings: Mapping[str, Array], dimensions: int = DIMENSIONS) -> None:
        count = sum(len(rows) for rows in embeddings.values())
        if count < dimensions + len(embeddings):
            raise ConfigurationError(
                f"{count} samples are too few for {dimensions} dimensions without a fusion; give at least "
                f"{dimensions + len(embeddings)}, or a fusion"
            )
        self._means = {name: rows.mean(axis=0) for name, rows in embeddings.items()}
        self._sizes = {
            name: max(float(np.linalg.norm(rows - self._means[name], axis=1).mean()), 1e-9)
            for name, rows in embeddings.items()
        }
        rows = np.concatenate([self._beside(name, rows) for name, rows in embeddings.items()])
        scores = leading_scores(rows, dimensions)
        # Sign and order are those of the scores: the directions follow from them.
        directions = rows.T @ scores / np.maximum((scores**2).sum(axis=0), 1e-12)
        self._directions = directions / np.linalg.norm(scores, axis=1).mean()

    def vectors(self, modality: str, embeddings: Array) -> Array:
        """Return ``float32 [..., dimensions]`` of embeddings ``[..., d]``."""
        found: Array = (self._beside(modality, embeddings) @ self._directions).astype(np.float32)
        return found

    def _beside(self, modality: str, embeddings: Array) -> Array:
        """Return embeddings at their place in the concatenation, nothing elsewhere."""
        before = sum(len(mean) for name, mean in self._before(modality))
        width = sum(len(mean) for mean in self._means.values())
        rows = np.zeros((*embeddings.shape[:-1], width))
        centred = (embeddings - self._means[modality]) / self._sizes[modality]
        rows[..., before : before + embeddings.shape[-1]] = centred
        return rows

    def _before(self, modality: str) -> list[tuple[str, Array]]:
        names = list(self._means)
        return [(name, self._means[name]) for name in names[: names.index(modality)]]


def build_bank(signals: Signals, fusion: Fusion | None, about: Mapping[str, Any]) -> dict[str, Array]:
    """Return the arrays of a bank.

    Args:
        signals: Encoded samples.
        fusion: Brings them to one length; ``None`` takes principal components.
        about: What the provenance tells beside what is known here.

    Raises:
        ConfigurationError: Too few samples for principal components.
    """
    project = fusion or Components(signals.flat())
    vectors = np.stack([project.vectors(name, rows) for name, rows in signals.embeddings.items()])
    return {
        "vectors": np.ascontiguousarray(vectors, dtype=np.float32),
        "activities": np.array(signals.activities),
        "modalities": np.array(list(signals.embeddings)),
        "provenance": np.array(json.dumps({**_made_of(signals), **_projection(fusion), **about})),
    }


def write_bank(out: Path, arrays: Mapping[str, Array]) -> None:
    """Write a bank in one go: an interruption leaves the old file or the new one.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    fresh = out.with_name(f"{out.name}.new")
    try:
        with fresh.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        fresh.replace(out)
    except OSError as error:
        raise ConfigurationError(f"--out {out}: cannot write there: {error.strerror}. Name another file") from error


def licences(folders: Mapping[str, Path], signals: Signals) -> dict[str, dict[str, Any]]:
    """Return what ``samples.json`` of each folder says about the samples that were taken, counted.

    Raises:
        ConfigurationError: A list is damaged.
    """
    told = {}
    for modality, folder in folders.items():
        listed = read_list(folder)
        files = [file for row in signals.files[modality] for file in row]
        known = [listed.get("files", {}).get(file) for file in files]
        told[modality] = {
            "licences": _counted([sample.licence if sample else UNSTATED for sample in known]),
            "origins": _counted([sample.origin if sample else UNSTATED for sample in known]),
            "made": listed.get("made"),
            "sha256": _digest(folder, files),
        }
    return told


def recognised(folders: Mapping[str, Path], signals: Signals, modality: str) -> list[tuple[Sample, str]]:
    """Return what ``samples.json`` says of each file of a modality beside what its encoder says; unlisted ones not."""
    listed = read_list(folders[modality]).get("files", {})
    pairs = zip(signals.files[modality], signals.texts[modality], strict=True)
    rows = [(file, text) for files, texts in pairs for file, text in zip(files, texts, strict=True)]
    return [(listed[file], text) for file, text in rows if file in listed]


def _made_of(signals: Signals) -> dict[str, Any]:
    return {
        "what": "intents of single signals: encoded samples of activities",
        "metaverse_env": __version__,
        "encoders": {name: maker._asdict() for name, maker in signals.makers.items()},
        "samples": {"of each activity in each modality": signals.samples, "refused": len(signals.refused)},
    }


def _projection(fusion: Fusion | None) -> dict[str, Any]:
    if fusion is None:
        return {"projection": {"kind": "principal components of the concatenation, centred per modality"}}
    card = fusion.card
    return {
        "projection": {"kind": "fusion", "sha256": card.digest, "aligned_with": card.aligned_with, "data": card.data}
    }


def _counted(words: Sequence[str]) -> dict[str, int]:
    return {word: words.count(word) for word in sorted(set(words))}


def _digest(folder: Path, files: Sequence[str]) -> str:
    """Return a hash of the contents of files in order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256((folder / file).read_bytes()).digest())
    return total.hexdigest()
