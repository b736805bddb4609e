"""The network of the learned dynamics, in torch: small, because it runs inside every step of an environment."""

from typing import Final

import torch
from torch import Tensor, nn

from metaverse_env.units import RESOURCES, TARGETS
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES
from predictors.stgnn.messages import table_messages

DYNAMICS_HIDDEN: Final = 64
LATENCY_HIDDEN: Final = 40
_SMALL_SPREAD: Final = -3.0
"""Where spreads start, before the sigmoid: at 5 % of the most."""


class DynamicsNet(nn.Module):
    """Demand and latency of the tick that is under way, as samples.

    Demand follows from people and history alone. It is then passed along the graph by the hand-over shares to where it
    is served. Latency sees what that is over the allocation only through weights that are positive, so its median never
    rises when an allocation grows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(len(DYNAMICS_FEATURES), DYNAMICS_HIDDEN)
        self.heads = nn.Linear(DYNAMICS_HIDDEN, 2 * len(TARGETS) + LATENCY_HIDDEN)
        self.load = nn.Parameter(1.0 + torch.randn(len(RESOURCES), LATENCY_HIDDEN))
        self.rise = nn.Parameter(torch.full((LATENCY_HIDDEN, 1), -1.5))
        self.latency_spread = nn.Parameter(torch.zeros(LATENCY_HIDDEN, 1))
        with torch.no_grad():
            self.heads.weight[: 2 * len(TARGETS)] *= 0.1
            self.heads.bias[len(TARGETS) : 2 * len(TARGETS)] = _SMALL_SPREAD

    def forward(
        self, features: Tensor, last: Tensor, allocation: Tensor, neighbours: Tensor, stays: Tensor, comes: Tensor,
        demand_noise: Tensor, latency_noise: Tensor,
    ) -> Tensor:  # fmt: skip
        """Sample a tick.

        Args:
            features: ``[N, features]``, see :data:`~predictors.stgnn.features.DYNAMICS_FEATURES`.
            last: ``[N, 4]``, levels of the last demand and of quiet latency.
            allocation: ``[N, 3]``, levels of the present allocation.
            neighbours: ``int64 [N, D]``.
            stays: ``[N, 1]``, share of its own demand that a zone serves.
            comes: ``[N, D, 1]``, share of each neighbour's demand that it serves.
            demand_noise: ``[N, 3]``, standard normal.
            latency_noise: ``[N, 1]``, standard normal.

        Returns:
            ``[N, 4]``: demand of the zone's users (cores, MB, Mbps) and p95 latency, ms.
        """
        medians, spreads, bend = self.split(features, last)
        demand_median, latency_base = torch.split(medians, [len(RESOURCES), 1], dim=1)
        demand_spread, spread_base = torch.split(spreads, [len(RESOURCES), 1], dim=1)
        demand = torch.exp(demand_median + torch.sigmoid(demand_spread) * demand_noise)
        served = stays * demand + table_messages(demand, neighbours, comes)
        latency, spread = self.latency(latency_base, spread_base, bend, torch.log(served) - allocation)
        return torch.cat([demand, torch.exp(latency + spread * latency_noise)], dim=1)

    def split(self, features: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what medians and spreads of the logs start from, ``[N, 4]``, and what bends latency, ``[N, K]``."""
        sizes = [len(TARGETS), len(TARGETS), LATENCY_HIDDEN]
        medians, spreads, bend = torch.split(self.heads(torch.relu(self.encode(features))), sizes, dim=1)
        return medians + last, spreads, bend

    def latency(self, median: Tensor, spread: Tensor, bend: Tensor, load: Tensor) -> tuple[Tensor, Tensor]:
        """Return median and spread ``[N, 1]`` of log latency under a log load ``[N, 3]``."""
        shape = torch.sigmoid(bend + load @ torch.exp(self.load))
        parts = shape @ torch.cat([torch.exp(self.rise), self.latency_spread], dim=1)
        rise, widening = torch.split(parts, 1, dim=1)
        return median + rise, torch.sigmoid(spread + widening)
