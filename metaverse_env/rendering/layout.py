"""Where everything stands: bands above and below, a panel beside, and between them the zones, as their graph says.

The cells are as large as they can be without touching each other; their size decides how much a card tells. Zones of
one node stand side by side on its shelf; streets lead from zone to zone.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.errors import ConfigurationError
from metaverse_env.rendering.cells import level_of, place_cells
from metaverse_env.rendering.designs import CARDS, Level, Point
from metaverse_env.rendering.interface import UNTOUCHED, Interface
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray
Box = tuple[float, float, float, float]

SMALLEST: Final = (960, 540)
"""Least width and height of a picture, px: the letters of header, legend and ticker are then 8 px high."""

REFERENCE: Final = (1280, 720)
"""The picture that lengths of the header, the panel and the legend are given for, px."""

HEADER: Final = 92.0
CONTROLS: Final = 26.0
FOOTER: Final = 76.0
PANEL: Final = 300.0
MARGIN: Final = 8.0


class Shelf(NamedTuple):
    """Part of a node: zones side by side."""

    node: int
    box: Box


@dataclass(frozen=True, slots=True)
class Layout:
    """Places for a graph and a size of picture.

    Attributes:
        width: Of the picture, px.
        height: The same.
        unit: Enlargement of header, panel and legend against :data:`REFERENCE`.
        level: How much a card tells.
        scale: Enlargement of a card against :data:`CARDS`.
        corners: Top left corner of every zone's card, px.
        edges: Pairs of neighbours, each once.
        body: Where zones may stand: left, top, width, height, px.
        panel: Where a zone's details stand, px; ``None`` without one.
        footer: Where legend and ticker stand, px; ``None`` without them.
        shelves: Of the nodes; a node whose zones stand in several rows has several.
    """

    width: int
    height: int
    unit: float
    level: Level
    scale: float
    corners: tuple[Point, ...]
    edges: tuple[tuple[int, int], ...]
    body: Box
    panel: Box | None
    footer: Box | None
    shelves: tuple[Shelf, ...]

    @property
    def card(self) -> Point:
        """Width and height of a card, shelf included, px."""
        design = CARDS[self.level]
        return design.width * self.scale, design.height * self.scale

    @property
    def radius(self) -> float:
        """Of the largest crowd, px."""
        return CARDS[self.level].radius * self.scale

    def middle(self, zone: int) -> Point:
        """Return the middle of a zone's crowd, px."""
        (x, y), (right, down) = self.corners[zone], CARDS[self.level].crowd
        return x + right * self.scale, y + down * self.scale

    def street(self, zone: int) -> Point:
        """Return the place on the street in front of a zone, px."""
        x, _ = self.middle(zone)
        return x, self.corners[zone][1] + CARDS[self.level].street * self.scale


def arrange(graph: ZoneGraph, size: tuple[int, int] = REFERENCE, interface: Interface = UNTOUCHED) -> Layout:
    """Lay a graph out on a picture.

    Args:
        graph: Its ``position`` says where; only the proportions of it matter.
        size: Width and height, px.
        interface: Whether a zone is selected, buttons are drawn and which layers are shown decides what room is left;
            arrange anew when these change.

    Raises:
        ConfigurationError: A picture smaller than :data:`SMALLEST`.
    """
    width, height = size
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise ConfigurationError(f"a picture of {width} x {height} px; needs at least {SMALLEST[0]} x {SMALLEST[1]} px")
    unit = min(width / REFERENCE[0], height / REFERENCE[1])
    body, panel, footer = _bands(width, height, unit, interface)
    room = np.array(body[2:])
    share, cell = place_cells(graph.position, room, unit)
    level, scale = level_of(cell)
    design = np.array(CARDS[level][:2])
    corner = share * (room - cell) + (cell - design * scale) / 2 + body[:2]
    corners = tuple((float(x), float(y)) for x, y in corner)
    shelves = _shelves(graph.node.tolist(), corners, level, scale, float(cell[0]))
    places = corners, _pairs(graph.neighbours), body, panel, footer, shelves
    return Layout(width, height, unit, level, scale, *places)


def _bands(width: int, height: int, unit: float, interface: Interface) -> tuple[Box, Box | None, Box | None]:
    """Return what the bands leave to the zones, and where panel and footer are."""
    top = (HEADER + CONTROLS * interface.controls) * unit
    told = interface.shows("legend") or interface.shows("ticker")
    bottom = height - (FOOTER * told or MARGIN) * unit
    right = width - PANEL * unit if interface.selected is not None else float(width)
    margin = MARGIN * unit
    body = margin, top, right - 2 * margin, bottom - top
    panel = (right, top, PANEL * unit, bottom - top) if interface.selected is not None else None
    return body, panel, (0.0, bottom, float(width), height - bottom) if told else None


def _shelves(
    nodes: list[int], corners: tuple[Point, ...], level: Level, scale: float, pitch: float
) -> tuple[Shelf, ...]:
    """Return one shelf for each row of zones of one node that stand side by side."""
    design = CARDS[level]
    width, top, height = design.width * scale, design.shelf * scale, (design.height - design.shelf) * scale
    runs: list[tuple[int, float, float, float]] = []  # node, left, right, y
    for node, (x, y) in zip(nodes, corners, strict=True):
        if runs and runs[-1][0] == node and runs[-1][3] == y and 0.0 < x - runs[-1][2] < pitch:
            runs[-1] = node, runs[-1][1], x + width, y
        else:
            runs.append((node, x, x + width, y))
    return tuple(Shelf(node, (left, y + top, right - left, height)) for node, left, right, y in runs)


def _pairs(neighbours: Array) -> tuple[tuple[int, int], ...]:
    zone, slot = np.nonzero(neighbours != NO_ZONE)
    pairs = zip(zone.tolist(), neighbours[zone, slot].tolist(), strict=True)
    return tuple(sorted({(min(pair), max(pair)) for pair in pairs}))
