"""The forecaster's network, in torch: small, because it runs inside every step of an environment.

It follows STID (Shao et al., 2022): a linear projection of the flattened window instead of a recurrence.
"""

import math
from typing import Final, Literal, cast

import torch
from torch import Tensor, nn

from metaverse_env.forecasters import HORIZON
from metaverse_env.units import QUANTILES, TARGETS
from predictors.stgnn.features import FORECAST_FEATURES, INTENT_COLUMNS
from predictors.stgnn.messages import ZoneMessages, table_messages

FORECAST_HIDDEN: Final = 64
FORECAST_RANK: Final = 24
SKIP_RANK: Final = 16
"""Of the linear skip, which shares the heads."""
BARE_RANK: Final = 8
"""Of what is said of a zone whose usage is not known; it shares the heads too."""
MOST_LATENCY_MS: Final = 2000.0
"""Where a forecast of latency ends [M]: what a zone that serves nobody shows, in all worlds that were learnt from."""
MOST_SPREAD: Final = 3.0
"""Bound on a spread in log space: 20-fold from one quantile to the next."""

Variant = Literal["full", "no_graph", "learned_graph", "no_intents"]
"""The network, and what is left of it without one of its parts."""

_SMALL_SPREAD: Final = -3.0
"""Where spreads start, before the sigmoid: at 5 % of the most."""


class ForecastNet(nn.Module):
    """Quantiles of demand and latency at the ticks ahead, relative to the zone's last values.

    Heads and linear skip are of low rank: what is shared by all ticks is computed once, and only the ticks asked for
    are. It learns from many layouts, so its zones have no identity: every one is unknown, and any number will do.

    Args:
        variant: ``"full"`` hears the neighbours along the given graph. ``"no_graph"`` hears nobody; ``"learned_graph"``
            hears all zones of its world, weighed by what they say; ``"no_intents"`` is not shown intents.
    """

    stack: Tensor
    shown: Tensor
    most: Tensor

    def __init__(self, variant: Variant = "full") -> None:
        super().__init__()
        self.variant = variant
        hidden, features, outputs = FORECAST_HIDDEN, len(FORECAST_FEATURES), len(TARGETS) * len(QUANTILES)
        self.project = nn.Linear(features, hidden)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.basis = nn.Linear(hidden, FORECAST_RANK)
        self.straight = nn.Linear(features, SKIP_RANK)
        self.bare = nn.Sequential(nn.Linear(features, 2 * BARE_RANK), nn.ReLU(), nn.Linear(2 * BARE_RANK, BARE_RANK))
        self.heads = nn.Parameter(0.01 * torch.randn(HORIZON, FORECAST_RANK + SKIP_RANK + BARE_RANK, outputs))
        self.bias = nn.Parameter(torch.zeros(HORIZON, 1, outputs))
        with torch.no_grad():
            self.bias[..., len(TARGETS) :] = _SMALL_SPREAD
        if variant == "learned_graph":
            self.affinity = nn.Linear(hidden, 2 * FORECAST_RANK)
        self.register_buffer("stack", quantile_stack(), persistent=False)
        hide = variant == "no_intents"
        shown = [0.0 if hide and name.startswith(INTENT_COLUMNS) else 1.0 for name in FORECAST_FEATURES]
        self.register_buffer("shown", torch.tensor(shown), persistent=False)
        with torch.no_grad():  # what is never shown teaches nothing: its weights stay 0, and forward needs no mask
            for layer in (self.project, self.straight, self.bare[0]):
                cast(nn.Linear, layer).weight.mul_(self.shown)
        self.register_buffer("most", most_levels(), persistent=False)
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
        hidden = torch.relu(self.project(features * usage_known(last)))
        received = table_messages(hidden, neighbours, weights)
        return torch.exp(self._decode(features, hidden, received, last, ticks))

    def levels(
        self, features: Tensor, last: Tensor, edge_index: Tensor, edge_weight: Tensor, ticks: Tensor, zones: int
    ) -> Tensor:
        """Return the logarithms of :meth:`forward` by message passing, ``[N, T, 4, 3]``; ``zones`` are in a world."""
        features = features * self.shown
        hidden = torch.relu(self.project(features * usage_known(last)))
        received = self._received(hidden, edge_index, edge_weight, zones)
        levels = self._decode(features, hidden, received, last, ticks)
        return levels.reshape(*levels.shape[:2], len(TARGETS), len(QUANTILES))

    def _received(self, hidden: Tensor, edge_index: Tensor, edge_weight: Tensor, zones: int) -> Tensor:
        """Return what zones hear of others, ``[N, H]``."""
        if self.variant == "no_graph":
            return torch.zeros_like(hidden)
        if self.variant == "learned_graph":
            worlds = hidden.reshape(-1, zones, hidden.shape[1])
            hears, says = torch.chunk(self.affinity(worlds), 2, dim=2)
            weights = torch.softmax(hears @ says.transpose(1, 2) / FORECAST_RANK**0.5, dim=2)
            return (weights @ worlds).reshape(hidden.shape)
        received: Tensor = self.messages(hidden, edge_index, edge_weight)
        return received

    def _decode(self, features: Tensor, hidden: Tensor, received: Tensor, last: Tensor, ticks: Tensor) -> Tensor:
        bent = torch.relu(self.basis(torch.relu(self.combine(torch.cat([hidden, received], dim=1)))))
        known = usage_known(last)
        basis = torch.cat([known * bent, known * self.straight(features), (1.0 - known) * self.bare(features)], dim=1)
        outputs = basis @ self.heads.index_select(0, ticks) + self.bias.index_select(0, ticks)
        medians, spreads = torch.split(outputs, [len(TARGETS), 2 * len(TARGETS)], dim=2)
        levels = torch.cat([medians + last, torch.sigmoid(spreads)], dim=2) @ self.stack
        return torch.minimum(levels, torch.maximum(self.most, last[:, -1:])).transpose(0, 1)


def usage_known(last: Tensor) -> Tensor:
    """Return ``[N, 1]``: 1 where a zone's usage is known, by its last levels; a latency that is known is above 1 ms.

    Of any other zone the network is not shown what stands at the floor instead: such a zone is told by its users alone.
    """
    return (last[:, -1:] > 0.0).to(last.dtype)


def most_levels() -> Tensor:
    """Return ``[12]``, the levels at which quantiles end: demands nowhere, latencies at :data:`MOST_LATENCY_MS`.

    A zone that is down or hopeless shows the same latency tick after tick. A network cannot hit it by adding a change
    to the last value, unless everything beyond it counts as it.
    """
    most = torch.full((len(TARGETS), len(QUANTILES)), math.inf)
    most[-1] = math.log(MOST_LATENCY_MS)
    return most.flatten()


def quantile_stack() -> Tensor:
    """Return ``[12, 12]``, from medians ``[4]`` and spreads ``[2, 4]`` to quantiles ``[4, 3]``, all flat."""
    targets, quantiles = len(TARGETS), len(QUANTILES)
    stack = torch.zeros(targets, quantiles, targets, quantiles)
    for target in range(targets):
        stack[target, 0, target] = 1.0
        for spread in range(1, quantiles):
            stack[target, spread, target, spread:] = MOST_SPREAD
    return stack.transpose(0, 1).reshape(targets * quantiles, targets * quantiles)
