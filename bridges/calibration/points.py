"""Operating points of a recording: rows of one zone that had the same allocation and about the same load."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import ConfigurationError
from metaverse_env.panels import Panel

Array = NDArray[np.float64]

NEEDED: Final = ("requests_per_s", "cpu_cores", "latency_p50_ms", "latency_ms", "allocated_cpu_cores")
_SAME_ALLOCATION: Final = 1.02
_SAME_LOAD: Final = 1.35
"""Rows whose load differs by less than this factor from a point's first belong to it."""


class Point(NamedTuple):
    """One operating point.

    Attributes:
        zone: Whose.
        allocated_cores: What its pods may use together.
        rows: ``[R, 5]`` of :data:`NEEDED`.
        pods: How many.
    """

    zone: str
    allocated_cores: float
    rows: Array
    pods: float = 1.0

    @property
    def requests_per_s(self) -> float:
        """Mean load."""
        return float(self.rows[:, 0].mean())

    @property
    def cpu_cores(self) -> float:
        """Mean use."""
        return float(self.rows[:, 1].mean())

    @property
    def latency_ms(self) -> Array:
        """``[2]``: p50 and p95, mean over rows weighted by their requests."""
        weights = self.rows[:, 0]
        mean: Array = (self.rows[:, 2:4] * weights[:, None]).sum(axis=0) / weights.sum()
        return mean

    def resampled(self, random: np.random.Generator) -> "Point":
        """Return the point with its rows drawn anew, with replacement."""
        return self._replace(rows=self.rows[random.integers(len(self.rows), size=len(self.rows))])


def operating_points(panel: Panel) -> tuple[Point, ...]:
    """Return the points of a recording; rows in which something is missing, or nobody asked, are left out.

    Raises:
        ConfigurationError: The panel lacks a feature, or has no complete row.
    """
    for name in NEEDED:
        if name not in panel.feature_names:
            raise ConfigurationError(f"panel {panel.source} has no {name}, which a calibration needs; record it")
    columns = np.stack([panel.feature(name) for name in NEEDED], axis=-1).astype(np.float64)
    pods = panel.feature("replicas") if "replicas" in panel.feature_names else np.ones(columns.shape[:2])
    points: list[Point] = []
    for index, zone in enumerate(panel.names):
        rows = columns[:, index]
        complete = ~np.isnan(rows).any(axis=1) & (rows[:, 0] > 0.0) & (rows[:, 2] > 0.0)
        points += _split(zone, rows[complete], np.nan_to_num(pods[complete, index], nan=1.0))
    if not points:
        raise ConfigurationError(f"panel {panel.source} has no row with load, CPU and latency of a zone; record longer")
    return tuple(points)


def _split(zone: str, rows: Array, pods: Array) -> Iterable[Point]:
    """Yield points: in order of allocation and load, a new one wherever either differs."""
    order = np.lexsort((rows[:, 0], rows[:, 4]))
    group: list[int] = []
    for row in order:
        if group and not _belongs(rows[row], rows[group[0]]):
            yield _point(zone, rows, pods, group)
            group = []
        group.append(int(row))
    if group:
        yield _point(zone, rows, pods, group)


def _belongs(row: Array, first: Array) -> bool:
    return bool(row[4] <= first[4] * _SAME_ALLOCATION and row[0] <= first[0] * _SAME_LOAD)


def _point(zone: str, rows: Array, pods: Array, group: list[int]) -> Point:
    return Point(zone, float(rows[group, 4].mean()), rows[group], max(1.0, float(np.median(pods[group]))))
