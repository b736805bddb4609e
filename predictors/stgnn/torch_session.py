"""The same network by torch: slower for a few zones than ONNX Runtime, but it runs where a GPU is."""

from pathlib import Path

import numpy as np
import torch

from metaverse_env.errors import ConfigurationError
from predictors.stgnn.export import load_forecaster

Array = np.ndarray


class TorchSession:
    """A forecaster's network on a torch device; takes the place of a :class:`~predictors.stgnn.session.Session`.

    Args:
        stem: Path of the network without suffix.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ….

    Raises:
        CheckpointError: The files are missing, damaged, or of another network.
        ConfigurationError: There is no such device.
    """

    def __init__(self, stem: Path, device: str) -> None:
        try:
            self._net = load_forecaster(stem).to(torch.device(device))
        except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
            raise ConfigurationError(
                f"torch has no device {device!r} here ({error}); leave the device out to use ONNX Runtime"
            ) from error
        self._device = device

    @torch.inference_mode()
    def run(self, inputs: dict[str, Array], output: Array) -> None:
        """Run the network from ``inputs`` into ``output``."""
        tensors = {name: torch.from_numpy(array).to(self._device) for name, array in inputs.items()}
        output[...] = self._net(**tensors).cpu().numpy()
