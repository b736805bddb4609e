"""Recordings at 16 kHz, mono, block by block: an hour takes no more memory than a minute.

A recording is read twice. The first time says whether it can be used, how loud it is, and which content it has; the
second time is for whoever encodes it. Between them only those figures are kept, whatever its length.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr

from metaverse_env.errors import SampleError
from predictors.encoders.speech.sources import Source, source_of

Array = np.ndarray

RATE_HZ: Final = 16_000
"""What Wav2Vec2 and Moonshine were trained on [V]."""
SHORTEST_S: Final = 0.1
"""Less is no word [choice]; Wav2Vec2's convolutions need 25 ms."""
SILENT: Final = 1e-3
"""Sound that never exceeds this share of full scale, -60 dB, is silence [choice]. The quietest of the
eight real clips in the tests reaches 0.30 [M]."""
LOUDEST: Final = 8.0
"""Floats beyond, +18 dB, are no sound with full scale at 1 [choice]; integers in a float array are far beyond."""
_FLOOR: Final = 1e-7
"""Added to the variance [V: transformers' Wav2Vec2FeatureExtractor]."""


@dataclass(frozen=True)
class Recording:
    """A recording that can be encoded.

    Attributes:
        source: Where its sound is read from.
        digest: Hash of its sound, equal for equal sound in whatever format.
        samples: How many it has at 16 kHz.
        mean: Of its samples.
        deviation: The standard deviation of its samples.
    """

    source: Source
    digest: str
    samples: int
    mean: float
    deviation: float

    @property
    def seconds(self) -> float:
        """How long it is, s."""
        return self.samples / RATE_HZ

    def scaled(self, samples: Array) -> Array:
        """Scale some of its samples so that the whole has mean 0 and variance 1, as Wav2Vec2's own reader does.

        By the figures of the whole, not of the piece, so that its pauses are not made loud.
        """
        scaled: Array = (samples - self.mean) / np.sqrt(self.deviation**2 + _FLOOR)
        return scaled.astype(np.float32)

    def blocks(self) -> Iterator[Array]:
        """Read it: ``float32 [n]`` at 16 kHz, mono, block by block.

        Raises:
            SampleError: It has changed since it was first read.
        """
        digest = hashlib.sha256()
        for block in resampled(self.source):
            digest.update(block.data)
            yield block
        if digest.hexdigest() != self.digest:
            raise SampleError(f"{self.source.name}: it changed while it was being encoded; encode it again")


def read_recording(sample: object) -> Recording:
    """Read a recording once, and say whether it can be encoded.

    Args:
        sample: A path, the bytes of a file, or a :class:`~predictors.encoders.speech.waveform.Waveform`.

    Raises:
        SampleError: It is none, damaged, empty, silent, not finite, too short, or its rate is absurd.
    """
    source = source_of(sample)
    measured = _Measured()
    for block in resampled(source, measured.see_mono):
        measured.see(block)
    measured.check(source.name)
    return Recording(source, measured.digest.hexdigest(), measured.samples, measured.mean, measured.deviation)


def resampled(source: Source, see: Callable[[Array], None] = lambda mono: None) -> Iterator[Array]:
    """Yield a source's sound at 16 kHz, mono, ``float32 [n]`` block by block; what blocks it came in does not matter.

    Args:
        source: To read.
        see: Is shown the mono blocks before their rate is changed.

    Raises:
        SampleError: It is damaged, or holds what is no sound.
    """
    with source.open() as (rate_hz, blocks):
        stream = soxr.ResampleStream(rate_hz, RATE_HZ, num_channels=1, dtype="float32")
        for block in blocks:
            mono = mixed(source.name, block)
            see(mono)
            changed = mono if rate_hz == RATE_HZ else stream.resample_chunk(mono)
            if len(changed):
                yield changed
        rest = stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        if rate_hz != RATE_HZ and len(rest):
            yield rest


def mixed(name: str, block: Array) -> Array:
    """Return the mean of the channels of a block ``[frames, channels]``; that of equal channels is exactly theirs.

    Raises:
        SampleError: It holds NaN, infinity, or numbers far beyond full scale.
    """
    if not np.isfinite(block).all():
        raise SampleError(f"{name}: it holds NaN or infinite samples; repair or record it again")
    peak = float(np.abs(block).max(initial=0.0))
    if peak > LOUDEST:
        raise SampleError(
            f"{name}: a sample is {peak:.4g}, of at most {LOUDEST:g} where full scale is 1. Are these integers as "
            "floats? Divide by their full scale"
        )
    mono: Array = block.mean(axis=1, dtype=np.float64).astype(np.float32)
    return mono


@dataclass
class _Measured:
    """What the first reading remembers of a recording."""

    samples: int = 0
    peak: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf
    total: float = 0.0
    squares: float = 0.0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def see_mono(self, mono: Array) -> None:
        """Look at sound before its rate is changed: an offset, or channels that cancel out, are silence."""
        self.lowest = min(self.lowest, float(mono.min(initial=np.inf)))
        self.highest = max(self.highest, float(mono.max(initial=-np.inf)))

    def see(self, block: Array) -> None:
        """Look at sound at 16 kHz, where nothing above 8 kHz is left."""
        exact = block.astype(np.float64)
        self.samples += len(block)
        self.peak = max(self.peak, float(np.abs(exact).max(initial=0.0)))
        self.total += float(exact.sum())
        self.squares += float(exact @ exact)
        self.digest.update(block.data)

    def check(self, name: str) -> None:
        """Refuse what cannot be encoded."""
        if not self.samples:
            raise SampleError(f"{name}: it has no samples; give a recording of at least {SHORTEST_S} s")
        if self.samples < SHORTEST_S * RATE_HZ:
            raise SampleError(f"{name}: it lasts {self.samples / RATE_HZ:.4f} s, of at least {SHORTEST_S} s")
        if self.level < SILENT:
            raise SampleError(
                f"{name}: it is silent; it reaches {self.level:.2g} of full scale, of at least {SILENT:g} (-60 dB). "
                "Record closer to who speaks, or leave it out"
            )

    @property
    def level(self) -> float:
        """How far it goes, as a share of full scale."""
        return min(self.peak, (self.highest - self.lowest) / 2.0)

    @property
    def mean(self) -> float:
        return self.total / self.samples

    @property
    def deviation(self) -> float:
        return float(np.sqrt(max(self.squares / self.samples - self.mean**2, 0.0)))
