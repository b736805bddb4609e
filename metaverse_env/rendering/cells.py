"""Cells for the zones of a graph: where they stand and how large they can be without touching each other."""

from typing import Final

import numpy as np

from metaverse_env.rendering.designs import CARDS, Level

Array = np.ndarray

_GAP = 0.03
"""Part of a cell's width left free around its card."""

_LARGEST = 4.4
"""Most that a full card is enlarged; beyond, a picture of one zone would be coarse."""

_LEAST = 4.0
"""Width of the smallest cell, px; zones at nearly the same place rather overlap than vanish."""

_SMALL = 0.94
"""Least that a card is enlarged before the next simpler one takes its place; texts of 10 px stay 9 px."""

_WASTE: Final = 0.6
"""Zones stand in rows if their cells would else be smaller than this share of what they could be; a choice."""


def place_cells(position: Array, room: Array, unit: float) -> tuple[Array, Array]:
    """Return where cells stand, in shares of the room that they leave, and how large they are, px.

    Zones stand where the graph says unless that wastes the picture, as a circle of many does: then in rows, in their
    order and every other row backwards, so that the next one always stands beside.

    Args:
        position: ``[Z, 2]``; only the proportions of it matter.
        room: Width and height of all of it, px.
        unit: Enlargement of the picture against the reference.
    """
    share = _spread(position)
    cell = _cell(share, room, unit)
    rows = _spread(_snake(len(position), room))
    other = _cell(rows, room, unit)
    return (rows, other) if cell[0] < _WASTE * other[0] else (share, cell)


def _snake(count: int, room: Array) -> Array:
    """Return places in rows of as many cells as make these largest."""
    width, height = CARDS["full"][:2]
    best = max(range(1, count + 1), key=lambda n: min(room[0] / n / width, room[1] / -(-count // n) / height))
    row, column = np.divmod(np.arange(count), best)
    return np.stack([np.where(row % 2, best - 1 - column, column), row], axis=1).astype(np.float64)


def _spread(position: Array) -> Array:
    """Return positions stretched to fill [0, 1] in both directions; a direction without extent is centred."""
    low, extent = position.min(axis=0), np.ptp(position, axis=0)
    return np.where(extent > 0, (position - low) / np.where(extent > 0, extent, 1.0), 0.5).astype(np.float64)


def _cell(share: Array, body: Array, unit: float) -> Array:
    """Return the largest cell (width, height) of a full card's proportions such that no two overlap, if there is one.

    Cells stand at ``share * (body - cell)``, so two of them are apart in one direction if
    ``distance * (body - cell) >= cell`` there, which is ``cell <= body * distance / (1 + distance)``.
    """
    design = np.array(CARDS["full"][:2])
    largest = min(float((body / design).min()), _LARGEST * unit)
    for zone in range(1, len(share)):
        distance = np.abs(share[:zone] - share[zone])
        apart = (body * distance / (1.0 + distance) / design).max(axis=1)
        largest = min(largest, float(apart.min()))
    return np.asarray(max(largest, _LEAST / design[0]) * design)


def level_of(cell: Array) -> tuple[Level, float]:
    """Return the most telling card that a cell has room for, and how much that is enlarged."""
    for level, design in CARDS.items():
        scale = float(min(cell[0] / design.width, cell[1] / design.height)) * (1.0 - _GAP)
        if scale >= _SMALL:
            return level, scale
    return "point", scale
