"""The two things to learn, each as batches, a loss, and figures on held-out seeds."""

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import MEMORY, TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording, forecast_features, window
from predictors.stgnn.dynamics.task import DynamicsTask
from predictors.stgnn.features import FLOORS
from predictors.stgnn.losses import pinball
from predictors.stgnn.model import ForecastNet, Variant
from predictors.stgnn.task import Task

Array = np.ndarray

_TARGET_FLOORS: Final = FLOORS[1:5]


class ForecastTask(Task[ForecastNet]):
    """Quantiles of demand and latency at every tick up to the horizon; of memory what will be in use."""

    kind: Kind = "forecaster"
    steps = 150

    def __init__(self, variant: Variant = "full") -> None:
        self.variant = variant

    @property
    def first_and_last(self) -> tuple[int, int]:
        """From the first tick on, with a horizon after it."""
        return 0, HORIZON

    def build(self) -> ForecastNet:
        """Return a network with random weights."""
        return ForecastNet(self.variant)

    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> dict[str, Tensor]:
        """Return features and truth; latency weighs nothing once another command is in force."""
        features, last = forecast_features(*window(recording, ticks, worlds))
        truth, weights = forecast_truth(recording, ticks, worlds)
        edge_index, edge_weight = union_edges(recording.graph, len(ticks))
        arrays = {
            "features": features, "last": last, "edge_index": edge_index, "edge_weight": edge_weight,
            "truth": np.log(np.maximum(truth, _TARGET_FLOORS)).astype(np.float32), "weights": weights,
            "zones": np.array(len(recording.graph)),
        }  # fmt: skip
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, net: ForecastNet, batch: dict[str, Tensor]) -> Tensor:
        """Return the pinball loss over all ticks and targets."""
        edges = batch["edge_index"], batch["edge_weight"]
        levels = net.levels(batch["features"], batch["last"], *edges, torch.arange(HORIZON), int(batch["zones"]))
        return pinball(levels, batch["truth"], batch["weights"])


def forecast_truth(recording: Recording, ticks: Array, worlds: Array) -> tuple[Array, Array]:
    """Return what came, ``[B Z, 16, 4]`` in units, and weights.

    They are 0 for latency under another command than now, and for the memory of a zone that is down: it holds none,
    but what it needs is not nothing.
    """
    ahead = ticks[:, None] + np.arange(1, HORIZON + 1)
    rows = (ahead, worlds[:, None])
    truth = recording.truth[rows][..., 1:5]
    weights = np.ones(truth.shape, dtype=np.float32)
    weights[..., MEMORY] = ~recording.down[rows]
    weights[..., -1] = recording.commands[rows] == recording.commands[ticks, worlds][:, None]
    shape = (-1, HORIZON, len(TARGETS))
    return truth.swapaxes(1, 2).reshape(shape), weights.swapaxes(1, 2).reshape(shape)


def union_edges(graph: ZoneGraph, worlds: int) -> tuple[Array, Array]:
    """Return ``edge_index [2, E]`` and ``edge_weight [E]`` of the disjoint union of ``worlds`` graphs."""
    edges = graph.edge_index
    shifted = edges[:, None] + len(graph) * np.arange(worlds)[:, None]
    return shifted.reshape(2, -1), np.tile(graph.edge_weight, worlds)


TASKS: Final[dict[Kind, Any]] = {"forecaster": ForecastTask, "dynamics": DynamicsTask}
