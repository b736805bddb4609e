"""The latency table of a tick server, read from the package and cut for one scenario.

The table is made by :mod:`~metaverse_env.simulator.tick_server`; here it is only read, so that a world starts without
simulating anything.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np

from metaverse_env.errors import ConfigurationError

Array = np.ndarray

TABLE_NAME: Final = "tick_surfaces.npz"
TABLE_PERIOD_MS: Final = 100.0
"""Period of the CPU quota in the table, ms: the kernel's default. [V]"""


@dataclass(frozen=True, eq=False)
class TickSurface:
    """Response times of one kind of tick server.

    Attributes:
        rho_grid: ``float32 [R]``, ascending and evenly spaced: demand over quota.
        threads_utilisation_grid: ``float32 [U]``, likewise: demand over threads.
        latency_ms: ``float32 [R, U, 3]``: p50, p95, p99 of scheduled start to end of a frame; never falls along R or U.
    """

    rho_grid: Array
    threads_utilisation_grid: Array
    latency_ms: Array


@cache
def read_table() -> dict[str, Array]:
    """Return the arrays of the shipped table by name; not to be written to."""
    with (resources.files("metaverse_env.data") / TABLE_NAME).open("rb") as file, np.load(file) as table:
        return {name: table[name] for name in table.files}


def axis_of(grid: Array) -> Array:
    """Return an evenly spaced grid as ``float64 [3]``: its first point, cells per unit, cells; enough to find a cell.

    >>> axis_of(np.array([0.25, 0.5, 0.75])).tolist()
    [0.25, 4.0, 2.0]
    """
    cells = len(grid) - 1
    return np.array([grid[0], cells / (float(grid[-1]) - float(grid[0])), cells], dtype=np.float64)


def load_tick_surface(server_tick_hz: float, cv: float, cfs_period_ms: float = TABLE_PERIOD_MS) -> TickSurface:
    """Return the surface of a tick server, interpolated linearly in the time of a frame and in the CV of its work.

    Time has no scale of its own here: halving both the frame and the quota's period halves every response time. So any
    period is served from the table, as long as the number of frames in a period stays within it.

    Args:
        server_tick_hz: Frames per second.
        cv: Coefficient of variation of the work in a frame.
        cfs_period_ms: Period of the CPU quota.

    Raises:
        ConfigurationError: The frame rate or the CV lies outside the table.

    >>> load_tick_surface(30.0, 0.3).latency_ms.shape[-1]
    3
    """
    table, scale = read_table(), cfs_period_ms / TABLE_PERIOD_MS
    hz = table["server_tick_hz"]
    _check("service.server_tick_hz", server_tick_hz, hz / scale, "Hz", f" with a quota period of {cfs_period_ms:g} ms")
    _check("service.server_cv", cv, table["cv"], "", "")
    by_frame = _weights(-1.0 / hz, -1.0 / (server_tick_hz * scale))
    latency_ms = scale * np.einsum("h,c,hcruq->ruq", by_frame, _weights(table["cv"], cv), table["latency_ms"])
    return TickSurface(table["rho_grid"], table["threads_utilisation_grid"], latency_ms.astype(np.float32))


def _weights(grid: Array, value: float) -> Array:
    """Return the weight of each grid point in a linear interpolation."""
    return np.array([np.interp(value, grid, point) for point in np.eye(len(grid))])


def _check(name: str, value: float, grid: Array, unit: str, condition: str) -> None:
    low, high, slack = float(grid.min()), float(grid.max()), 1e-6
    if not low - slack <= value <= high + slack:
        raise ConfigurationError(
            f"{name} = {value:g} {unit}".rstrip()
            + f" is outside the table of tick servers, which has {low:g} to {high:g} {unit}".rstrip()
            + f"{condition}. Choose a value within it, or service.model = 'request'."
        )
