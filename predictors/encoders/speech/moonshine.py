"""Moonshine: a transcript by really trained weights that come with a package [1], and the sentence embedding of it.

Its own detector of speech says whether anybody speaks; it is not asked where, since the short bits before a sentence
that it finds make the recogniser add words ("You", "Yeah") [M]. Sound with speech in it is transcribed whole, up to
20 s at a time, cut where it is quiet: beyond half a minute the recogniser repeats itself [M].

[1] Jeffries et al., "Moonshine: Speech recognition for live transcription and voice commands", 2024; MIT licence.
"""

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from moonshine_voice import ModelArch, MoonshineError, get_model_path
from moonshine_voice.transcriber import Transcriber

from metaverse_env.errors import CheckpointError, SampleError
from predictors.encoders.batched import BATCH_SIZE, BatchedEncoder
from predictors.encoders.cache import EncodingCache
from predictors.encoders.speech.chunking import chunks
from predictors.encoders.speech.reading import RATE_HZ, Recording, read_recording
from predictors.encoders.text.minilm import SentenceEncoder

Array = np.ndarray

PACKAGE: Final = "moonshine-voice"
FILES: Final = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
LONGEST_S: Final = 20.0
"""What is transcribed at once, s [choice]: 30 s still goes well, 45 s does not, and memory grows with it [M]."""
SPEECH_S: Final = 0.4
"""Less speech than this is none, s [choice]: it finds 0.74 s in "Yes." and none in noise, tones and clicks [M]."""
_CODE: Final = 1
_ALWAYS: Final = {"vad_max_segment_duration": "60", "identify_speakers": "false", "return_audio_data": "false"}
_WHOLE: Final = {**_ALWAYS, "vad_threshold": "0"}
"""Everything is speech: one piece of sound is one line of text."""
_DETECT: Final = {**_ALWAYS, "skip_transcription": "true"}
_REMEDY: Final = (
    "pip install 'metaverse-env[encoders-offline]' brings moonshine-voice 0.0.62, whose wheel has the weights; later "
    "ones have none"
)


class MoonshineEncoder(BatchedEncoder[Recording]):
    """Speech to a transcript and its sentence embedding.

    Args:
        weights: Folder of Moonshine's weights.
        sentences: What embeds the transcript.
        batch_size: Recordings that are read together.
        cache: Where encodings stay.

    Raises:
        CheckpointError: The weights are not there, or damaged.
    """

    modality: ClassVar[str] = "speech"
    backend: ClassVar[str] = "moonshine"

    def __init__(
        self,
        weights: Path,
        sentences: SentenceEncoder,
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
    ) -> None:
        lacking = [name for name in FILES if not (weights / name).is_file()]
        if lacking:
            raise CheckpointError(f"moonshine from {str(weights)!r}: {', '.join(lacking)} is not there. {_REMEDY}")
        self._recogniser, self._sentences = Recogniser(weights), sentences
        made_by = f"{_CODE}-{version(PACKAGE)}-{_hash(weights)}+minilm-{sentences.version}"
        super().__init__(made_by, sentences.dimension, batch_size, cache)

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path | None = None,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
    ) -> "MoonshineEncoder":
        """Load Moonshine tiny and the encoder of sentences.

        Args:
            where: A folder with other weights of Moonshine tiny; by default the package's, for English.
            device: Where sentences are embedded; Moonshine runs on the CPU.
            batch_size: Recordings that are read together.
            cache: Where encodings stay.

        Raises:
            CheckpointError: The weights are not there, or damaged.
            MissingDependencyError: The package of the sentence encoder is not installed.
        """
        folder = Path(where).expanduser() if where is not None else Path(get_model_path("tiny-en"))
        return cls(folder, SentenceEncoder.from_pretrained(device=device), batch_size, cache)

    def read(self, sample: object) -> Recording:
        """Read a recording; see :func:`predictors.encoders.speech.reading.read_recording`."""
        return read_recording(sample)

    def digest(self, prepared: Recording) -> str:
        """Return the hash of a recording's sound."""
        return prepared.digest

    def run(self, batch: Sequence[Recording]) -> tuple[Sequence[str | SampleError], Array]:
        """Transcribe recordings and embed their transcripts; one without words is refused."""
        heard = [self._heard(recording) for recording in batch]
        return heard, self._sentences.embed([text if isinstance(text, str) else "" for text in heard])

    def _heard(self, recording: Recording) -> str | SampleError:
        try:
            said = [self._recogniser.said(chunk.samples) for chunk in chunks(recording, LONGEST_S)]
        except SampleError as error:
            return error
        except MoonshineError as error:
            return SampleError(f"{recording.source.name}: moonshine cannot transcribe it: {error}")
        text = " ".join(" ".join(said).split())
        return text or SampleError(
            f"{recording.source.name}: no words were heard in {recording.seconds:.1f} s; leave it out, or take an "
            "encoder that needs none (wav2vec2)"
        )


class Recogniser:
    """Moonshine itself: 16 kHz sound to text.

    Args:
        weights: Folder of its weights.

    Raises:
        CheckpointError: They are damaged.
    """

    def __init__(self, weights: Path) -> None:
        self._weights, self._transcriber = weights, _load(weights, _WHOLE)

    def said(self, samples: Array) -> str:
        """Return what is said in some sound; nothing where nobody speaks, as it would make something up.

        Args:
            samples: ``float32 [n]``, no longer than :data:`LONGEST_S`.

        Raises:
            MoonshineError: It fails.
        """
        with _detector(self._weights) as detector:
            speech_s = sum(line.duration for line in _lines(detector, samples))
        if speech_s < SPEECH_S:
            return ""
        lines = _lines(self._transcriber, samples)
        _give_back()
        return " ".join(line.text for line in lines if any(map(str.isalnum, line.text)))


def _lines(transcriber: Any, samples: Array) -> Any:
    return transcriber.transcribe_without_streaming(samples.tolist(), RATE_HZ).lines


def _give_back() -> None:
    """Return free memory to the system: glibc would keep what pieces of ever other lengths leave, 2 MB a second [M]."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    if trim is not None:
        trim(0)


def _load(folder: Path, options: dict[str, str]) -> Any:
    try:
        return Transcriber(str(folder), ModelArch.TINY, options=options)
    except MoonshineError as error:
        raise CheckpointError(f"moonshine from {str(folder)!r}: it cannot be loaded ({error}). {_REMEDY}") from error


@contextmanager
def _detector(folder: Path) -> Iterator[Any]:
    """Give a detector that has heard nothing yet, in 15 ms [M]: it remembers, and would judge a sample by its mates."""
    made = _load(folder, _DETECT)
    try:
        yield made
    finally:
        made.close()


def _hash(folder: Path) -> str:
    """Return 12 hexadecimal digits that tell weights apart."""
    digest = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]
