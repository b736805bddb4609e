"""Pieces of long recordings: nothing lost, nothing twice, cut where it is quiet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.encoders.speech import Waveform
from predictors.encoders.speech.chunking import HOP, chunks, quietest
from predictors.encoders.speech.reading import RATE_HZ, read_recording
from tests.predictors.encoders.speech.conftest import noise


@settings(max_examples=40)
@given(seconds=st.floats(0.2, 40.0), longest_s=st.floats(1.0, 20.0), context_s=st.sampled_from([0.0, 0.1, 1.0, 3.0]))
def test_the_pieces_are_the_recording(seconds: float, longest_s: float, context_s: float) -> None:
    samples = noise(seconds).astype(np.float32)
    pieces = list(chunks(read_recording(Waveform(samples, RATE_HZ)), longest_s, context_s))
    np.testing.assert_array_equal(np.concatenate([piece.own for piece in pieces]), samples)
    at, wanted = 0, round(context_s * RATE_HZ / HOP) * HOP
    for piece in pieces:
        start = at - piece.before
        np.testing.assert_array_equal(piece.samples, samples[start : start + len(piece.samples)])
        assert len(piece.own) <= longest_s * RATE_HZ + HOP
        assert at % HOP == 0
        assert piece.before == min(at, wanted)
        at += len(piece.own)
        assert piece.after == min(len(samples) - at, wanted)


def test_what_is_not_longer_stays_whole() -> None:
    (piece,) = chunks(read_recording(Waveform(noise(5.0), RATE_HZ)), 5.0, 1.0)
    assert (len(piece.samples), piece.before, piece.after) == (80_000, 0, 0)


@pytest.mark.parametrize("pause_s", [7.3, 8.0, 9.5])
def test_it_is_cut_in_the_pause(pause_s: float) -> None:
    samples = noise(15.0)
    samples[int(pause_s * RATE_HZ) : int((pause_s + 0.3) * RATE_HZ)] *= 0.01
    first, _ = chunks(read_recording(Waveform(samples, RATE_HZ)), 10.0)
    assert pause_s < len(first.own) / RATE_HZ < pause_s + 0.3


def test_an_offset_is_no_sound() -> None:
    samples = noise(10.0)
    samples[8 * RATE_HZ : 9 * RATE_HZ] = 0.5  # a constant: silence
    assert 8 * RATE_HZ < quietest(samples.astype(np.float32)) < 9 * RATE_HZ


def test_where_all_is_equal_it_is_cut_late() -> None:
    assert quietest(np.zeros(10 * RATE_HZ, dtype=np.float32)) == (10 * 50 - 10 + 5) * HOP
