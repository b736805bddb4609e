"""Weights of a folder from a pickle to safetensors, once, without running what the pickle may hold.

Some repositories of the model hub, that of BLIP's base checkpoint among them, hold only ``pytorch_model.bin``. Encoders
read no pickle. This reads it with torch's restricted unpickler, which makes tensors and nothing else, and writes
``model.safetensors`` beside it.

Command: ``python -m predictors.encoders.convert FOLDER``.
"""

import argparse
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from metaverse_env.cli import WRONG_USAGE
from metaverse_env.errors import CheckpointError, MetaverseError

PICKLE: Final = "pytorch_model.bin"
SAFE: Final = "model.safetensors"
_DAMAGE: Final = (
    pickle.UnpicklingError, RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError, AssertionError,
)  # fmt: skip
"""What torch raises about files that hold something else [M]."""
COMMAND: Final = "python -m predictors.encoders.convert"


def convert(folder: Path) -> Path:
    """Write ``model.safetensors`` beside ``pytorch_model.bin``.

    Returns:
        What was written.

    Raises:
        CheckpointError: There is no such file, it holds something else than weights, or safetensors are there already.
    """
    source, made = folder / PICKLE, folder / SAFE
    if made.exists():
        raise CheckpointError(f"{made} is there already; the folder can be read as it is")
    weights = _weights(source)
    fresh = folder / f"{SAFE}.new"
    # weights that go by two names are written twice: safetensors knows no names for the same memory
    save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, fresh, {"format": "pt"})
    fresh.replace(made)
    return made


def _weights(source: Path) -> dict[str, Tensor]:
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{source}: cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise CheckpointError(
            f"{source}: holds something else than weights, which is not run, or is damaged ({type(error).__name__})"
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(tensor, Tensor) for tensor in loaded.values()):
        raise CheckpointError(f"{source}: holds something else than weights by their names")
    return loaded


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert from the command line; return 0 when done and 2 where the folder does not allow it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=f"Write {SAFE} beside {PICKLE}, without running it.")
    parser.add_argument("folder", type=Path, help=f"holds {PICKLE}")
    try:
        made = convert(parser.parse_args(arguments).folder)
    except MetaverseError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return WRONG_USAGE
    print(f"{made}: {made.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
