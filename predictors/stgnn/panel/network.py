"""The whole forecaster of a panel: scaling, linear skip, corrections of its members, gates; levels in, levels out."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from metaverse_env.panels import Panel
from predictors.forecasting.scaling import MOST_EXPONENT
from predictors.forecasting.selection import Linear
from predictors.forecasting.windows import Inputs
from predictors.stgnn.messages import ZoneMessages
from predictors.stgnn.panel.correction import OUTPUTS, Correction, Hear, Sizes
from predictors.stgnn.panel.edges import edges
from predictors.stgnn.panel.innovation import Innovation


class Outputs(NamedTuple):
    """Forecast levels.

    Attributes:
        median: ``[H, B, N, F]``.
        upper: ``[H, B, N, F, 2]``, the quantiles .9 and .99.
        mean: ``[H, B, N, F]``.
        skip: ``[2, H, B, N, F]``, median and mean of the linear forecasts alone.
    """

    median: Tensor
    upper: Tensor
    mean: Tensor
    skip: Tensor


class TensorInputs(NamedTuple):
    """:class:`~predictors.forecasting.windows.Inputs` as tensors."""

    last: Tensor
    lags: Tensor
    observed: Tensor
    seasonal: Tensor
    calendar: Tensor
    intents: Tensor

    @classmethod
    def of(cls, inputs: Inputs, device: torch.device | None = None) -> "TensorInputs":
        """Return the same numbers, on a device."""
        parts = (torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in inputs)
        return cls(*(part.to(device) for part in parts))


class PanelNet(nn.Module):
    """Median, quantiles .9 and .99, and mean of every feature of every zone at every horizon.

    Made blank, with a skip that forecasts the last value; see :meth:`start_from` and :meth:`place`.

    Args:
        sizes: Of each member.
        members: How many networks are averaged.
        seed: Of the weights.
    """

    skip: Tensor
    step: Tensor
    rms: Tensor
    gates: Tensor
    stretch: Tensor
    logarithmic: Tensor
    offset: Tensor
    centre: Tensor
    deviation: Tensor
    zones: Tensor
    edge_index: Tensor
    edge_weight: Tensor

    def __init__(self, sizes: Sizes, members: int, seed: int = 0) -> None:
        super().__init__()
        self.sizes = sizes
        torch.manual_seed(seed)
        self.members = nn.ModuleList(Correction(sizes) for _ in range(members))
        self.messages = ZoneMessages()  # type: ignore[abstract]
        horizons, zones, features = sizes.horizons, sizes.zones + 1, sizes.features
        columns = sizes.lags - 1 + 2 * features + sizes.seasonal + 1
        self.register_buffer("skip", torch.zeros(2, horizons, zones, features, columns))
        for name in ("step", "rms"):
            self.register_buffer(name, torch.ones(horizons, zones, features))
        self.register_buffer("gates", torch.ones(2, horizons, zones, features))
        self.register_buffer("stretch", torch.ones(2, horizons, features))
        self.register_buffer("logarithmic", torch.zeros(features, dtype=torch.bool))
        for name in ("offset", "centre", "deviation"):
            self.register_buffer(name, torch.ones(zones, features))
        self.register_buffer("zones", torch.arange(sizes.zones), persistent=False)
        self.register_buffer("edge_index", torch.zeros(2, 0, dtype=torch.int64), persistent=False)
        self.register_buffer("edge_weight", torch.zeros(0), persistent=False)

    def start_from(self, linear: Linear, innovation: Innovation) -> "PanelNet":
        """Take over linear forecasts as the skip, with their scaling and how far they are off."""
        scaling = linear.windows.scaling
        for name, array in {
            "skip": linear.weights, "step": innovation.levels, "rms": innovation.values,
            "logarithmic": scaling.logarithmic, "offset": _with_unknown(scaling.offset),
            "centre": _with_unknown(scaling.centre), "deviation": _with_unknown(scaling.deviation),
        }.items():  # fmt: skip
            getattr(self, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))
        for member in self.members:
            member.start_spreads(torch.from_numpy(innovation.margins))  # type: ignore[operator]
        return self.place(linear.windows.series.panel)

    def place(self, panel: Panel, zones: NDArray[np.int64] | None = None) -> "PanelNet":
        """Forecast the zones of a panel, along its edges.

        Args:
            panel: Whose zones they are.
            zones: ``[N]``, which of the zones learnt from each is; ``sizes.zones`` is an unknown one. ``None``: they
                are those learnt from, in order.
        """
        device = self.skip.device
        self.zones = torch.arange(self.sizes.zones) if zones is None else torch.from_numpy(zones)
        self.zones = self.zones.to(device)
        edge_index, edge_weight = edges(panel)
        self.edge_index = torch.from_numpy(edge_index).to(device)
        self.edge_weight = torch.from_numpy(edge_weight).to(device)
        return self

    def forward(self, inputs: TensorInputs, member: int | None = None, hear: Hear | None = None) -> Outputs:
        """Return forecast levels.

        Args:
            inputs: See there.
            member: Of which network alone, ungated; ``None``: of all, with their gates.
            hear: Another way to pass messages.
        """
        skip = self.linear(inputs)
        chosen = self.members if member is None else [self.members[member]]
        outputs = torch.stack([one(*inputs, self.zones, hear or self._hear) for one in chosen]).mean(0)
        corrections = self.step[:, None, self.zones, :, None] * outputs
        gates = self.gates[:, :, None, self.zones] if member is None else torch.ones_like(skip[:, :, :1])
        median = skip[0] + gates[0] * corrections[..., 0]
        mean = skip[1] + gates[1] * corrections[..., OUTPUTS - 1]
        stretch = self.stretch.permute(1, 2, 0)[:, None, None]
        spreads = torch.cumsum(stretch * functional.softplus(outputs[..., 1:3]), dim=-1)
        return Outputs(median, median[..., None] + self.step[:, None, self.zones, :, None] * spreads, mean, skip)

    def _hear(self, state: Tensor) -> Tensor:
        heard: Tensor = self.messages(state, self.edge_index, self.edge_weight)
        return heard

    def linear(self, inputs: TensorInputs) -> Tensor:
        """Return the levels ``[2, H, B, N, F]`` of median and mean that the skip forecasts."""
        last, lags = inputs.last, inputs.lags
        batch, count, features = last.shape
        steps = -lags[..., 0] if lags.shape[-1] else torch.zeros_like(last)
        everyone = torch.cat([last, steps], dim=-1)[:, :, None].expand(batch, count, features, -1)
        own = torch.cat([lags, everyone], dim=-1)
        weights = self.skip[:, :, self.zones]
        before = own.shape[-1]
        total = torch.einsum("bnfk,chnfk->chbnf", own, weights[..., :before])
        if inputs.seasonal.shape[-1]:
            total = total + torch.einsum("hbnfk,chnfk->chbnf", inputs.seasonal, weights[..., before:-1])
        return last + total + weights[:, :, None, ..., -1]

    def values(self, levels: Tensor) -> Tensor:
        """Return the values of levels ``[…, N, F]``; see :class:`~predictors.forecasting.scaling.Scaling`."""
        centre = self.centre[self.zones]
        raw = levels * self.deviation[self.zones] + centre
        exponent = torch.where(self.logarithmic, torch.minimum(raw, centre + MOST_EXPONENT), torch.zeros_like(raw))
        return torch.where(self.logarithmic, torch.exp(exponent) - self.offset[self.zones], raw)


def _with_unknown(array: NDArray[Any]) -> NDArray[Any]:
    """Append the row of a zone that is not known: the median of the others."""
    return np.concatenate([array, np.median(array, axis=0, keepdims=True)])
