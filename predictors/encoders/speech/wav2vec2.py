"""Wav2Vec2 with a CTC head: a transcript, and the mean of the last hidden states [1].

Recordings of up to half a minute are run whole, as transformers runs them. Longer ones are cut where it is quiet; each
piece sees a second of its neighbours, whose outputs are dropped, and what is left is read as one sequence: no word is
spelt twice or lost at a cut, and memory does not grow with the length.

[1] Baevski et al., "wav2vec 2.0: A framework for self-supervised learning of speech representations", 2020.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

from metaverse_env.errors import CheckpointError, SampleError
from predictors.encoders.batched import BATCH_SIZE, BatchedEncoder
from predictors.encoders.cache import EncodingCache
from predictors.encoders.checkpoints import Source, load_model, place_of, reading
from predictors.encoders.devices import choose_device, inference
from predictors.encoders.hashing import weights_hash
from predictors.encoders.speech.chunking import Chunk, chunks
from predictors.encoders.speech.reading import RATE_HZ, Recording, read_recording

Array = np.ndarray

TINY: Final = "tiny"
"""Names the small checkpoint that is shipped: it knows the five recordings that it was trained on, and no others."""
TINY_FOLDER: Final = Path(__file__).parents[2] / "weights" / "wav2vec2_tiny"
LONGEST_S: Final = 30.0
"""What is run at once, s [choice]; LibriSpeech's utterances last up to 35 s."""
CONTEXT_S: Final = 1.0
"""What a piece sees of its neighbours, s [choice]; the positional convolution reaches 1.3 s."""
TOGETHER_S: Final = 64.0
"""Most sound in one forward pass, s [choice]: pieces of equal length share one up to here."""
_CODE: Final = 1
SOURCE: Final = Source(
    "wav2vec2",
    "wav2vec2",
    "facebook/wav2vec2-base-960h",
    "moonshine transcribes without a hub (pip install 'metaverse-env[encoders-offline]'); wav2vec2=tiny is this class "
    "with small weights that know five recordings only",
    may_lack=("wav2vec2.masked_spec_embed",),
)


class Piece(NamedTuple):
    """A chunk on its way: its recording's place in the batch, its scaled samples, and which outputs are its own."""

    place: int
    samples: Array
    frames: slice


@dataclass
class Heard:
    """What was heard of a recording so far: changes of the most likely token, and the sum of the hidden states."""

    tokens: list[int] = field(default_factory=list)
    total: Any = 0.0
    frames: int = 0
    last: int = -1

    def add(self, best: Array, states: Array) -> None:
        """Take in the most likely tokens ``[n]`` and the hidden states ``[n, dimension]`` of what follows."""
        changes = np.flatnonzero(np.diff(best, prepend=self.last))
        self.tokens.extend(best[changes].tolist())
        self.total = self.total + states.sum(axis=0, dtype=np.float64)
        self.frames += len(best)
        self.last = int(best[-1]) if len(best) else self.last


class Wav2Vec2Encoder(BatchedEncoder[Recording]):
    """Speech to a transcript and an embedding.

    Args:
        model: A ``Wav2Vec2ForCTC`` in evaluation mode.
        processor: Its ``Wav2Vec2Processor``.
        device: As in :func:`predictors.encoders.devices.choose_device`.
        batch_size: Recordings that are read together.
        cache: Where encodings stay.
    """

    modality: ClassVar[str] = "speech"
    backend: ClassVar[str] = "wav2vec2"

    def __init__(
        self,
        model: Any,
        processor: Any,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
    ) -> None:
        self._device = choose_device(device)
        self._tokenizer, extractor = processor.tokenizer, processor.feature_extractor
        self._normalises: bool = extractor.do_normalize
        self._masks: bool = extractor.return_attention_mask and model.config.feat_extract_norm == "layer"
        self._stride = math.prod(model.config.conv_stride)
        vocabulary = sorted(self._tokenizer.get_vocab().items())
        version = f"{_CODE}-{weights_hash(model, self._normalises, LONGEST_S, CONTEXT_S, vocabulary)}"
        super().__init__(version, model.config.hidden_size, batch_size, cache)
        self._model = model.to(self._device)

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path | None = None,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
        *,
        local_files_only: bool = False,
    ) -> "Wav2Vec2Encoder":
        """Read a checkpoint.

        Args:
            where: A folder, a name on the model hub, or ``"tiny"`` for the small one that is shipped; by default
                ``facebook/wav2vec2-base-960h``.
            device: As in :func:`predictors.encoders.devices.choose_device`.
            batch_size: Recordings that are read together.
            cache: Where encodings stay.
            local_files_only: Whether to ask no hub.

        Raises:
            CheckpointError: It cannot be had, or is not a CTC model of 16 kHz sound.
        """
        model, processor = load_wav2vec2(where, local_files_only=local_files_only)
        return cls(model, processor, device, batch_size, cache)

    def read(self, sample: object) -> Recording:
        """Read a recording; see :func:`predictors.encoders.speech.reading.read_recording`."""
        return read_recording(sample)

    def digest(self, prepared: Recording) -> str:
        """Return the hash of a recording's sound."""
        return prepared.digest

    def run(self, batch: Sequence[Recording]) -> tuple[Sequence[str | SampleError], Array]:
        """Transcribe and embed recordings."""
        heard = [Heard() for _ in batch]
        refused: dict[int, SampleError] = {}
        for pieces in self._together(self._pieces(batch, refused)):
            for piece, (best, states) in zip(pieces, self._outputs(pieces), strict=True):
                heard[piece.place].add(best, states)
        embeddings = np.array([each.total / max(each.frames, 1) + np.zeros(self.dimension) for each in heard])
        texts = [refused[place] if place in refused else self._text(each) for place, each in enumerate(heard)]
        return texts, embeddings.astype(np.float32)

    def _text(self, heard: Heard) -> str:
        text: str = self._tokenizer.decode(heard.tokens, group_tokens=False)
        return " ".join(text.split())

    def _pieces(self, batch: Sequence[Recording], refused: dict[int, SampleError]) -> Iterator[Piece]:
        for place, recording in enumerate(batch):
            try:
                for chunk in chunks(recording, LONGEST_S, CONTEXT_S):
                    samples = recording.scaled(chunk.samples) if self._normalises else chunk.samples
                    yield Piece(place, samples, self._own(chunk))
            except SampleError as error:
                refused[place] = error

    def _own(self, chunk: Chunk) -> slice:
        """Return which outputs of a chunk are its own."""
        first = chunk.before // self._stride
        return slice(first, first + len(chunk.own) // self._stride if chunk.after else None)

    def _together(self, pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
        """Yield as many pieces as are held at once."""
        waiting: list[Piece] = []
        for piece in pieces:
            waiting.append(piece)
            if sum(len(other.samples) for other in waiting) >= TOGETHER_S * RATE_HZ or len(waiting) >= self.batch_size:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _outputs(self, pieces: list[Piece]) -> list[tuple[Array, Array]]:
        """Return the most likely tokens and the hidden states of each piece's own outputs, whatever it ran with."""
        found: dict[int, tuple[Array, Array]] = {}
        for places in self._alike(pieces):
            found |= zip(places, self._forward([pieces[place] for place in places]), strict=True)
        return [found[place] for place in range(len(pieces))]

    def _alike(self, pieces: list[Piece]) -> Iterable[list[int]]:
        """Return the places of pieces that can share a forward pass without changing each other.

        Those of one length; of any length where the model was trained with a mask of what is padding. Models whose
        first layer normalises over time (``feat_extract_norm="group"``, as wav2vec2-base) would take padding for sound.
        """
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, piece in enumerate(pieces):
            by_length[0 if self._masks else len(piece.samples)].append(place)
        return by_length.values()

    def _forward(self, pieces: list[Piece]) -> Iterator[tuple[Array, Array]]:
        values = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(piece.samples) for piece in pieces], True)
        lengths = torch.tensor([len(piece.samples) for piece in pieces])
        mask = (torch.arange(values.shape[1]) < lengths[:, None]).to(self._device) if self._masks else None
        with inference(self._device):
            states = self._model.wav2vec2(values.to(self._device), attention_mask=mask).last_hidden_state
            best = self._model.lm_head(states).argmax(dim=-1)
        frames = self._model._get_feat_extract_output_lengths(lengths)
        for piece, count, tokens, hidden in zip(pieces, frames.tolist(), best, states, strict=True):
            yield tokens[:count][piece.frames].cpu().numpy(), hidden[:count][piece.frames].float().cpu().numpy()


def load_wav2vec2(where: str | Path | None = None, *, local_files_only: bool = False) -> tuple[Any, Any]:
    """Read a ``Wav2Vec2ForCTC`` and its processor; see :meth:`Wav2Vec2Encoder.from_pretrained`.

    Raises:
        CheckpointError: It cannot be had, or is not a CTC model of 16 kHz sound.
    """
    place = place_of(SOURCE, TINY_FOLDER if where == TINY else where)
    model = load_model(Wav2Vec2ForCTC, SOURCE, place, local_files_only=local_files_only)
    with reading(SOURCE, place, local_files_only=local_files_only):
        processor = Wav2Vec2Processor.from_pretrained(place, local_files_only=local_files_only)
    _check(place, model, processor)
    return model, processor


def _check(place: str, model: Any, processor: Any) -> None:
    rate_hz = processor.feature_extractor.sampling_rate
    if rate_hz != RATE_HZ:
        raise CheckpointError(f"wav2vec2 from {place!r}: it hears {rate_hz} Hz; only models of {RATE_HZ} Hz are run")
    tokens, outputs = len(processor.tokenizer), model.config.vocab_size
    if tokens > outputs:
        raise CheckpointError(
            f"wav2vec2 from {place!r}: its tokenizer has {tokens} tokens, its head {outputs}; take both from one model"
        )
