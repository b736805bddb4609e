"""What the shield has to know about zones, as arrays, taken from what a cluster and its telemetry say."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from bridges.contracts import Bounds, Readings, Workload
from bridges.shield.clamps import MEMORY, QUANTITIES, REPLICAS
from metaverse_env.telemetry import Forecast

Array = np.ndarray

MEDIAN, HIGHEST = 0, 2
"""Places of the .5 and .99 quantiles in a forecast."""
MOST_REPLICAS: Final = 10_000.0
_PARTS: Final = dict(zip(("cpu", "memory", "bandwidth", "replicas"), QUANTITIES, strict=True))
"""How :attr:`bridges.contracts.Workload.held` calls the quantities."""


class Killed(NamedTuple):
    """A container's kill as a cluster reports it: zone, Unix time, and the memory that it had, MB."""

    zone: str
    unix_s: float
    had_mb: float


class Facts(NamedTuple):
    """What is so.

    Attributes:
        zones: Names, ``Z`` of them.
        now: ``[Z, 4]``, what they are asked to have; ``nan`` where that is not said.
        least: ``[Z, 4]``, limits.
        most: ``[Z, 4]``, limits.
        lower: ``[Z, 4]``, what the forecast's median needs; ``nan`` without one.
        upper: ``[Z, 4]``, what its highest quantile needs.
        memory_used_mb: ``[Z]``, of a pod; ``nan`` where it is not known.
        grow_only: ``bool [Z]``, where nothing may be taken away: what is known is old, or too little is known.
        killed: Latest kills.
        held: Zone and quantity to why nothing is asked of it now: others decide about it, or people said so.
    """

    zones: tuple[str, ...]
    now: Array
    least: Array
    most: Array
    lower: Array
    upper: Array
    memory_used_mb: Array
    grow_only: Array
    killed: tuple[Killed, ...] = ()
    held: Mapping[tuple[str, str], str] = {}

    def mask(self) -> Array:
        """Return ``bool [Z, 4]``, what is held."""
        return np.array([[(zone, name) in self.held for name in QUANTITIES] for zone in self.zones], dtype=np.bool_)


class Limits(NamedTuple):
    """Least and most of a zone, all its pods together (cores, MB, Mbps), as a scenario has them; and of its pods."""

    least: tuple[float, float, float]
    most: tuple[float, float, float]
    replicas: tuple[float, float] = (1.0, MOST_REPLICAS)


def has(workloads: Sequence[Workload]) -> Array:
    """Return ``[Z, 4]``, what pods may use, and how many; ``nan`` where that is not said, or there are none."""
    rows = [(*one.ceiling, one.bandwidth_mbps, float(one.replicas)) for one in workloads]
    values = np.array(rows, dtype=np.float64).reshape(-1, len(QUANTITIES))
    return np.where(values > 0.0, values, np.nan)


def limits_of(workloads: Sequence[Workload], limits: Limits, bounds: Bounds) -> tuple[Array, Array]:
    """Return ``[Z, 4]`` twice, least and most: the zone's limits over its pods, within what the namespace allows."""
    pods = np.array([max(one.replicas, 1) for one in workloads], dtype=np.float64)[:, None]
    columns = [np.column_stack([np.array(side)[None] / pods, np.full(len(pods), limits.replicas[n])])
               for n, side in enumerate((limits.least, limits.most))]  # fmt: skip
    for quantity, (low, high) in enumerate(zip(bounds.least, bounds.most, strict=True)):
        columns[0][:, quantity] = np.maximum(columns[0][:, quantity], 0.0 if low is None else low)
        columns[1][:, quantity] = np.minimum(columns[1][:, quantity], np.inf if high is None else high)
    return columns[0], np.maximum(columns[0], columns[1])


def demand_of(forecast: Forecast) -> Array:
    """Return ``[Z, 3, 3]``, the most that is foretold within the horizon: cores, MB, Mbps by quantile."""
    most: Array = forecast.values[0, :, :, :REPLICAS].astype(np.float64).max(axis=1)
    return most


def needs_of(
    demand: Array | None, now: Array, utilisation: tuple[float, float], horizontal: bool
) -> tuple[Array, Array]:
    """Return ``[Z, 4]`` twice, what the median and the highest quantile of demand need over all ticks ahead.

    Args:
        demand: ``[Z, 3, 3]``, cores, MB, Mbps of zones by quantile, as forecast, or ``None``; see :func:`demand_of`.
        now: ``[Z, 4]``: demand is shared by so many pods, or so large pods share it.
        utilisation: Least and most that is sensible: more is provided than demand over the least of them by nobody.
        horizontal: Whether pods are counted, or their size changes.
    """
    if demand is None:
        return np.full(now.shape, np.nan), np.full(now.shape, np.nan)
    together = demand[..., MEDIAN] / utilisation[1], demand[..., HIGHEST] / utilisation[0]
    lower, upper = (_by_pods(one, now) if horizontal else _by_size(one, now) for one in together)
    return lower, upper


def _by_size(need: Array, now: Array) -> Array:
    return np.column_stack([need / now[:, REPLICAS:], np.full(len(need), np.nan)])


def _by_pods(need: Array, now: Array) -> Array:
    pods = np.ceil(np.fmax.reduce(need / now[:, :REPLICAS], axis=1))
    return np.column_stack([np.full((len(need), REPLICAS), np.nan), pods])


def memory_used(workloads: Sequence[Workload], readings: Readings) -> Array:
    """Return ``[Z]``, memory in use by one pod, MB, fresh or last known; ``nan`` where there is none."""
    values = [readings.get(one.zone, {}).get("memory_mb") for one in workloads]
    used = [np.nan if reading is None or reading.value is None else reading.value for reading in values]
    each: Array = np.array(used, dtype=np.float64) / np.array([max(one.ready_replicas, 1) for one in workloads])
    return each


def held_of(workloads: Sequence[Workload], zones: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return what is not asked for now, zone and quantity to the reason.

    Args:
        workloads: Say which of their parts others decide about.
        zones: Those that are held as a whole, to the reason.
    """
    parts = {(one.zone, _PARTS[part]): why for one in workloads for part, why in one.held.items() if part in _PARTS}
    return parts | {(zone, name): why for zone, why in zones.items() for name in QUANTITIES}


def kills_of(workloads: Sequence[Workload]) -> tuple[Killed, ...]:
    """Return every pod's latest kill."""
    return tuple(
        Killed(one.zone, pod.killed_for_memory_s, max(pod.limits.memory_mb or 0.0, pod.requests.memory_mb or 0.0))
        for one in workloads
        for pod in one.pods
        if pod.killed_for_memory_s is not None
    )


def peak_memory(facts: Facts) -> Array:
    """Return ``[Z]``, the larger of memory asked for and in use, MB."""
    peak: Array = np.fmax(facts.now[:, MEMORY], facts.memory_used_mb)
    return peak
