"""Reading a table of latencies between its points."""

from typing import Any

from metaverse_env.compiling import stage


@stage
def locate(axis: Any, value: float) -> tuple[int, float]:
    """Return the cell of an even, ascending grid that holds ``value`` and how far into it, clipped at the ends."""
    place = min(max((value - axis[0]) * axis[1], 0.0), axis[2])
    cell = min(int(place), int(axis[2]) - 1)
    return cell, place - cell


@stage
def bilinear(surface: Any, row: int, down: float, column: int, right: float, quantile: int) -> float:
    """Return a quantile of a table ``[R, C, 3]`` within a cell, linear along both axes."""
    upper = (1.0 - right) * surface[row, column, quantile] + right * surface[row, column + 1, quantile]
    lower = (1.0 - right) * surface[row + 1, column, quantile] + right * surface[row + 1, column + 1, quantile]
    return (1.0 - down) * upper + down * lower
