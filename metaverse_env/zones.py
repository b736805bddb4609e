"""Zones, who neighbours whom, and the nodes they live on.

A graph is a neighbour table ``[zones, degree]`` padded with -1, not a dense matrix: 10,000 zones cost 10,000 times one.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metaverse_env.errors import ConfigurationError

if TYPE_CHECKING:
    from metaverse_env.scenario.root import Scenario

Array = np.ndarray

NO_ZONE = -1
"""Pads the neighbour table where a zone has fewer neighbours than the widest one."""


@dataclass(frozen=True)
class ZoneGraph:
    """Zones and their neighbourhood.

    Attributes:
        names: One name per zone, ``Z`` of them.
        neighbours: ``int32 [Z, D]``, -1 where there is none.
        weights: ``float32 [Z, D]``, rows sum to 1 (to 0 for a zone without neighbours).
        extra_rtt_ms: ``float32 [Z, D]``, added round trip when the neighbour serves this zone's users.
        travel_ticks: ``int32 [Z, D]``, ticks on the way to the neighbour.
        node: ``int32 [Z]``, the node that each zone lives on.
        position: ``float32 [Z, 2]`` in [0, 1], for drawing.
    """

    names: tuple[str, ...]
    neighbours: Array
    weights: Array
    extra_rtt_ms: Array
    travel_ticks: Array
    node: Array
    position: Array

    def __len__(self) -> int:
        return len(self.names)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return int(self.node.max()) + 1

    @property
    def edge_index(self) -> Array:
        """``int64 [2, E]``: messages flow from row 0 (the neighbour) to row 1 (the zone), torch-geometric's order."""
        zone, slot = np.nonzero(self.neighbours != NO_ZONE)
        return np.stack([self.neighbours[zone, slot].astype(np.int64), zone])

    @property
    def edge_weight(self) -> Array:
        """``float32 [E]``, in the order of :attr:`edge_index`."""
        weights: Array = self.weights[self.neighbours != NO_ZONE]
        return weights

    def index(self, name: str) -> int:
        """Return a zone's index.

        Raises:
            ConfigurationError: No zone has this name.
        """
        if name not in self.names:
            raise ConfigurationError(
                f"no zone {name!r}; the zones are {', '.join(self.names[:8])}{', …' * (len(self) > 8)}"
            )
        return self.names.index(name)


def build_graph(scenario: "Scenario") -> ZoneGraph:
    """Lay out a scenario's zones; the same scenario always gives the same graph."""
    layout, count = scenario.layout, scenario.layout.zones
    random = np.random.default_rng([layout.seed, 1])
    pairs = _grid_pairs(count) if layout.topology == "grid" else _ring_pairs(count)
    neighbours = _table(pairs, count)
    travel_s = _per_edge(random, neighbours, scenario.workload.travel_s)
    weights = _per_edge(random, neighbours, (0.5, 1.5))
    return ZoneGraph(
        names=layout.names or tuple(f"zone-{number}" for number in range(1, count + 1)),
        neighbours=neighbours,
        weights=(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32),
        extra_rtt_ms=_per_edge(random, neighbours, scenario.service.handover_rtt_ms),
        travel_ticks=np.ceil(travel_s / scenario.tick_s).astype(np.int32),
        node=(np.arange(count) // layout.zones_per_node).astype(np.int32),
        position=grid_positions(count) if layout.topology == "grid" else _ring_positions(count),
    )


def _columns(count: int) -> int:
    """Columns of a grid about one and a half times as wide as high."""
    return max(1, int(np.ceil(np.sqrt(1.2 * count))))


def _grid_pairs(count: int) -> list[tuple[int, int]]:
    columns = _columns(count)
    right = [(z, z + 1) for z in range(count - 1) if (z + 1) % columns]
    below = [(z, z + columns) for z in range(count - columns)]
    return right + below


def _ring_pairs(count: int) -> list[tuple[int, int]]:
    if count < 3:
        return [(0, 1)][: count - 1]
    return [(z, (z + 1) % count) for z in range(count)]


def _table(pairs: list[tuple[int, int]], count: int) -> Array:
    """Turn undirected pairs into a padded neighbour table of at least one column."""
    lists: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs:
        lists[a].append(b)
        lists[b].append(a)
    table = np.full((count, max(1, *map(len, lists), 1)), NO_ZONE, dtype=np.int32)
    for zone, others in enumerate(lists):
        table[zone, : len(others)] = sorted(others)
    return table


def _per_edge(random: np.random.Generator, neighbours: Array, limits: tuple[float, float]) -> Array:
    """Draw one value per undirected edge, 0 where there is none."""
    count = len(neighbours)
    drawn = random.uniform(*limits, size=(count, neighbours.shape[1]))
    value = {(zone, int(other)): drawn[zone, slot] for (zone, slot), other in np.ndenumerate(neighbours)}
    symmetric = [
        [value[min(zone, int(other)), max(zone, int(other))] if other != NO_ZONE else 0.0 for other in neighbours[zone]]
        for zone in range(count)
    ]
    return np.array(symmetric, dtype=np.float32)


def grid_positions(count: int) -> Array:
    """Return places ``float32 [count, 2]`` in [0, 1] on a grid, row by row."""
    columns = _columns(count)
    rows = -(-count // columns)
    row, column = np.divmod(np.arange(count), columns)
    return np.stack([(column + 0.5) / columns, (row + 0.5) / rows], axis=1).astype(np.float32)


def _ring_positions(count: int) -> Array:
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([0.5 + 0.42 * np.sin(angle), 0.5 - 0.42 * np.cos(angle)], axis=1).astype(np.float32)


def name_order(name: str) -> tuple[tuple[str, int], ...]:
    """Return what names of zones are sorted by: numbers in them count as numbers.

    >>> sorted(["zone-10", "zone-2", "zone-1", "lobby"], key=name_order)
    ['lobby', 'zone-1', 'zone-2', 'zone-10']
    """
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return (*((text, int(number or 0)) for text, number in parts), (name, 0))  # zone-01 is not zone-1
