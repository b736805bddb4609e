"""The two things to learn, each as batches, a loss, and figures on held-out seeds."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording, dynamics_features, forecast_features, window
from predictors.stgnn.features import FLOORS
from predictors.stgnn.losses import gaussian, pinball
from predictors.stgnn.model import DynamicsNet, ForecastNet

Array = np.ndarray
Net = TypeVar("Net", bound=nn.Module)

BATCH_ZONES: Final = 2048
_TARGET_FLOORS: Final = FLOORS[1:5]


class Task(ABC, Generic[Net]):
    """What to learn from recordings: its ``kind``, and how many ``steps`` make an epoch."""

    kind: Kind
    steps: int

    @abstractmethod
    def build(self) -> Net:
        """Return a network with random weights."""

    @abstractmethod
    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> dict[str, Tensor]:
        """Return what the loss needs, at some ticks of some worlds."""

    @abstractmethod
    def loss(self, net: Net, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch."""

    @property
    @abstractmethod
    def first_and_last(self) -> tuple[int, int]:
        """Return the first tick that can be learnt from, and how many must come after it."""

    def sample(self, recordings: Sequence[Recording], random: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch of about :data:`BATCH_ZONES` zones of one recording, the larger ones more often."""
        sizes = np.array([recording.latency_ms.size for recording in recordings], dtype=float)
        recording = recordings[random.choice(len(recordings), p=sizes / sizes.sum())]
        count = max(1, BATCH_ZONES // len(recording.graph))
        first, after = self.first_and_last
        ticks = random.integers(first, len(recording.values) - after, size=count)
        return self.batch(recording, ticks, random.integers(0, recording.values.shape[1], size=count))


class ForecastTask(Task[ForecastNet]):
    """Quantiles of demand and latency at every tick up to the horizon."""

    kind: Kind = "forecaster"
    steps = 150

    @property
    def first_and_last(self) -> tuple[int, int]:
        """From the first tick on, with a horizon after it."""
        return 0, HORIZON

    def build(self) -> ForecastNet:
        """Return a network with random weights."""
        return ForecastNet()

    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> dict[str, Tensor]:
        """Return features and truth; latency weighs nothing once another command is in force."""
        features, last = forecast_features(*window(recording, ticks, worlds))
        truth, weights = forecast_truth(recording, ticks, worlds)
        edge_index, edge_weight = union_edges(recording.graph, len(ticks))
        arrays = {
            "features": features, "last": last, "edge_index": edge_index, "edge_weight": edge_weight,
            "truth": np.log(np.maximum(truth, _TARGET_FLOORS)).astype(np.float32), "weights": weights,
        }  # fmt: skip
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, net: ForecastNet, batch: dict[str, Tensor]) -> Tensor:
        """Return the pinball loss over all ticks and targets."""
        edges = batch["edge_index"], batch["edge_weight"]
        levels = net.levels(batch["features"], batch["last"], *edges, torch.arange(HORIZON))
        return pinball(levels, batch["truth"], batch["weights"])


def forecast_truth(recording: Recording, ticks: Array, worlds: Array) -> tuple[Array, Array]:
    """Return what came, ``[B Z, 16, 4]`` in units, and weights: 0 for latency under another command than now."""
    ahead = ticks[:, None] + np.arange(1, HORIZON + 1)
    rows = (ahead, worlds[:, None])
    truth = np.concatenate([recording.demand[rows], recording.latency_ms[rows][..., None]], axis=-1)
    weights = np.ones(truth.shape, dtype=np.float32)
    weights[..., -1] = recording.commands[rows] == recording.commands[ticks, worlds][:, None]
    shape = (-1, HORIZON, len(TARGETS))
    return truth.swapaxes(1, 2).reshape(shape), weights.swapaxes(1, 2).reshape(shape)


def union_edges(graph: ZoneGraph, worlds: int) -> tuple[Array, Array]:
    """Return ``edge_index [2, E]`` and ``edge_weight [E]`` of the disjoint union of ``worlds`` graphs."""
    edges = graph.edge_index
    shifted = edges[:, None] + len(graph) * np.arange(worlds)[:, None]
    return shifted.reshape(2, -1), np.tile(graph.edge_weight, worlds)


class DynamicsTask(Task[DynamicsNet]):
    """The tick that is under way: demand from people and history, latency from the load that came of it."""

    kind: Kind = "dynamics"
    steps = 300

    @property
    def first_and_last(self) -> tuple[int, int]:
        """From the second tick on."""
        return 1, 0

    def build(self) -> DynamicsNet:
        """Return a network with random weights."""
        return DynamicsNet()

    def batch(self, recording: Recording, ticks: Array, worlds: Array) -> dict[str, Tensor]:
        """Return features, load and truth; latency weighs nothing while a zone is down, since rules say what it is."""
        features, last = dynamics_features(recording, ticks, worlds)
        now = recording.truth[ticks, worlds].reshape(-1, 8)
        truth, load = now[:, 1:5], now[:, 5:]
        weights = np.ones(truth.shape, dtype=np.float32)
        weights[:, -1] = ~recording.down[ticks, worlds].reshape(-1)
        arrays = {
            "features": features, "last": last, "weights": weights,
            "load": np.log(load + np.float32(1e-6)),
            "truth": np.log(np.maximum(truth, _TARGET_FLOORS)).astype(np.float32),
        }  # fmt: skip
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, net: DynamicsNet, batch: dict[str, Tensor]) -> Tensor:
        """Return the negative log-likelihood of demand and latency."""
        median, spread = self.predict(net, batch)
        return gaussian(median, spread, batch["truth"], batch["weights"])

    def predict(self, net: DynamicsNet, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return medians and spreads ``[N, 4]`` of the logs, latency under the true load."""
        medians, spreads, bend = net.split(batch["features"], batch["last"])
        latency, spread = net.latency(medians[:, 3:], spreads[:, 3:], bend, batch["load"])
        demand_spreads = torch.sigmoid(spreads[:, :3])
        return torch.cat([medians[:, :3], latency], dim=1), torch.cat([demand_spreads, spread], dim=1)


TASKS: Final[dict[Kind, Any]] = {"forecaster": ForecastTask, "dynamics": DynamicsTask}
