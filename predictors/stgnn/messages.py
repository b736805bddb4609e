"""Passing messages between zones, written twice over the same weights.

Zones of all worlds of a batch are the rows of one table ``[N, …]``, the disjoint union of their graphs. A graph layer
is torch-geometric's message passing, or the same sum over a padded table of neighbours ``[N, D]``, which is what ONNX
can hold. Both give the same numbers.
"""

from torch import Tensor
from torch.nn import functional
from torch_geometric.nn import MessagePassing


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
