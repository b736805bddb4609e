"""Checkpoints of a training: tensors and a note in one safetensors file, replaced in one go, read without pickle."""

import json
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from metaverse_env.errors import CheckpointError

CHECKPOINT: Final = "checkpoint.safetensors"
"""Its name in the folder of a run."""

Tensors = dict[str, Tensor]


def write_checkpoint(folder: Path, tensors: Tensors, note: dict[str, Any]) -> None:
    """Write the checkpoint of a folder so that an interruption leaves the old one or the new one."""
    fresh = folder / f"{CHECKPOINT}.new"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, fresh, {"note": json.dumps(note)})
    fresh.replace(folder / CHECKPOINT)


def read_checkpoint(folder: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read the checkpoint of a folder.

    Raises:
        CheckpointError: There is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    try:
        with safe_open(path, framework="pt") as file:
            note: dict[str, Any] = json.loads(file.metadata()["note"])
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118  # it is no dictionary
    except FileNotFoundError as error:
        raise CheckpointError(f"nothing to resume, for there is no {path}; leave --resume out") from error
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); train again without --resume") from error


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    """Return tensors under longer names."""
    return {f"{prefix}{name}": tensor.detach() for name, tensor in tensors.items()}


def part(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors whose names begin so, under the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def optimiser_tensors(optimiser: Any) -> Tensors:
    """Return the state of an optimiser as tensors, ``optimiser.NUMBER.NAME``."""
    state = optimiser.state_dict()["state"]
    return {f"optimiser.{number}.{name}": tensor for number, one in state.items() for name, tensor in one.items()}


def load_optimiser(optimiser: Any, tensors: Tensors) -> None:
    """Put the state of an optimiser back; what else it holds stays as it is."""
    state: dict[int, Tensors] = {}
    for name, tensor in part(tensors, "optimiser.").items():
        number, field = name.split(".")
        state.setdefault(int(number), {})[field] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
