"""The two networks, in torch: small, because they run inside every step of an environment.

Both follow STID (Shao et al., 2022): a linear projection of the flattened window instead of a recurrence. Zones of all
worlds of a batch are the rows of one table ``[N, …]``, the disjoint union of their graphs. A graph layer is written
twice, over the same weights: as torch-geometric's message passing, and over a padded table of neighbours ``[N, D]``,
which is what ONNX can hold. Both give the same numbers.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import QUANTILES, RESOURCES, TARGETS
from predictors.stgnn.dynamics_features import DYNAMICS_FEATURES
from predictors.stgnn.features import FORECAST_FEATURES

FORECAST_HIDDEN: Final = 48
FORECAST_RANK: Final = 24
DYNAMICS_HIDDEN: Final = 64
LATENCY_HIDDEN: Final = 40
MOST_SPREAD: Final = 3.0
"""Bound on a spread in log space: 20-fold from one quantile to the next."""

_SMALL_SPREAD: Final = -3.0
"""Where spreads start, before the sigmoid: at 5 % of the most."""


def table_messages(values: Tensor, neighbours: Tensor, weights: Tensor) -> Tensor:
    """Sum what neighbours send.

    Args:
        values: ``[N, H]``.
        neighbours: ``int64 [N, D]``, rows of ``values``; any row where the weight is 0.
        weights: ``[N, D, 1]``.

    Returns:
        ``[N, H]``.
    """
    return (functional.embedding(neighbours, values) * weights).sum(1)


class ZoneMessages(MessagePassing):
    """The same sum by torch-geometric: ``edge_index [2, E]`` from neighbour to zone, ``edge_weight [E]``."""

    def __init__(self) -> None:
        super().__init__(aggr="add")

    def forward(self, values: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Tensor:
        """Return ``[N, H]``."""
        summed: Tensor = self.propagate(edge_index, x=values, weight=edge_weight)
        return summed

    def message(self, x_j: Tensor, weight: Tensor) -> Tensor:  # type: ignore[override]
        """Weigh what a neighbour sends."""
        return weight[:, None] * x_j


class ForecastNet(nn.Module):
    """Quantiles of demand and latency at the ticks ahead, relative to the zone's last values.

    The heads are of low rank: what is shared by all ticks is computed once, and only the ticks asked for are.
    """

    stack: Tensor

    def __init__(self) -> None:
        super().__init__()
        hidden, rank, targets = FORECAST_HIDDEN, FORECAST_RANK, len(TARGETS)
        self.project = nn.Linear(len(FORECAST_FEATURES), hidden)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.basis = nn.Linear(hidden, rank)
        self.heads = nn.Parameter(0.01 * torch.randn(HORIZON, rank, targets * len(QUANTILES)))
        self.bias = nn.Parameter(torch.zeros(HORIZON, 1, targets * len(QUANTILES)))
        with torch.no_grad():
            self.bias[..., targets:] = _SMALL_SPREAD
        self.register_buffer("stack", quantile_stack(), persistent=False)
        self.messages = ZoneMessages()  # type: ignore[abstract]

    def forward(self, features: Tensor, last: Tensor, neighbours: Tensor, weights: Tensor, ticks: Tensor) -> Tensor:
        """Forecast over a table of neighbours.

        Args:
            features: ``[N, features]``, see :data:`~predictors.stgnn.features.FORECAST_FEATURES`.
            last: ``[N, 4]``, levels of the last usage and latency.
            neighbours: ``int64 [N, D]``.
            weights: ``[N, D, 1]``.
            ticks: ``int64 [T]``; 0 is one tick ahead.

        Returns:
            ``[N, T, 12]`` in units: four targets of three quantiles each, ascending.
        """
        hidden = torch.relu(self.project(features))
        return torch.exp(self._decode(hidden, table_messages(hidden, neighbours, weights), last, ticks))

    def levels(self, features: Tensor, last: Tensor, edge_index: Tensor, edge_weight: Tensor, ticks: Tensor) -> Tensor:
        """Return the logarithms of :meth:`forward` by message passing, ``[N, T, 4, 3]``."""
        hidden = torch.relu(self.project(features))
        levels = self._decode(hidden, self.messages(hidden, edge_index, edge_weight), last, ticks)
        return levels.reshape(*levels.shape[:2], len(TARGETS), len(QUANTILES))

    def _decode(self, hidden: Tensor, received: Tensor, last: Tensor, ticks: Tensor) -> Tensor:
        basis = torch.relu(self.basis(torch.relu(self.combine(torch.cat([hidden, received], dim=1)))))
        outputs = basis @ self.heads.index_select(0, ticks) + self.bias.index_select(0, ticks)
        medians, spreads = torch.split(outputs, [len(TARGETS), 2 * len(TARGETS)], dim=2)
        return (torch.cat([medians + last, torch.sigmoid(spreads)], dim=2) @ self.stack).transpose(0, 1)


def quantile_stack() -> Tensor:
    """Return ``[12, 12]``, from medians ``[4]`` and spreads ``[2, 4]`` to quantiles ``[4, 3]``, all flat."""
    targets, quantiles = len(TARGETS), len(QUANTILES)
    stack = torch.zeros(targets, quantiles, targets, quantiles)
    for target in range(targets):
        stack[target, 0, target] = 1.0
        for spread in range(1, quantiles):
            stack[target, spread, target, spread:] = MOST_SPREAD
    return stack.transpose(0, 1).reshape(targets * quantiles, targets * quantiles)


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
