"""Long recordings in pieces that are cut where it is quiet.

A model takes half a minute at a time. Where to cut is looked for in the last third of it: at the middle of the quietest
fifth of a second, so that words are rarely cut. Pieces may come with the sound around them, as context for models that
tell which of their outputs belongs to which moment.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from predictors.encoders.speech.reading import RATE_HZ, Recording

Array = np.ndarray

HOP: Final = 320
"""Samples at 16 kHz to which cuts are aligned: 20 ms, one output of Wav2Vec2."""
_PAUSE: Final = 10
"""Hops that must be quiet together: 0.2 s [choice]; stops inside words are shorter."""
_SOUGHT: Final = 1 / 3
"""Share of a piece, at its end, in which it may be cut [choice]."""


class Chunk(NamedTuple):
    """A piece of a recording.

    Attributes:
        samples: ``float32 [n]`` at 16 kHz, context included.
        before: How many of them, at the start, are context and belong to the piece before.
        after: How many, at the end, belong to the piece after.
    """

    samples: Array
    before: int
    after: int

    @property
    def own(self) -> Array:
        """The samples without context."""
        return self.samples[self.before : len(self.samples) - self.after]


def chunks(recording: Recording, longest_s: float, context_s: float = 0.0) -> Iterator[Chunk]:
    """Cut a recording; one that is not longer stays whole.

    Args:
        recording: To cut.
        longest_s: What a piece may last, without its context, s; at least 1.
        context_s: What it is given of its neighbours on either side, s.

    Yields:
        Pieces whose own samples, one after the other, are the recording's.
    """
    longest, context = _hops(longest_s), _hops(context_s)
    before, held = 0, np.zeros(0, dtype=np.float32)
    for block in chain(recording.blocks(), (None,)):
        held = held if block is None else np.concatenate([held, block])
        unseen = 0 if block is None else context  # what the piece after may still be shown of what comes
        while len(held) - before > longest + unseen:
            cut = before + quietest(held[before : before + longest])
            after = min(context, len(held) - cut)
            yield Chunk(held[: cut + after], before, after)
            kept = min(cut, context)
            held, before = held[cut - kept :], kept
    yield Chunk(held, before, 0)


def quietest(samples: Array) -> int:
    """Return where to cut: the middle of the quietest 0.2 s in the last third, in whole hops of 20 ms.

    The loudness of a hop is its variance, so that an offset of the recording is not heard; of equals the last is taken.
    """
    hops = len(samples) // HOP
    first = min(int(hops * (1.0 - _SOUGHT)), max(hops - _PAUSE, 0))
    loudness = samples[first * HOP : hops * HOP].reshape(-1, HOP).var(axis=1, dtype=np.float64)
    window = min(_PAUSE, len(loudness))
    around = np.convolve(loudness, np.full(window, 1.0 / window), mode="valid")
    at = len(around) - 1 - int(np.argmin(around[::-1]))
    return (first + at + window // 2) * HOP


def _hops(seconds: float) -> int:
    return round(seconds * RATE_HZ / HOP) * HOP
