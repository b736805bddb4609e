"""Recordings of speech: read in bounded memory, transcribed, embedded; fine-tuning and word error rates."""

from predictors.encoders.speech.waveform import Waveform

__all__ = ["Waveform"]
