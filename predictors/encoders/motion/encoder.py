"""The encoder of motions: any layout in, the nearest caption and 128 numbers out."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from predictors.encoders.batched import BATCH_SIZE, BatchedEncoder
from predictors.encoders.cache import EncodingCache
from predictors.encoders.devices import choose_device
from predictors.encoders.motion.frames import features_of
from predictors.encoders.motion.network import DIMENSION
from predictors.encoders.motion.reading import read_motion
from predictors.encoders.motion.weights import Trained, load_weights

if TYPE_CHECKING:
    from predictors.encoders.text.minilm import SentenceEncoder

Array = np.ndarray
Rows = Array
"""Standardised features ``float32 [frames, 89]``."""
BACKENDS: Final = {"kan": "kan", "mlp": "motion-mlp"}
"""Names of the encoder by its layers; only the KAN is in the table of encoders."""


class KanEncoder(BatchedEncoder[Rows]):
    """Motions to captions, by retrieval, and to unit vectors near those of their captions.

    A sample is a path (MMM XML, ``.npy`` of KIT-ML or HumanML3D, DeepMimic), an array of one of those layouts, or a
    :class:`predictors.encoders.motion.skeleton.Motion`.

    Args:
        trained: The network and its captions.
        device: As in :func:`predictors.encoders.devices.choose_device`.
        batch_size: Motions that run together.
        cache: Where encodings stay; without one, nothing is kept.
    """

    modality = "motion"
    backend = BACKENDS["kan"]

    def __init__(
        self, trained: Trained, device: str = "auto", batch_size: int = BATCH_SIZE, cache: EncodingCache | None = None
    ) -> None:
        super().__init__(trained.version, DIMENSION, batch_size, cache)
        self._device = choose_device(device)
        self._net, self._table = trained.net.to(self._device), trained.table.to(self._device)
        self.captions, self.card = trained.captions, trained.card

    @classmethod
    def from_pretrained(cls, where: str | Path | None = None, **options: Any) -> "KanEncoder":
        """Read the weights.

        Args:
            where: A folder that ``metaverse train motion-encoder`` wrote; by default the shipped network.
            options: ``device``, ``batch_size``, ``cache``.

        Raises:
            CheckpointError: They are not there, damaged, a pickle, or another architecture's.
            ConfigurationError, UnknownNameError: An option cannot be honoured.
        """
        return cls(load_weights(where), **options)

    def read(self, sample: object) -> Rows:
        """Read a motion and make features of it."""
        return self._net.ready(*features_of(read_motion(sample)))

    def digest(self, prepared: Rows) -> str:
        """Return the hash of the features."""
        return hashlib.sha256(np.ascontiguousarray(prepared).tobytes()).hexdigest()

    def run(self, batch: Sequence[Rows]) -> tuple[Sequence[str], Array]:
        """Embed motions, and name the caption that is nearest to each."""
        with torch.inference_mode():
            embeddings = self._net(batch)
            nearest = (embeddings @ self._table.T).argmax(dim=1)
        return [self.captions[place] for place in nearest.tolist()], embeddings.cpu().numpy()

    def embed_texts(self, texts: Sequence[str]) -> Array:
        """Return where sentences are among the motions, ``float32 [texts, 128]``, rows of length 1.

        Known captions are looked up; others are read by the language model.

        Raises:
            MissingDependencyError: A sentence is new, and the language model is not installed.
            CheckpointError: Its weights cannot be read.
        """
        known = {caption: place for place, caption in enumerate(self.captions)}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        table = self._table
        if new:
            with torch.inference_mode():
                read = torch.from_numpy(self._language.embed(new)).to(self._device)
                table = torch.cat([table, self._net.sentences(read)])
            known |= {text: len(self.captions) + place for place, text in enumerate(new)}
        return table[[known[text] for text in texts]].cpu().numpy()

    @cached_property
    def _language(self) -> "SentenceEncoder":
        from predictors.encoders.text.minilm import SentenceEncoder  # noqa: PLC0415  # seconds; seldom needed

        return SentenceEncoder.from_pretrained(device=str(self._device))
