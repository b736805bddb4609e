"""The forecaster's network, in torch: small, because it runs inside every step of an environment.

It follows STID (Shao et al., 2022): a linear projection of the flattened window instead of a recurrence.
"""

from typing import Final

import torch
from torch import Tensor, nn

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import QUANTILES, TARGETS
from predictors.stgnn.features import FORECAST_FEATURES
from predictors.stgnn.messages import ZoneMessages, table_messages

FORECAST_HIDDEN: Final = 48
FORECAST_RANK: Final = 24
MOST_SPREAD: Final = 3.0
"""Bound on a spread in log space: 20-fold from one quantile to the next."""

_SMALL_SPREAD: Final = -3.0
"""Where spreads start, before the sigmoid: at 5 % of the most."""


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
