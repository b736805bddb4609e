"""Ways between zones: along the streets of a grid, straight where zones stand otherwise."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import dist
from typing import Final

from metaverse_env.rendering.designs import Point
from metaverse_env.rendering.layout import Layout

Points = tuple[Point, ...]

_SAME_PX: Final = 1.0
"""Zones stand in one row, or one column, if their places differ by no more."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way from zone to zone.

    Attributes:
        points: Where it leads along, px; the middles of the crowds are its ends.
        passed: Share of the way behind at each point, from 0 to 1.
    """

    points: Points
    passed: tuple[float, ...]

    def at(self, share: float) -> Point:
        """Return the place after a share of the way, px."""
        for place in range(1, len(self.points)):
            if share <= self.passed[place] or place == len(self.points) - 1:
                break
        (x0, y0), (x1, y1) = self.points[place - 1], self.points[place]
        low, high = self.passed[place - 1], self.passed[place]
        part = (share - low) / (high - low) if high > low else 0.0
        return x0 + part * (x1 - x0), y0 + part * (y1 - y0)

    def bend(self, start: float, end: float) -> tuple[Point, float]:
        """Return where a walk from one share of the way to another bends, and after which part of the walk.

        A walk past several corners bends at the first one; one past none, in its middle.
        """
        for point, passed in zip(self.points, self.passed, strict=True):
            if start < passed < end:
                return point, (passed - start) / (end - start)
        return self.at((start + end) / 2), 0.5


@lru_cache(maxsize=16)
def ways(layout: Layout) -> dict[tuple[int, int], Way]:
    """Return the ways between neighbours, in both directions."""
    found = {}
    for a, b in layout.edges:
        points = _points(layout, a, b)
        found[a, b], found[b, a] = _way(points), _way(points[::-1])
    return found


def _points(layout: Layout, a: int, b: int) -> Points:
    """Return the corners: down to the street, along it, and up again; straight from row to row."""
    (ax, ay), (bx, by) = layout.middle(a), layout.middle(b)
    if abs(ay - by) <= _SAME_PX and abs(ax - bx) > _SAME_PX:
        return (ax, ay), layout.street(a), layout.street(b), (bx, by)
    return (ax, ay), (bx, by)


def _way(points: Points) -> Way:
    lengths = [dist(a, b) for a, b in pairwise(points)]
    total, behind, passed = max(sum(lengths), 1e-6), 0.0, [0.0]
    for length in lengths:
        behind += length
        passed.append(behind / total)
    return Way(points, (*passed[:-1], 1.0))
