"""Trained networks on disk: numbers in safetensors, and in JSON beside them what they mean. Nothing is unpickled.

``motion_kan.safetensors`` holds the network and the embeddings of the captions; ``motion_kan.json`` its shape, the
features, the captions, where the motions came from, and the command that made it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from metaverse_env.errors import CheckpointError, ConfigurationError
from predictors.encoders.motion.frames import FEATURES, RATE_HZ, WINDOW
from predictors.encoders.motion.network import DIMENSION, MotionNetwork, Shape
from predictors.encoders.motion.samples import SYNTHETIC
from predictors.encoders.training.layout import weights_inside

KIND: Final = "motion-encoder"
SHIPPED: Final = Path(__file__).parents[2] / "weights" / "motion_kan"
"""The shipped network, without a suffix."""
MODEL: Final = "model"
"""Stem of the files in a folder."""
LEARNT_FROM: Final = "learnt_from"
"""In the card: which clips and motions of data sets the network learnt from."""
_TABLE: Final = "captions"
_CODE: Final = 1
"""Of what is computed besides the weights; another number is another version."""
_REMEDY: Final = (
    "Give a folder that 'metaverse train motion-encoder' wrote, or none for the network that comes with the package"
)


class Trained(NamedTuple):
    """A network that was read.

    Attributes:
        net: In evaluation mode.
        captions: Sentences that can be found for a motion.
        table: Their embeddings ``[captions, 128]``.
        card: All that the JSON says.
        version: Of code and weights.
    """

    net: MotionNetwork
    captions: tuple[str, ...]
    table: Tensor
    card: dict[str, Any]
    version: str


def learnt_from(sources: Iterable[str]) -> list[str]:
    """Return the sources of a training that others may meet again: synthetic performers are drawn anew each time.

    >>> learnt_from(["performer 3", "clip walk", "clip run", "clip walk"])
    ['clip run', 'clip walk']
    """
    return sorted({source for source in sources if not source.startswith(SYNTHETIC)})


def save_weights(
    net: MotionNetwork, captions: Sequence[str], table: Tensor, card: Mapping[str, Any], stem: Path
) -> None:
    """Write ``stem.safetensors`` and ``stem.json``."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    save_file({**tensors, _TABLE: table.contiguous()}, stem.with_suffix(".safetensors"))
    told = {**_contract(net.shape), **card, "captions": list(captions)}
    stem.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def load_weights(where: str | Path | None = None) -> Trained:
    """Read a network.

    Args:
        where: A folder of ``metaverse train motion-encoder``; by default the shipped network.

    Raises:
        CheckpointError: It is not there, damaged, a pickle, or another architecture's.
    """
    stem = SHIPPED if where is None else Path(where).expanduser() / MODEL
    card = _card(stem)
    path = stem.with_suffix(".safetensors")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dictionary
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}. {_REMEDY}") from error
    net, table = _network(card, tensors, path)
    return Trained(net, tuple(card["captions"]), table, card, f"{_CODE}-{digest}")


def _contract(shape: Shape) -> dict[str, Any]:
    """Return what must be the same where a network is read and where it was made."""
    return {
        "kind": KIND,
        "shape": vars(shape),
        "dimension": DIMENSION,
        "rate_hz": RATE_HZ,
        "window_frames": WINDOW,
        "features": list(FEATURES),
    }


def _card(stem: Path) -> dict[str, Any]:
    path = stem.with_suffix(".json")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"there is no motion encoder in {stem.parent}: {path.name} is not there"
            f"{weights_inside(stem.parent, path.name)}. {_REMEDY}"
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON: {error}. {_REMEDY}") from error
    if not isinstance(card, dict) or card.get("kind") != KIND:
        found = card.get("kind") if isinstance(card, dict) else None
        raise CheckpointError(f"{path} describes {found!r}, not {KIND!r}. {_REMEDY}")
    return card


def _network(card: Mapping[str, Any], tensors: dict[str, Tensor], path: Path) -> tuple[MotionNetwork, Tensor]:
    """Build the network that a card describes, and fill it; all must fit."""
    try:
        shape = Shape(**card["shape"])
        expected = _contract(shape)
        different = [name for name, value in expected.items() if card.get(name) != value]
        if different:
            raise CheckpointError(f"{path}: {', '.join(different)} are not what this version computes. {_REMEDY}")
        net, table = MotionNetwork(shape), tensors.pop(_TABLE)
        net.load_state_dict(tensors)
    except (TypeError, KeyError, RuntimeError, ConfigurationError) as error:
        said = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} is another architecture's: {said}. {_REMEDY}") from error
    captions = card.get("captions")
    if not isinstance(captions, list) or table.shape != (len(captions), DIMENSION):
        raise CheckpointError(f"{path}: the table of captions has the shape {list(table.shape)}. {_REMEDY}")
    if not all(torch.isfinite(tensor).all() for tensor in (table, *tensors.values())):
        raise CheckpointError(f"{path} holds numbers that are not finite. {_REMEDY}")
    return net.eval(), table
