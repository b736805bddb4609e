"""What all encoders share: samples are read one batch at a time, looked up, run, and refused one by one.

Memory holds one batch, however many samples there are. A sample that cannot be read is refused with its reason, and its
mates are encoded as if it had not been there.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

import numpy as np

from metaverse_env.contracts import Encoded
from metaverse_env.errors import ConfigurationError, SampleError
from predictors.encoders.cache import EncodingCache, Row

Array = np.ndarray
Prepared = TypeVar("Prepared")

_SHOWN: Final = 60
"""Characters of a sample that an error quotes."""
BATCH_SIZE: Final = 16
"""Samples that are encoded together unless it is said otherwise [choice]."""


class BatchedEncoder(ABC, Generic[Prepared]):
    """An :class:`~metaverse_env.contracts.Encoder` of three answers: how a sample is read, hashed, and run in a batch.

    Args:
        version: Of code and weights; part of the cache's key.
        dimension: Length of an embedding.
        batch_size: Samples that are encoded together.
        cache: Where encodings stay; without one, nothing is kept.

    Raises:
        ConfigurationError: The batch size is not positive.
    """

    modality: ClassVar[str]
    backend: ClassVar[str]

    def __init__(
        self, version: str, dimension: int, batch_size: int = BATCH_SIZE, cache: EncodingCache | None = None
    ) -> None:
        if batch_size < 1:
            raise ConfigurationError(f"batch_size is {batch_size} samples; give at least 1")
        self.version, self.dimension, self.batch_size, self.cache = version, dimension, batch_size, cache

    @abstractmethod
    def read(self, sample: object) -> Prepared:
        """Turn a raw sample into what the model takes.

        Raises:
            SampleError: It is none, or damaged; says what was found and what is expected.
        """

    @abstractmethod
    def digest(self, prepared: Prepared) -> str:
        """Return a hash of a sample's content; equal for what gives the same encoding."""

    @abstractmethod
    def run(self, batch: Sequence[Prepared]) -> tuple[Sequence[str | SampleError], Array]:
        """Return a text and a row of ``float32 [samples, dimension]`` for each of at least one prepared sample.

        A problem instead of a text refuses a sample for what only running it shows; its row is not looked at.
        """

    def encode(self, samples: Sequence[object], *, strict: bool = True) -> Encoded:
        """Encode samples; see :class:`metaverse_env.contracts.Encoder`.

        Raises:
            ConfigurationError: One sample was given and no list of them.
            SampleError: With ``strict``, one cannot be encoded.
        """
        if isinstance(samples, (str, bytes, bytearray, os.PathLike)):
            raise ConfigurationError(f"samples are a list: give [{_short(samples)}], or several in it")
        rows: dict[int, Row] = {}
        problems: dict[int, SampleError] = {}
        for first in range(0, len(samples), self.batch_size):
            batch = samples[first : first + self.batch_size]
            rows |= self._encoded(self._read_each(first, batch, problems), problems)
        encoded = self._result(len(samples), rows, problems)
        if strict and problems:
            raise _refusal(encoded)
        return encoded

    def _read_each(self, first: int, batch: Sequence[object], problems: dict[int, SampleError]) -> dict[int, Prepared]:
        """Read what can be read, by its place; enter the rest among the problems."""
        prepared = {}
        for place, sample in enumerate(batch, first):
            try:
                prepared[place] = self.read(sample)
            except SampleError as error:
                problems[place] = error
        return prepared

    def _encoded(self, prepared: dict[int, Prepared], problems: dict[int, SampleError]) -> dict[int, Row]:
        """Return the row of each place, known before or made now; enter what running refuses among the problems."""
        if self.cache is None:
            return self._made(prepared, problems)
        maker = f"{self.backend} {self.version}"
        digests = {place: self.digest(sample) for place, sample in prepared.items()}
        known = self.cache.get(maker, digests.values())
        unknown = {place: sample for place, sample in prepared.items() if digests[place] not in known}
        made = self._made(unknown, problems)
        self.cache.put(maker, {digests[place]: row for place, row in made.items()})
        return {place: known[digest] for place, digest in digests.items() if digest in known} | made

    def _made(self, prepared: dict[int, Prepared], problems: dict[int, SampleError]) -> dict[int, Row]:
        if not prepared:
            return {}
        texts, embeddings = self.run(list(prepared.values()))
        rows: dict[int, Row] = {}
        for place, text, embedding in zip(prepared, texts, embeddings, strict=True):
            if isinstance(text, SampleError):
                problems[place] = text
            else:
                rows[place] = text, embedding
        return rows

    def _result(self, samples: int, rows: dict[int, Row], problems: dict[int, SampleError]) -> Encoded:
        embeddings = np.full((samples, self.dimension), np.nan, dtype=np.float32)
        for place, (_, row) in rows.items():
            embeddings[place] = row
        texts = tuple(rows[place][0] if place in rows else "" for place in range(samples))
        return Encoded(self.modality, self.backend, self.version, texts, embeddings, problems)


def _short(sample: object) -> str:
    said = repr(sample)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _refusal(encoded: Encoded) -> SampleError:
    """Return the error of a strict call: the first problem in words, and the whole result."""
    place, first = min(encoded.problems.items())
    others = len(encoded.problems) - 1
    more = f" (and {others} more of {len(encoded.texts)})" if others else ""
    error = SampleError(f"sample {place}: {first}{more}")
    error.encoded, error.__cause__ = encoded, first
    return error
