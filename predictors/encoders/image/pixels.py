"""What image encoders share: an image is decoded and brought to the model's size at once; one at a time is large."""

import hashlib
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from predictors.encoders.batched import BatchedEncoder
from predictors.encoders.image.reading import read_image

Array = np.ndarray


class ImageEncoder(BatchedEncoder[Array]):
    """An encoder of images, which says how one becomes what its model takes."""

    modality: ClassVar[str] = "image"

    @abstractmethod
    def pixels(self, image: Array) -> Array:
        """Return ``float32 [3, height, width]`` as the model takes it, from ``uint8 [H, W, 3]``."""

    def read(self, sample: object) -> Array:
        """Decode an image and bring it to the model's size; see :func:`.reading.read_image`."""
        return self.pixels(read_image(sample))

    def digest(self, prepared: Array) -> str:
        """Return a hash of what the model sees."""
        return hashlib.sha256(f"{prepared.dtype} {prepared.shape}".encode() + prepared.tobytes()).hexdigest()
