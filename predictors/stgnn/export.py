"""From a trained network to the three files that are shipped: ONNX, safetensors and card."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import onnx
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.export import Dim

from metaverse_env.errors import CheckpointError
from predictors.stgnn.card import Card, read_card, write_card
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES
from predictors.stgnn.features import FORECAST_FEATURES
from predictors.stgnn.model import ForecastNet

_TABLES: Final = ("neighbours", "weights", "shares")
"""Inputs that have a column per neighbour."""


def export(net: nn.Module, card: Card, stem: Path) -> None:
    """Write ``stem.onnx``, ``stem.safetensors`` and ``stem.json``; the folder is made if absent."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    net = net.eval()
    _export_onnx(net, stem.with_suffix(".onnx"))
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    save_file(tensors, stem.with_suffix(".safetensors"), metadata={"kind": card.kind})
    stem.with_suffix(".safetensors").chmod(0o644)
    write_card(card, stem)


def load_forecaster(stem: Path) -> ForecastNet:
    """Return the torch network of a forecaster's files.

    Raises:
        CheckpointError: They are missing, damaged, or of another network.
    """
    read_card(stem, "forecaster")
    net = ForecastNet()
    try:
        net.load_state_dict(load_file(stem.with_suffix(".safetensors")))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"{stem}.safetensors is not the forecaster that its card describes ({error})") from error
    return net.eval()


def example_inputs(net: nn.Module, zones: int = 5, degree: int = 3) -> dict[str, Tensor]:
    """Return inputs of the right names, types and shapes for a network, drawn at random."""
    table = {"neighbours": torch.randint(0, zones, (zones, degree))}
    if isinstance(net, ForecastNet):
        return table | {
            "features": torch.randn(zones, len(FORECAST_FEATURES)), "last": torch.randn(zones, 4),
            "weights": torch.rand(zones, degree, 1), "ticks": torch.tensor([0, 3, 7, 15]),
        }  # fmt: skip
    return table | {
        "features": torch.randn(zones, len(DYNAMICS_FEATURES)), "users": 50.0 * torch.rand(zones, 1),
        "allocation": torch.randn(zones, 3), "waiting": 50.0 * torch.rand(zones, 1),
        "shares": torch.rand(zones, degree, 1), "noise": torch.randn(zones, 5),
    }  # fmt: skip


def _export_onnx(net: nn.Module, path: Path) -> None:
    """Write the ONNX file, with the number of zones, of neighbours and of ticks left open."""
    inputs = example_inputs(net)
    rows, degree, ticks = Dim("N"), Dim("D"), Dim("T")
    shapes = {name: {0: rows, 1: degree} if name in _TABLES else {0: rows} for name in inputs}
    shapes |= {"ticks": {0: ticks}} if "ticks" in inputs else {}
    with quiet():
        torch.onnx.export(
            net,
            kwargs=inputs,
            f=str(path),
            dynamo=True,
            dynamic_shapes=shapes,
            output_names=["values"],
            external_data=False,
            verbose=False,
        )
    forget_origin(path)


def forget_origin(path: Path) -> None:
    """Strip what the exporter notes about the code of each operator: it names folders of the machine that trained."""
    model = onnx.load(path)
    for node in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    onnx.save(model, path)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's notes about optional packages and its own internals from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
