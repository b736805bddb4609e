"""Where everything stands: a band above, a legend below, and between them one cell per zone where the graph puts it.

The cells are as large as they can be without touching each other; their size decides how much a card tells.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from metaverse_env.errors import ConfigurationError
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray
Level = Literal["full", "compact", "dot", "point"]

SMALLEST: Final = (640, 360)
"""Least width and height of a picture, px: below, the header's texts could not be read."""

REFERENCE: Final = (1280, 720)
"""The picture that lengths of the header and the legend are given for, px."""

HEADER: Final = 100.0
LEGEND: Final = 46.0
MARGIN: Final = 8.0

CARDS: Final[dict[Level, tuple[float, float]]] = {
    "full": (200.0, 102.0),
    "compact": (102.0, 52.0),
    "dot": (62.0, 31.5),
    "point": (4.0, 2.0),
}
"""Width and height for which each card is designed, px; a card grows with its cell."""

_GAP = 0.04
"""Part of a cell's width left free around its card; the edges of the graph show through it."""

_LARGEST = 4.4
"""Most that a full card is enlarged; beyond, a picture of one zone would be coarse."""

_LEAST = 4.0
"""Width of the smallest cell, px; zones at nearly the same place rather overlap than vanish."""

_SMALL = 0.94
"""Least that a card is enlarged before the next simpler one takes its place; texts of 10 px stay 9 px."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Places for a graph and a size of picture.

    Attributes:
        width: Of the picture, px.
        height: The same.
        unit: Enlargement of header and legend against :data:`REFERENCE`.
        level: How much a card tells.
        scale: Enlargement of a card against :data:`CARDS`.
        corners: Top left corner of every zone's card, px.
        edges: Pairs of neighbours, each once.
    """

    width: int
    height: int
    unit: float
    level: Level
    scale: float
    corners: tuple[tuple[float, float], ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def card(self) -> tuple[float, float]:
        """Width and height of a card, px."""
        width, height = CARDS[self.level]
        return width * self.scale, height * self.scale

    def middle(self, zone: int) -> tuple[float, float]:
        """Return the middle of a zone's card, px."""
        (x, y), (width, height) = self.corners[zone], self.card
        return x + width / 2, y + height / 2


def arrange(graph: ZoneGraph, size: tuple[int, int] = REFERENCE) -> Layout:
    """Lay a graph out on a picture.

    Args:
        graph: Its ``position`` says where; only the proportions of it matter.
        size: Width and height, px.

    Raises:
        ConfigurationError: A picture smaller than :data:`SMALLEST`.
    """
    width, height = size
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise ConfigurationError(f"a picture of {width} x {height} px; needs at least {SMALLEST[0]} x {SMALLEST[1]} px")
    unit = min(width / REFERENCE[0], height / REFERENCE[1])
    body = np.array([width - 2 * MARGIN * unit, height - (HEADER + LEGEND) * unit])
    share = _spread(graph.position)
    cell = _cell(share, body, unit)
    level = _level(cell)
    card = cell * (1.0 - _GAP)
    corner = share * (body - cell) + (cell - card) / 2 + (MARGIN * unit, HEADER * unit)
    return Layout(
        width=width,
        height=height,
        unit=unit,
        level=level,
        scale=float(card[0] / CARDS[level][0]),
        corners=tuple((float(x), float(y)) for x, y in corner),
        edges=_pairs(graph.neighbours),
    )


def _spread(position: Array) -> Array:
    """Return positions stretched to fill [0, 1] in both directions; a direction without extent is centred."""
    low, extent = position.min(axis=0), np.ptp(position, axis=0)
    return np.where(extent > 0, (position - low) / np.where(extent > 0, extent, 1.0), 0.5).astype(np.float64)


def _cell(share: Array, body: Array, unit: float) -> Array:
    """Return the largest cell (width, height) of a full card's proportions such that no two overlap, if there is one.

    Cells stand at ``share * (body - cell)``, so two of them are apart in one direction if
    ``distance * (body - cell) >= cell`` there, which is ``cell <= body * distance / (1 + distance)``.
    """
    design = np.array(CARDS["full"])
    largest = min(float((body / design).min()), _LARGEST * unit)
    for zone in range(1, len(share)):
        distance = np.abs(share[:zone] - share[zone])
        apart = (body * distance / (1.0 + distance) / design).max(axis=1)
        largest = min(largest, float(apart.min()))
    return np.asarray(max(largest, _LEAST / design[0]) * design)


def _level(cell: Array) -> Level:
    """Return the most telling card that a cell has room for."""
    for level, (width, _) in CARDS.items():
        if cell[0] * (1.0 - _GAP) >= _SMALL * width:
            return level
    return "point"


def _pairs(neighbours: Array) -> tuple[tuple[int, int], ...]:
    zone, slot = np.nonzero(neighbours != NO_ZONE)
    pairs = zip(zone.tolist(), neighbours[zone, slot].tolist(), strict=True)
    return tuple(sorted({(min(pair), max(pair)) for pair in pairs}))
