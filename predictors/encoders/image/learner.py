"""How BLIP learns captions: the learner behind ``metaverse train image-encoder``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from metaverse_env.errors import ConfigurationError, SampleError
from predictors.encoders.checkpoints import save_checkpoint
from predictors.encoders.image.blip import MAX_NEW_TOKENS, pixels_of
from predictors.encoders.image.captions import CaptionSet
from predictors.encoders.image.evaluation import evaluate_captions
from predictors.encoders.image.reading import read_image

Array = np.ndarray

_HELD_BYTES: Final = 500_000_000
"""Of images as the model takes them that stay in memory [choice]: some 280 of the real checkpoint's size."""
_BATCH: Final = 16
"""Held-out images that are judged together [choice]."""
_IGNORED: Final = -100
"""In place of a token that no loss is taken of."""
_FEWEST_DRAWS: Final = 2
"""Of the bootstrap, whose interval is not looked at here."""


class CaptionLearner:
    """A :class:`~predictors.encoders.training.learner.Learner` of captions.

    Args:
        model: A ``BlipForConditionalGeneration``.
        processor: Of the same checkpoint.
        training: To learn from.
        validation: To judge by: mean loss, BLEU and ROUGE-L.
        start: What the weights were before, in words and hashes.
    """

    kind = "image-encoder"
    watched = "loss"
    words: Mapping[str, str] = {"bleu": "BLEU, 0 to 100", "rouge_l": "ROUGE-L, 0 to 100"}

    def __init__(self, model: Any, processor: Any, training: CaptionSet, validation: CaptionSet, start: str) -> None:
        self.net, self._processor = model, processor
        self._training, self._validation = training, validation
        self.size = len(training)
        self.data = (
            f"{len(training)} images of {training.name} ({training.digest}), judged by {len(validation)} of "
            f"{validation.name} ({validation.digest}), from {start}"
        )
        self._held: dict[Path, Array] = {}
        self._held_bytes = 0

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        """Return the mean loss over the tokens of one caption of each image, drawn where there are several."""
        images = [self._training.images[place] for place in places]
        captions = [image.captions[int(random.integers(len(image.captions)))] for image in images]
        return self._loss([image.path for image in images], captions)

    def validate(self) -> Mapping[str, float]:
        """Return ``loss`` (mean over the images, of the first caption), ``bleu`` and ``rouge_l`` (0 to 100)."""
        images, losses, texts = self._validation.images, [], []
        for first in range(0, len(images), _BATCH):
            part = images[first : first + _BATCH]
            loss = self._loss([image.path for image in part], [image.captions[0] for image in part])
            losses.append(float(loss) * len(part))
            texts += self._captions([image.path for image in part])
        bleu, rouge = evaluate_captions([image.captions for image in images], texts, draws=_FEWEST_DRAWS)
        return {"loss": sum(losses) / len(images), "bleu": bleu["value"], "rouge_l": rouge["value"]}

    def save(self, folder: Path) -> None:
        """Write weights, configuration and processor as transformers does."""
        save_checkpoint(folder, self.net, self._processor)

    def _loss(self, paths: Sequence[Path], captions: Sequence[str]) -> Tensor:
        text_config = self.net.config.text_config
        tokens = self._processor.tokenizer(
            list(captions),
            padding=True,
            truncation=True,
            max_length=text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self.net.device)
        tokens["input_ids"][:, 0] = text_config.bos_token_id
        labels = tokens["input_ids"].masked_fill(tokens["attention_mask"] == 0, _IGNORED)
        made = self.net(
            pixel_values=self._pixels(paths),
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            labels=labels,
        )
        loss: Tensor = made.loss
        return loss

    def _captions(self, paths: Sequence[Path]) -> list[str]:
        longest = min(MAX_NEW_TOKENS, self.net.config.text_config.max_position_embeddings - 1)
        tokens = self.net.generate(
            pixel_values=self._pixels(paths), max_new_tokens=longest, do_sample=False, num_beams=1
        )
        return [text.strip() for text in self._processor.batch_decode(tokens, skip_special_tokens=True)]

    def _pixels(self, paths: Sequence[Path]) -> Tensor:
        return torch.from_numpy(np.stack([self._image(path) for path in paths])).to(self.net.device)

    def _image(self, path: Path) -> Array:
        """Return an image as the model takes it; as many as fit stay in memory.

        Raises:
            ConfigurationError: It cannot be read.
        """
        if path in self._held:
            return self._held[path]
        try:
            pixels = pixels_of(self._processor, read_image(path))
        except SampleError as error:
            raise ConfigurationError(f"an image to learn from: {error}. Mend it or take it off the list") from error
        if self._held_bytes + pixels.nbytes <= _HELD_BYTES:
            self._held[path] = pixels
            self._held_bytes += pixels.nbytes
        return pixels
