"""Where sound comes from: files, their bytes, and arrays, as blocks of floats at the rate that they have.

Everything that libsndfile raises or only logs about damage becomes a :class:`~metaverse_env.errors.SampleError` here.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import soundfile

from metaverse_env.errors import SampleError
from predictors.encoders.speech.waveform import Waveform

Array = np.ndarray

BLOCK_NUMBERS: Final = 2**18
"""Numbers, over all channels, that are read at once: 1 MiB [choice]."""
LOWEST_RATE_HZ: Final = 4_000
"""Half the 8 kHz of telephones; nothing lower carries speech that could be understood [choice]."""
HIGHEST_RATE_HZ: Final = 384_000
"""The highest of sound cards [choice]."""
MOST_CHANNELS: Final = 1024
"""As many as libsndfile reads [V: SF_MAX_CHANNELS]."""
_ENDLESS: Final = 2**62
"""A length from here on stands for an unknown one, as in FLAC from a pipe."""
_STREAMED: Final = 0x7FFFF000
"""Sizes in a WAV header from here on stand for an unknown one: the writer could not go back (espeak-ng --stdout)."""
_CUT_WAV: Final = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_CUT_OGG: Final = "lacks an end-of-stream bit"
_GUESSED: Final = {"MP3": 0.01}
"""Formats whose length is an estimate, and by which share it may be wrong [choice]."""
_READABLE: Final = "WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF, AU, CAF, W64, …"


class Sound(NamedTuple):
    """Sound that is being read: its rate in Hz, and blocks ``float32 [frames, channels]``, each read when asked for."""

    rate_hz: int
    blocks: Iterator[Array]


@dataclass(frozen=True)
class Source:
    """What can be read from its start, more than once.

    Attributes:
        name: For messages.
        open: Returns a context in which there is a :class:`Sound`.
    """

    name: str
    open: Callable[[], AbstractContextManager[Sound]]


def source_of(sample: object) -> Source:
    """Say what a raw sample is.

    Args:
        sample: A path, the bytes of a file, or a :class:`Waveform`.

    Raises:
        SampleError: It is none of these, or there is no such file.
    """
    match sample:
        case str() | Path():
            return _of_file(Path(sample).expanduser())
        case bytes() | bytearray() | memoryview():
            name = f"recording of {len(sample)} bytes"
            return Source(name, partial(_sound_file, name, partial(io.BytesIO, sample)))
        case Waveform():
            return _of_numbers(sample)
        case np.ndarray():
            raise SampleError("an array without its rate is no recording; give Waveform(samples, rate_hz)")
    raise SampleError(
        f"a {type(sample).__name__} is no recording; give the path of a file ({_READABLE}), its bytes, or "
        "Waveform(samples, rate_hz)"
    )


def _of_file(path: Path) -> Source:
    if not path.exists():
        raise SampleError(f"{path}: there is no such file")
    if not path.is_file():
        raise SampleError(f"{path}: it is no file; give one recording, not a folder or a device")
    return Source(str(path), partial(_sound_file, str(path), partial(io.FileIO, path)))


def _of_numbers(waveform: Waveform) -> Source:
    samples = waveform.samples
    if not isinstance(samples, np.ndarray) or samples.ndim not in (1, 2) or samples.dtype.kind not in "iuf":
        raise SampleError(
            "waveform: its samples are no array [n] or [n, channels] of real numbers, full scale at 1 or as integers"
        )
    name = f"waveform {samples.dtype} {list(samples.shape)}"
    return Source(name, partial(_numbers, name, samples.reshape(len(samples), -1 if samples.size else 1), waveform))


@contextmanager
def _numbers(name: str, samples: Array, waveform: Waveform) -> Iterator[Sound]:
    yield Sound(_rate(name, waveform.rate_hz), _scaled(samples, _frames(name, samples.shape[1])))


def _scaled(samples: Array, frames: int) -> Iterator[Array]:
    """Yield blocks of numbers with full scale at 1."""
    for first in range(0, len(samples), frames):
        block = samples[first : first + frames]
        if block.dtype.kind == "f":
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
                block = block.astype(np.float32)
            yield block
            continue
        limits = np.iinfo(block.dtype)
        half = (float(limits.max) - float(limits.min) + 1.0) / 2.0
        yield ((block.astype(np.float64) - (float(limits.min) + half)) / half).astype(np.float32)


def _rate(name: str, rate_hz: float) -> int:
    whole = isinstance(rate_hz, int | float | np.number) and float(rate_hz).is_integer()
    if not whole or not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise SampleError(
            f"{name}: its rate is {rate_hz!r} Hz; it must be whole, {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz. "
            "Is the header damaged, or the unit kHz?"
        )
    return int(rate_hz)


def _frames(name: str, channels: int) -> int:
    """Return how many frames make a block."""
    if channels > MOST_CHANNELS:
        raise SampleError(
            f"{name}: {channels} channels, of at most {MOST_CHANNELS}. The shape is [n, channels]: transpose it?"
        )
    return max(BLOCK_NUMBERS // channels, 1)


@contextmanager
def _sound_file(name: str, opened: Callable[[], io.FileIO | io.BytesIO]) -> Iterator[Sound]:
    with _decoding(name), opened() as stream:
        if not stream.read(1):
            raise SampleError(f"{name}: it is empty")
        stream.seek(0)
        with soundfile.SoundFile(_Nameless(stream)) as sound:
            _whole(name, sound)
            yield Sound(_rate(name, sound.samplerate), _decoded(name, sound, _frames(name, sound.channels)))


class _Nameless:
    """A stream without a name: soundfile would believe an extension such as .raw rather than the content."""

    def __init__(self, stream: Any) -> None:
        self.read, self.readinto, self.seek, self.tell = stream.read, stream.readinto, stream.seek, stream.tell


def _decoded(name: str, opened: Any, frames: int) -> Iterator[Array]:
    read = 0
    while len(block := opened.read(frames, dtype="float32", always_2d=True)):
        read += len(block)
        yield block
    short = opened.frames - read
    if opened.frames < _ENDLESS and short > _GUESSED.get(opened.format, 0.0) * opened.frames:
        raise _truncated(name, f"{read / opened.samplerate:.2f} s of {opened.frames / opened.samplerate:.2f} s")


def _whole(name: str, opened: Any) -> None:
    """Refuse what libsndfile reads with a word in its log: files that end before their time."""
    cut = _CUT_WAV.search(opened.extra_info)
    if cut and int(cut[1]) < _STREAMED and int(cut[1]) > int(cut[2]):
        raise _truncated(name, f"{cut[2]} bytes of sound of {cut[1]}")
    if _CUT_OGG in opened.extra_info:
        raise _truncated(name, "its last page is missing")


def _truncated(name: str, what: str) -> SampleError:
    return SampleError(f"{name}: it is truncated ({what}); copy or record it again")


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn what reading raises into ours."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise SampleError(
            f"{name}: it cannot be decoded ({error.error_string.strip(' .')}). It is damaged, truncated or no sound: "
            f"{_READABLE} can be read; for others: ffmpeg -i IN OUT.flac"
        ) from error
    except OSError as error:
        raise SampleError(f"{name}: it cannot be read: {error.strerror or error}") from error
