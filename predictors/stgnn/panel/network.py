"""The whole forecaster of a panel: scaling, linear skip, corrections of its members, gates; values in, values out."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from predictors.forecasting.selection import Linear
from predictors.forecasting.windows import Inputs, Windows
from predictors.stgnn.panel.correction import Correction, GraphKind, Sizes
from predictors.stgnn.panel.innovation import Innovation

_MOST_EXPONENT = 60.0


class Outputs(NamedTuple):
    """Forecast levels ``[H, B, N, F]``: median, the two quantiles above it, mean, and what the skip alone says."""

    median: Tensor
    upper: Tensor
    mean: Tensor
    skip: Tensor


class PanelNet(nn.Module):
    """Median, quantiles .9 and .99, and mean of every feature of every zone at every horizon.

    Args:
        linear: The skip, with the scaling.
        innovation: How far the skip is off.
        members: How many networks are averaged.
        hidden: Width of each.
        graph: Along what zones hear each other.
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

    def __init__(
        self, linear: Linear, innovation: Innovation, members: int, hidden: int, graph: GraphKind, seed: int
    ) -> None:
        super().__init__()
        windows = linear.windows
        self.sizes = Sizes.of(windows, hidden, graph)
        torch.manual_seed(seed)
        self.members = nn.ModuleList(Correction(self.sizes) for _ in range(members))
        scaling = windows.scaling
        for name, array in {
            "skip": linear.weights, "step": innovation.levels, "rms": innovation.values,
            "gates": np.ones((2, *linear.errors.shape)),
            "stretch": np.ones((2, *linear.errors.shape)),
            "logarithmic": scaling.logarithmic, "offset": _with_unknown(scaling.offset),
            "centre": _with_unknown(scaling.centre), "deviation": _with_unknown(scaling.deviation),
            "zones": np.arange(self.sizes.zones),
        }.items():  # fmt: skip
            self.register_buffer(name, _tensor(array))
        edge_index, edge_weight = edges(windows) if graph == "given" else (np.zeros((2, 0)), np.zeros(0))
        self.register_buffer("edge_index", torch.as_tensor(edge_index, dtype=torch.int64))
        self.register_buffer("edge_weight", torch.as_tensor(edge_weight, dtype=torch.float32))

    def linear(self, inputs: "TensorInputs") -> Tensor:
        """Return the levels ``[H, B, N, F]`` that the skip forecasts."""
        last, lags = inputs.last, inputs.lags
        batch, count, features = last.shape
        steps = -lags[..., 0] if lags.shape[-1] else torch.zeros_like(last)
        everyone = torch.cat([last, steps], dim=-1)[:, :, None].expand(batch, count, features, -1)
        own = torch.cat([lags, everyone], dim=-1)
        weights = self.skip[:, self.zones]
        before = own.shape[-1]
        total = torch.einsum("bnfk,hnfk->hbnf", own, weights[..., :before])
        if inputs.seasonal.shape[-1]:
            total = total + torch.einsum("hbnfk,hnfk->hbnf", inputs.seasonal, weights[..., before:-1])
        return last + total + weights[:, None, ..., -1]

    def forward(self, inputs: "TensorInputs", member: int | None = None) -> Outputs:
        """Return forecast levels: of one member, or of all with their gates."""
        skip = self.linear(inputs)
        chosen = self.members if member is None else [self.members[member]]
        graph = (self.zones, self.edge_index, self.edge_weight)
        outputs = torch.stack([one(*inputs, *graph) for one in chosen]).mean(0)
        step = self.step[:, None, self.zones]
        gates = torch.ones_like(self.gates) if member is not None else self.gates
        median = skip + gates[0][:, None, None] * step * outputs[..., 0]
        mean = skip + gates[1][:, None, None] * step * outputs[..., 3]
        stretch = self.stretch.permute(1, 2, 0)[:, None, None]
        spreads = torch.cumsum(stretch * functional.softplus(outputs[..., 1:3]), dim=-1)
        return Outputs(median, median[..., None] + step[..., None] * spreads, mean, skip)

    def values(self, levels: Tensor) -> Tensor:
        """Return the values of levels ``[…, N, F]``."""
        raw = levels * self.deviation[self.zones] + self.centre[self.zones]
        exponent = torch.where(self.logarithmic, raw.clamp(max=_MOST_EXPONENT), torch.zeros_like(raw))
        return torch.where(self.logarithmic, torch.exp(exponent) - self.offset[self.zones], raw)


class TensorInputs(NamedTuple):
    """:class:`~predictors.forecasting.windows.Inputs` as tensors."""

    last: Tensor
    lags: Tensor
    observed: Tensor
    seasonal: Tensor
    calendar: Tensor
    intents: Tensor

    @classmethod
    def of(cls, inputs: Inputs) -> "TensorInputs":
        """Return the same numbers."""
        return cls(*(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in inputs))


def edges(windows: Windows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the panel's edges, with weights that sum to one over what a zone hears; none if it has none."""
    panel = windows.series.panel
    if panel.edge_index is None:
        return np.zeros((2, 0), np.int64), np.zeros(0)
    weight = np.ones(panel.edge_index.shape[1]) if panel.edge_weight is None else np.abs(panel.edge_weight)
    heard = np.bincount(panel.edge_index[1], weights=weight, minlength=len(panel.names))
    return panel.edge_index, weight / np.maximum(heard, 1e-9)[panel.edge_index[1]]


def _with_unknown(array: NDArray[Any]) -> NDArray[Any]:
    """Append the row of a zone that is not known: the median of the others."""
    return np.concatenate([array, np.median(array, axis=0, keepdims=True)])


def _tensor(array: NDArray[Any]) -> Tensor:
    kind = np.float32 if array.dtype.kind == "f" else array.dtype
    return torch.from_numpy(np.ascontiguousarray(array, dtype=kind))
