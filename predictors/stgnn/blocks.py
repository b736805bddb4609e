"""The memory that networks are run in.

Many worlds are run a block at a time, so that what a network works in stays small whatever the batch.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.zones import ZoneGraph

Array = np.ndarray

_ROWS_AT_ONCE: Final = 2048
"""Zones that a network is given in one call: what it works in stays within a few MB."""


def neighbour_table(graph: ZoneGraph, worlds: int) -> tuple[Array, Array]:
    """Return neighbours ``int64 [W Z, D]`` and weights ``float32 [W Z, D, 1]`` of ``worlds`` disjoint graphs.

    Where a zone has no neighbour stands row 0 with weight 0.
    """
    first = len(graph) * np.arange(worlds, dtype=np.int64)[:, None, None]
    rows = np.where(graph.neighbours >= 0, graph.neighbours + first, 0)
    degree = graph.neighbours.shape[1]
    return rows.reshape(-1, degree), np.tile(graph.weights, (worlds, 1)).astype(np.float32)[:, :, None]


def cut_worlds(worlds: int, zones: int) -> list[slice]:
    """Cut worlds into blocks of at most :data:`_ROWS_AT_ONCE` zones, but of one world at least."""
    size = max(1, _ROWS_AT_ONCE // zones)
    return [slice(first, min(first + size, worlds)) for first in range(0, worlds, size)]


class Block(NamedTuple):
    """The memory that one call of a network reads and writes."""

    inputs: dict[str, Array]
    output: Array


class Blocks:
    """Blocks of one network, made when first needed, for as long as the graph stays the same."""

    def __init__(self) -> None:
        self._graph: ZoneGraph | None = None
        self._made: dict[tuple[int, ...], Block] = {}

    def get(self, graph: ZoneGraph, key: tuple[int, ...], make: Callable[..., Block]) -> Block:
        """Return the block of this key, ``make(graph, *key)`` when it is first asked for."""
        if graph is not self._graph:
            self._graph, self._made = graph, {}
        if key not in self._made:
            self._made[key] = make(graph, *key)
        return self._made[key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_graph": None, "_made": {}}
