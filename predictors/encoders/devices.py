"""Where encoders run, and with which precision: the one place that asks torch for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, get_args

import torch

from metaverse_env.errors import ConfigurationError, UnknownNameError

DeviceName = Literal["auto", "cpu", "cuda"]
DEVICE_NAMES: Final = get_args(DeviceName)


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of a name.

    Args:
        name: ``"auto"`` is a GPU where torch sees one, otherwise the CPU; ``"cpu"``; ``"cuda"``, or one of several
            as ``"cuda:1"``.

    Raises:
        UnknownNameError: It is none of these.
        ConfigurationError: A GPU is asked for that torch does not see.
    """
    kind, _, number = name.partition(":")
    if kind not in DEVICE_NAMES or (number and not (kind == "cuda" and number.isdecimal())):
        raise UnknownNameError("device", name, DEVICE_NAMES)
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "auto":
        return torch.device("cuda" if seen else "cpu")
    if kind == "cuda" and int(number or 0) >= seen:
        raise ConfigurationError(
            f"device {name!r}: torch {torch.__version__} sees {seen} GPUs. Take device='cpu', or install a torch that "
            "is built for the GPU's driver"
        )
    return torch.device(name)


@contextmanager
def mixed_precision(device: torch.device, *, training: bool = False) -> Iterator[None]:
    """Compute matrix products in 16 bits on a GPU; on a CPU, where that is slower and less exact, change nothing.

    Weights stay float32. bfloat16 where the GPU has it, for it has float32's range and overflows no softmax; where it
    has not, float16, but not in training: gradients would vanish in it.
    """
    if device.type != "cuda" or (training and not torch.cuda.is_bf16_supported()):
        yield
        return
    kind = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    with torch.autocast(device.type, dtype=kind):
        yield


@contextmanager
def inference(device: torch.device) -> Iterator[None]:
    """Run a model that is only asked: without gradients, with mixed precision on a GPU."""
    with torch.inference_mode(), mixed_precision(device):
        yield
