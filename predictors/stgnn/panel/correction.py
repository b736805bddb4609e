"""What the network adds to the linear forecast, in units of that forecast's own error.

One hidden state for each zone comes from the window, the season, the calendar and the intents (STID, Shao et al. 2022:
a linear projection instead of a recurrence); it learns who the zone is, hears its neighbours once, and gives all
horizons at once. Every last weight starts at zero, so an untrained network *is* the linear forecast, with the
quantiles of its errors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from predictors.forecasting.windows import CALENDAR, Windows

GraphKind = Literal["none", "given", "learned"]
Hear = Callable[[Tensor], Tensor]

OUTPUTS: Final = 4
"""Of each feature and horizon: median, two spreads, mean."""
IDENTITY: Final = 16
"""Width of the embedding that tells zones apart."""
UNKNOWN_SHARE: Final = 0.1
"""Share of training samples whose zone is not told, so that a zone never seen is a case that was learnt."""
DROPOUT: Final = 0.1
MOST_LEARNED: Final = 2_000
"""Zones up to which a graph can be learned; every pair has a weight."""
_LEAST_SPREAD: Final = 1e-3


@dataclass(frozen=True)
class Sizes:
    """Shapes of a network: everything that its weights depend on, beside the number of members."""

    zones: int
    features: int
    lags: int
    horizons: int
    seasonal: int
    intents: int
    hidden: int = 64
    graph: GraphKind = "none"

    @classmethod
    def of(cls, windows: Windows, hidden: int, graph: GraphKind) -> "Sizes":
        """Return the sizes that windows ask for."""
        _, zones, features = windows.levels.shape
        intents = 0 if windows.series.intents is None else 2 * windows.series.intents.shape[2]
        horizons, seasonal = len(windows.horizons), windows.seasonal_columns
        return cls(zones, features, windows.lags, horizons, seasonal, intents, hidden, graph)

    @property
    def inputs(self) -> int:
        """Columns that the first layer reads of a zone."""
        window = self.features * (2 * self.lags + self.horizons * self.seasonal)
        return window + CALENDAR + self.intents


class Correction(nn.Module):
    """One member: from inputs to corrections ``[H, B, N, F, 4]``."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        hidden, heard = sizes.hidden, 0 if sizes.graph == "none" else sizes.hidden
        self.identity = nn.Embedding(sizes.zones + 1, IDENTITY)
        self.read = nn.Linear(sizes.inputs, hidden)
        self.combine = nn.Linear(hidden + heard + IDENTITY, hidden)
        self.deepen = nn.Linear(hidden, hidden)
        self.heads = nn.Linear(hidden, sizes.horizons * sizes.features * OUTPUTS)
        self.dropout = nn.Dropout(DROPOUT)
        if sizes.graph == "learned":
            self.sends = nn.Parameter(torch.randn(sizes.zones, IDENTITY))
            self.hears = nn.Parameter(torch.randn(sizes.zones, IDENTITY))
        nn.init.normal_(self.identity.weight, 0.0, 0.1)
        nn.init.zeros_(self.heads.weight)
        nn.init.zeros_(self.heads.bias)

    @torch.no_grad()
    def start_spreads(self, margins: Tensor) -> None:
        """Begin with the quantiles .9 and .99 of the linear forecast's errors ``[H, F, 2]``, in units of their mean."""
        spreads = torch.diff(margins, dim=-1, prepend=torch.zeros_like(margins[..., :1])).clamp(min=_LEAST_SPREAD)
        biases = self.heads.bias.view(self.sizes.horizons, self.sizes.features, OUTPUTS)
        biases[..., 1:3] = torch.log(torch.expm1(spreads))  # softplus of it is the spread

    def forward(
        self, last: Tensor, lags: Tensor, observed: Tensor, seasonal: Tensor, calendar: Tensor, intents: Tensor,
        zones: Tensor, hear: Hear,
    ) -> Tensor:  # fmt: skip
        """Return corrections.

        Args:
            last: As all up to ``intents``: see :class:`~predictors.forecasting.windows.Inputs`.
            lags: …
            observed: …
            seasonal: …
            calendar: …
            intents: …
            zones: ``int64 [N]``, which zones they are; ``sizes.zones`` is one unknown.
            hear: From states ``[B, N, …]`` to what each zone hears of its neighbours'; unused without a given graph.
        """
        batch, count, _ = last.shape
        rows = (batch, count, -1)
        parts = (
            torch.tanh(last / 4.0), torch.asinh(lags).reshape(rows), observed.reshape(rows),
            torch.asinh(seasonal).permute(1, 2, 0, 3, 4).reshape(rows), calendar[:, None].expand(batch, count, -1),
            intents,
        )  # fmt: skip
        state = torch.relu(self.read(torch.cat(parts, dim=-1)))
        state = torch.cat([state, *self._heard(state, zones, hear), self._who(zones, batch)], dim=-1)
        state = torch.relu(self.combine(state))
        state = state + torch.relu(self.deepen(self.dropout(state)))
        shape = (batch, count, self.sizes.horizons, self.sizes.features, OUTPUTS)
        outputs: Tensor = self.heads(self.dropout(state)).reshape(shape).permute(2, 0, 1, 3, 4)
        return outputs

    def _who(self, zones: Tensor, batch: int) -> Tensor:
        """Return embeddings ``[B, N, …]``; in training some zones are not told."""
        told = zones.expand(batch, -1)
        if self.training:
            told = torch.where(torch.rand(told.shape, device=told.device) < UNKNOWN_SHARE, self.sizes.zones, told)
        embedded: Tensor = self.identity(told)
        return embedded

    def _heard(self, state: Tensor, zones: Tensor, hear: Hear) -> tuple[Tensor, ...]:
        """Return the neighbours' mean state ``[B, N, H]``; nothing without a graph."""
        if self.sizes.graph == "given":
            return (hear(state),)
        if self.sizes.graph == "learned":
            affinity = torch.relu(self._known(self.hears)[zones] @ self._known(self.sends)[zones].T)
            return (functional.softmax(affinity, dim=1) @ state,)
        return ()

    @staticmethod
    def _known(places: Tensor) -> Tensor:
        """Append an unknown zone: one of no affinity to anybody, so it hears all alike."""
        return functional.pad(places, (0, 0, 0, 1))
