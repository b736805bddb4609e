"""The two things to learn, each as batches, a loss, and figures on held-out seeds."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import MEMORY, TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording, forecast_features, window
from predictors.stgnn.dynamics.recording import RUNNING, USED
from predictors.stgnn.dynamics.task import DynamicsTask
from predictors.stgnn.features import FLOORS
from predictors.stgnn.losses import pinball
from predictors.stgnn.model import ForecastNet, Variant
from predictors.stgnn.task import Task

Array = np.ndarray

USAGE: Final = slice(1, 8)
"""Columns of a history that tell of usage, latency and allocation."""
KNOWN_SHARES: Final = (0.88, 0.06, 0.06)
"""How often everything is known of a zone in training, how often its users alone, and how often only now."""
TARGET_WEIGHTS: Final = (1.2, 2.5, 0.8, 0.8)
"""What an error of each target weighs [choice]: about the inverse root of how far it moves in a minute.

That is 25 % for CPU, 6 % for memory, 57 and 62 % for the others. Weighed alike, memory would hardly be learnt.
"""
_TARGET_FLOORS: Final = FLOORS[1:5]


class ForecastTask(Task[ForecastNet]):
    """Quantiles of demand and latency at every tick up to the horizon; of memory what will be in use."""

    kind: Kind = "forecaster"
    steps = 150
    rate = 8e-3

    def __init__(self, variant: Variant = "full") -> None:
        self.variant: Variant = variant

    @property
    def first_and_last(self) -> tuple[int, int]:
        """From the first tick on, with a horizon after it."""
        return 0, HORIZON

    def build(self) -> ForecastNet:
        """Return a network with random weights."""
        return ForecastNet(self.variant)

    def sample(self, recordings: Sequence[Recording], random: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch in which of some zones users and intents alone are known, as of one that just reported."""
        recording, ticks, worlds = self.pick(recordings, random)
        known = random.choice([0, 1, 2], p=KNOWN_SHARES, size=(len(ticks), len(recording.graph)))
        return self.batch(recording, ticks, worlds, known)

    def batch(self, recording: Recording, ticks: Array, worlds: Array, known: Array | None = None) -> dict[str, Tensor]:
        """Return features and truth; latency weighs nothing once another command is in force.

        Args:
            recording: To take them from.
            ticks: ``[B]``.
            worlds: ``[B]``.
            known: ``[B, Z]``: 0 everything, 1 users and intents, 2 those of the last tick; ``None`` is 0 everywhere.
        """
        values, time_s = window(recording, ticks, worlds)
        if known is not None:
            values[:, known > 0, USAGE] = 0.0
            values[:-1, known == 2] = 0.0
        features, last = forecast_features(values, time_s)
        truth, weights = forecast_truth(recording, ticks, worlds)
        edge_index, edge_weight = union_edges(recording.graph, len(ticks))
        arrays = {
            "features": features, "last": last, "edge_index": edge_index, "edge_weight": edge_weight,
            "truth": np.log(np.maximum(truth, _TARGET_FLOORS)).astype(np.float32), "weights": weights,
            "zones": np.array(len(recording.graph)),
        }  # fmt: skip
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, net: ForecastNet, batch: dict[str, Tensor]) -> Tensor:
        """Return the pinball loss over all ticks and targets, by :data:`TARGET_WEIGHTS`."""
        edges = batch["edge_index"], batch["edge_weight"]
        levels = net.levels(batch["features"], batch["last"], *edges, torch.arange(HORIZON), int(batch["zones"]))
        return pinball(levels, batch["truth"], batch["weights"], torch.tensor(TARGET_WEIGHTS))


def forecast_truth(recording: Recording, ticks: Array, worlds: Array) -> tuple[Array, Array]:
    """Return what came, ``[B Z, 16, 4]`` in units, and weights.

    They are 0 for latency under another command than now, and for the memory of a zone that is down: it holds none,
    but what it needs is not nothing.
    """
    ahead = ticks[:, None] + np.arange(1, HORIZON + 1)
    rows = (ahead, worlds[:, None])
    truth = np.concatenate([recording.demand[rows], recording.latency_ms[rows][..., None]], axis=-1)
    truth[..., MEMORY] = recording.measured[rows][..., USED][..., MEMORY]
    weights = np.ones(truth.shape, dtype=np.float32)
    weights[..., MEMORY] = recording.measured[rows][..., RUNNING]
    weights[..., -1] = recording.commands[rows] == recording.commands[ticks, worlds][:, None]
    shape = (-1, HORIZON, len(TARGETS))
    return truth.swapaxes(1, 2).reshape(shape), weights.swapaxes(1, 2).reshape(shape)


def union_edges(graph: ZoneGraph, worlds: int) -> tuple[Array, Array]:
    """Return ``edge_index [2, E]`` and ``edge_weight [E]`` of the disjoint union of ``worlds`` graphs."""
    edges = graph.edge_index
    shifted = edges[:, None] + len(graph) * np.arange(worlds)[:, None]
    return shifted.reshape(2, -1), np.tile(graph.edge_weight, worlds)


TASKS: Final[dict[Kind, Any]] = {"forecaster": ForecastTask, "dynamics": DynamicsTask}
