"""Least squares: CPU of a request, and the constants of the quota model, with bootstrap intervals.

CPU is linear in the load. Latency is fitted in logarithms, p50 and p95 alike, over a grid of how much requests differ
and how many cores they get at once; on each point of the grid every operating point is simulated request by request.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridges.calibration.points import Point
from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.request_server import point_latency_ms
from metaverse_env.units import MS_PER_S

Array = NDArray[np.float64]

SERVICE_CVS: Final = (0.05, 0.15, 0.3, 0.45, 0.6, 0.8)
THREADS: Final = (1.0, 1.25, 1.5, 2.0, 3.0)
BASES_MS: Final = np.arange(0.0, 60.0, 0.1)
LEAST_POINTS: Final = 3
CONSTANTS: Final = ("cpu_base_cores", "cpu_per_request_ms", "base_latency_ms", "request_service_cv", "server_threads")
UNITS: Final = ("cores", "ms", "ms", "1", "threads")


class Fit(NamedTuple):
    """Constants, in the order of :data:`CONSTANTS`, and how they vary when rows are drawn anew.

    Attributes:
        constants: ``[5]``.
        low: ``[5]``, 2.5th percentile.
        high: ``[5]``, 97.5th percentile.
        error: Root mean square of the logarithm of predicted over measured latency.
    """

    constants: Array
    low: Array
    high: Array
    error: float


def fit(
    points: Sequence[Point],
    resamples: int = 200,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
) -> Fit:
    """Fit the constants.

    Args:
        points: Operating points of a recording.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
        progress: Called once for each point of the grid.

    Raises:
        ConfigurationError: Too few points, or CPU does not grow with the load.
    """
    if len(points) < LEAST_POINTS:
        raise ConfigurationError(
            f"{len(points)} operating points are too few to fit; record at least {LEAST_POINTS} loads or allocations"
        )
    cpu = _fit_cpu(points)
    grid = [(cv, threads) for cv in SERVICE_CVS for threads in THREADS]
    modelled = np.empty((len(grid), len(points), 2))
    for place, (cv, threads) in enumerate(grid):
        modelled[place] = [_modelled(point, cpu, cv, threads) for point in points]
        progress()
    constants, error = _best(points, cpu, modelled, grid)
    random = np.random.default_rng(seed)
    drawn = [[point.resampled(random) for point in points] for _ in range(resamples)]
    found = np.array([_best(one, _fit_cpu(one), modelled, grid)[0] for one in drawn])
    low, high = np.percentile(found, [2.5, 97.5], axis=0) if resamples else (constants, constants)
    return Fit(constants, low, high, error)


def _fit_cpu(points: Sequence[Point]) -> tuple[float, float]:
    """Return cores of an idle zone (at least 0) and core-seconds of a request, by least squares over all rows."""
    rows = np.concatenate([point.rows for point in points])
    design = np.column_stack([np.ones(len(rows)), rows[:, 0]])
    base, slope = np.linalg.lstsq(design, rows[:, 1], rcond=None)[0]
    if base < 0.0:
        base, slope = 0.0, float(rows[:, 0] @ rows[:, 1] / (rows[:, 0] @ rows[:, 0]))
    if slope <= 0.0:
        raise ConfigurationError("CPU does not grow with requests in this recording; record different loads")
    return float(base), float(slope)


def _modelled(point: Point, cpu: tuple[float, float], cv: float, threads: float) -> Array:
    """Return p50 and p95 of the quota model at a point, without the base latency."""
    base, slope = cpu
    demand = (base + slope * point.requests_per_s) / point.pods
    quota = point.allocated_cores / point.pods
    found: Array = point_latency_ms(demand, quota, MS_PER_S * slope, 1.0, cv, threads)[:2]
    return found


def _best(
    points: Sequence[Point], cpu: tuple[float, float], modelled: Array, grid: Sequence[tuple[float, float]]
) -> tuple[Array, float]:
    measured = np.log([point.latency_ms for point in points])
    errors = np.array([_base(own, measured) for own in modelled])
    place = int(errors[:, 1].argmin())
    cv, threads = grid[place]
    constants = np.array([cpu[0], MS_PER_S * cpu[1], errors[place, 0], cv, threads])
    return constants, float(errors[place, 1])


def _base(modelled: Array, measured: Array) -> tuple[float, float]:
    """Return the base latency that fits best, ms, and the error that is left."""
    gaps = np.log(modelled[None] + BASES_MS[:, None, None] + 1e-9) - measured[None]
    errors = np.sqrt((gaps**2).mean(axis=(1, 2)))
    best = int(errors.argmin())
    return float(BASES_MS[best]), float(errors[best])
