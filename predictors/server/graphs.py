"""Graphs that grow: zones of a scenario, and zones that join without neighbours."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray

NO_ZONES: Final = ZoneGraph(
    names=(),
    neighbours=np.full((0, 1), NO_ZONE, dtype=np.int32),
    weights=np.zeros((0, 1), dtype=np.float32),
    extra_rtt_ms=np.zeros((0, 1), dtype=np.float32),
    travel_ticks=np.zeros((0, 1), dtype=np.int32),
    node=np.zeros(0, dtype=np.int32),
    position=np.zeros((0, 2), dtype=np.float32),
)
"""A graph to start from."""


def joined(graph: ZoneGraph, names: Sequence[str]) -> ZoneGraph:
    """Return the graph with more zones behind its own, which have no neighbours.

    >>> joined(NO_ZONES, ["plaza", "arena"]).neighbours
    array([[-1],
           [-1]], dtype=int32)
    """
    return ZoneGraph(
        names=(*graph.names, *names),
        neighbours=_padded(graph.neighbours, len(names), NO_ZONE),
        weights=_padded(graph.weights, len(names)),
        extra_rtt_ms=_padded(graph.extra_rtt_ms, len(names)),
        travel_ticks=_padded(graph.travel_ticks, len(names)),
        node=_padded(graph.node, len(names)),
        position=_padded(graph.position, len(names)),
    )


def neighbour_names(graph: ZoneGraph, zone: int) -> list[str]:
    """Return who neighbours a zone."""
    return [graph.names[other] for other in graph.neighbours[zone] if other != NO_ZONE]


def _padded(rows: Array, more: int, value: int = 0) -> Array:
    """Return the rows with ``more`` behind them that hold ``value``."""
    return np.concatenate([rows, np.full((more, *rows.shape[1:]), value, dtype=rows.dtype)])
