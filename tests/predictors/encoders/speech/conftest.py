"""What tests of speech share: real utterances, sounds that are made, and small checkpoints."""

import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

Array = np.ndarray


class Said(NamedTuple):
    """A real recording and what is said in it."""

    path: Path
    text: str


@pytest.fixture(scope="session")
def librispeech_utts(assets: Path) -> list[Said]:
    """Return three utterances of LibriSpeech."""
    folder = assets / "samples" / "librispeech_utts"
    lines = (folder / "transcripts.txt").read_text(encoding="utf-8").splitlines()
    texts = {name: text for name, _, text in (line.partition(" ") for line in lines)}
    return [Said(path, texts[path.stem]) for path in sorted(folder.iterdir()) if path.stem in texts]


@pytest.fixture(scope="session")
def librivox(assets: Path) -> list[Said]:
    """Return five utterances of LibriVox."""
    folder = assets / "samples" / "librivox_5"
    found = re.findall(r"<s> (.*) </s> \((.*)\)", (folder / "transcription").read_text(encoding="utf-8"))
    return [Said(folder / f"{name}.wav", text) for text, name in found]


@pytest.fixture(scope="session")
def utterances(librispeech_utts: list[Said], librivox: list[Said]) -> list[Said]:
    """Return the eight real utterances."""
    return [*librispeech_utts, *librivox]


def noise(seconds: float, rate_hz: int = 16_000, level: float = 0.1, seed: int = 0) -> Array:
    """Return white noise, ``float64 [n]``."""
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * rate_hz))


def encoded(samples: Array, rate_hz: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """Return the bytes of a sound file."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, format=kind, subtype=subtype)
    return stream.getvalue()
