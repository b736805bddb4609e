"""BLIP: an image to a caption and to the vision model's pooled output [Li et al., 2022, arXiv:2201.12086].

The same class reads ``Salesforce/blip-image-captioning-base`` from the model hub, a folder that holds it or one that
was fine-tuned, and ``"tiny"``, a network of 0.5 million weights that comes with this package and **knows nine captions
by heart**: it shows that everything works, and describes no other image.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BlipForConditionalGeneration, BlipProcessor

from metaverse_env.errors import ConfigurationError
from predictors.encoders.batched import BATCH_SIZE
from predictors.encoders.cache import EncodingCache
from predictors.encoders.checkpoints import Source, load_model, place_of, reading
from predictors.encoders.devices import choose_device, inference
from predictors.encoders.hashing import weights_hash
from predictors.encoders.image.pixels import ImageEncoder

Array = np.ndarray

TINY: Final = "tiny"
"""The name of the network that comes with this package."""
TINY_FOLDER: Final = Path(__file__).parents[2] / "weights" / "blip_tiny"
MAX_NEW_TOKENS: Final = 30
"""Of a caption [choice]; COCO's captions, which the real checkpoint learnt, have some 12."""
SOURCE: Final = Source(
    "blip",
    "blip",
    "Salesforce/blip-image-captioning-base",
    "The backend efficientnet needs no model hub (labels instead of captions)",
)
_CODE: Final = 1


class BlipEncoder(ImageEncoder):
    """Images to captions (greedy decoding) and embeddings, ``float32 [hidden size]``: 768 of the real checkpoint.

    Args:
        model: A ``BlipForConditionalGeneration`` in evaluation mode.
        processor: A ``BlipProcessor``, of the same checkpoint.
        device: As in :func:`predictors.encoders.devices.choose_device`.
        batch_size: Images that are encoded together.
        cache: Where encodings stay.
        max_new_tokens: A caption is cut off after so many.

    Raises:
        ConfigurationError: A number is out of range, or the device is not there.
    """

    backend: ClassVar[str] = "blip"

    def __init__(
        self,
        model: Any,
        processor: Any,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> None:
        longest = int(model.config.text_config.max_position_embeddings) - 1
        if not 1 <= max_new_tokens <= longest:
            raise ConfigurationError(f"max_new_tokens is {max_new_tokens}; give 1 to {longest}, the model's limit")
        self._device = choose_device(device)
        self._processor, self._max_new_tokens = processor, max_new_tokens
        settings = processor.image_processor.to_dict()
        version = f"{_CODE}-{weights_hash(model, sorted(settings.items(), key=str), max_new_tokens)}"
        super().__init__(version, int(model.config.vision_config.hidden_size), batch_size, cache)
        self._model = model.to(self._device)

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path | None = None,
        *,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        local_files_only: bool = False,
    ) -> "BlipEncoder":
        """Read the weights.

        Args:
            where: A folder or hub name; ``"tiny"`` for the network that knows nine captions by heart; by default
                ``Salesforce/blip-image-captioning-base``.
            device: As of the class.
            batch_size: As of the class.
            cache: As of the class.
            max_new_tokens: As of the class.
            local_files_only: Whether to ask no hub.

        Raises:
            CheckpointError: The weights cannot be read or are another model's.
            ConfigurationError: As of the class.
        """
        model, processor = load_blip(where, local_files_only=local_files_only)
        return cls(model, processor, device, batch_size, cache, max_new_tokens)

    def pixels(self, image: Array) -> Array:
        """Resize and scale an image as the checkpoint's processor says."""
        return pixels_of(self._processor, image)

    def run(self, batch: Sequence[Array]) -> tuple[Sequence[str], Array]:
        """Caption a batch; the vision model runs once for text and embedding."""
        values = torch.from_numpy(np.stack(batch)).to(self._device)
        with inference(self._device), _pooled(self._model.vision_model) as pooled:
            tokens = self._model.generate(
                pixel_values=values, max_new_tokens=self._max_new_tokens, do_sample=False, num_beams=1
            )
        captions = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return [caption.strip() for caption in captions], pooled[0].float().cpu().numpy()


def load_blip(where: str | Path | None, *, local_files_only: bool = False) -> tuple[Any, Any]:
    """Return model and processor; see :meth:`BlipEncoder.from_pretrained`.

    Raises:
        CheckpointError: They cannot be read or are another model's.
    """
    place = str(TINY_FOLDER) if where == TINY else place_of(SOURCE, where)
    model = load_model(BlipForConditionalGeneration, SOURCE, place, local_files_only=local_files_only)
    with reading(SOURCE, place, local_files_only=local_files_only):
        processor = BlipProcessor.from_pretrained(place, local_files_only=local_files_only, backend="pil")
    return model, processor


def pixels_of(processor: Any, image: Array) -> Array:
    """Return ``float32 [3, height, width]`` of ``uint8 [H, W, 3]`` as a checkpoint's processor makes it.

    Which axis is that of the colours is said, for it would be guessed from the shape, wrongly if the image is 3 high.
    """
    made = processor.image_processor(images=[image], input_data_format="channels_last", return_tensors="np")
    pixels: Array = np.ascontiguousarray(made["pixel_values"][0], dtype=np.float32)
    return pixels


@contextmanager
def _pooled(vision: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the pooled output of a vision model each time it runs."""
    collected: list[Tensor] = []
    hook = vision.register_forward_hook(lambda module, given, made: collected.append(made.pooler_output))
    try:
        yield collected
    finally:
        hook.remove()
