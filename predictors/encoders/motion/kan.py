"""A Kolmogorov-Arnold layer: a learned function of one variable on every edge, and sums at the nodes.

    y_o = sum_i phi_oi(x_i),   phi_oi(x) = b_oi silu(x) + sum_k c_oik exp(-((s(x) - g_k) / h)^2)

Z. Liu et al., "KAN: Kolmogorov-Arnold Networks", ICLR 2025, with Gaussians in place of B-splines (Z. Li,
"Kolmogorov-Arnold Networks are Radial Basis Function Networks", arXiv:2405.06721): as smooth, and one matrix product
computes all edges. Every learned number belongs to an edge; nodes only add.

Inputs are brought to mean 0 and variance 1 over their nodes (LayerNorm), and ``s(x) = r tanh(x / r)`` keeps them within
the centres, so that the basis never vanishes, however far out an input lies.
"""

from typing import Final

import torch
from torch import Tensor, nn

CENTRES: Final = 8
"""Gaussians an edge [choice, as FastKAN]."""
REACH: Final = 2.5
"""The outermost centres, and the bound of the squashed inputs, in standard deviations [choice]."""
_NOISE: Final = 0.1
"""Size of an edge's function at the start, of a unit [choice, as Liu et al.]."""


class KanLayer(nn.Module):
    """``inputs`` nodes, each joined to each of ``outputs`` nodes by a function of its own.

    Args:
        inputs: Nodes below.
        outputs: Nodes above.
        centres: Gaussians an edge, at least 2.
        normalised: Whether inputs are brought to mean 0 and variance 1 first; otherwise that is the caller's task.

    Shape:
        ``[…, inputs]`` to ``[…, outputs]``.
    """

    grid: Tensor

    def __init__(self, inputs: int, outputs: int, centres: int = CENTRES, normalised: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs) if normalised else nn.Identity()
        self.register_buffer("grid", torch.linspace(-REACH, REACH, centres), persistent=False)
        self.width = 2.0 * REACH / (centres - 1)
        self.edges = nn.Parameter(torch.empty(outputs, inputs * (centres + 1)))
        """The base's weights ``[outputs, inputs]``, then those of the Gaussians ``[outputs, inputs x centres]``."""
        with torch.no_grad():
            self.edges[:, :inputs].normal_(std=inputs**-0.5)
            self.edges[:, inputs:].normal_(std=_NOISE * (inputs * centres) ** -0.5)

    def basis(self, x: Tensor) -> Tensor:
        """Return the Gaussians ``[…, inputs, centres]`` of inputs ``[…, inputs]``.

        >>> layer = KanLayer(1, 1, centres=2, normalised=False)
        >>> [round(value, 4) for value in layer.basis(torch.zeros(1))[0].tolist()]
        [0.7788, 0.7788]
        """
        inside = REACH * torch.tanh(x / REACH)
        scaled = (inside.unsqueeze(-1) - self.grid) / self.width
        return torch.exp(-(scaled * scaled))

    def forward(self, x: Tensor) -> Tensor:
        """Sum the edges' functions."""
        x = self.norm(x)
        base = nn.functional.silu(x)
        below = torch.cat([base, self.basis(x).flatten(-2)], dim=-1)
        return nn.functional.linear(below, self.edges)

    def edge(self, place: int, output: int, x: Tensor) -> Tensor:
        """Return what the function on one edge makes of values ``[n]`` that are normalised already."""
        inputs = self.edges.shape[1] // (len(self.grid) + 1)
        centres = self.edges[output, inputs:].view(inputs, -1)[place]
        return self.edges[output, place] * nn.functional.silu(x) + self.basis(x) @ centres


class MlpLayer(nn.Module):
    """A hidden layer of SiLU nodes between two matrices, with as many parameters as a :class:`KanLayer`: its rival.

    Args:
        inputs: Nodes below.
        outputs: Nodes above.
        centres: Of the layer that it is compared with.
    """

    def __init__(self, inputs: int, outputs: int, centres: int = CENTRES) -> None:
        super().__init__()
        hidden = round((inputs * outputs * (centres + 1) - outputs) / (inputs + outputs + 1))
        self.norm = nn.LayerNorm(inputs)
        self.below, self.above = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both matrices, and the nonlinearity between them."""
        made: Tensor = self.above(nn.functional.silu(self.below(self.norm(x))))
        return made
