"""What the dynamics learns: the tick that is under way, as batches and a loss."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from predictors.stgnn.card import Kind
from predictors.stgnn.data import Recording
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES, LAGS, dynamics_rows
from predictors.stgnn.dynamics.model import DynamicsNet
from predictors.stgnn.features import EMBEDDING, FLOORS
from predictors.stgnn.losses import gaussian
from predictors.stgnn.task import Task

Array = np.ndarray

_TARGET_FLOORS: Final = FLOORS[1:5]


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


def dynamics_features(recording: Recording, ticks: Array, worlds: Array) -> tuple[Array, Array]:
    """Return features ``[B Z, …]`` and what the targets are relative to, ``[B Z, 4]``, at given ticks from 1 on."""
    shape = (len(ticks), len(recording.graph))
    rings = np.empty((*shape, LAGS, 8), dtype=np.float32)
    means = np.empty((*shape, EMBEDDING), dtype=np.float32)
    features = np.empty((shape[0] * shape[1], len(DYNAMICS_FEATURES)), dtype=np.float32)
    last = np.empty((len(features), 4), dtype=np.float32)
    dynamics_rows(recording.truth, recording.values, ticks, worlds, rings, means, features, last)
    return features, last
