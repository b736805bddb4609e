"""The compiled loops that write observations; :mod:`metaverse_env.observation` says what their entries mean."""

import math
from typing import Any, Final

from metaverse_env.compiling import compiled, entry_point, stage
from metaverse_env.simulator import rows
from metaverse_env.simulator.arithmetic import log2
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

_LOGS: Final = 9
"""Features of a zone that are logarithms: users, allocation, what is pending, latency and its trend."""


@stage
def clip(value: float) -> float:
    """Return ``value`` within [-1, 1]."""
    return min(max(value, -1.0), 1.0)


@stage
def ratio(value: float, reference: float) -> float:
    """Return ``value`` over ``reference``, 0 if either is nothing at all."""
    return value / reference if (value > 0.0) & (reference > 0.0) else 0.0


@stage
def log_ratio(value: float, reference: float, doublings: float) -> float:
    """Return log2(value / reference) / doublings within [-1, 1]; -1 for nothing at all."""
    return clip(log2(ratio(value, reference)) * (1.0 / doublings))


@stage
def share(value: float, most: float) -> float:
    """Map 0..most to -1..1."""
    return clip(2.0 * value / most - 1.0)


@stage
def users_trend(now: Any, before: Any) -> float:
    """Return the relative change of users, doubled, within [-1, 1]."""
    return clip(2.0 * (now.users - before.users) / max(before.users, 1.0))


@stage
def _write_logs(now: Any, before: Any, pending: Any, peaks: Any, objective_ms: float, logs: Any) -> None:
    """Write the :data:`_LOGS` binary logarithms of some zones; in a row, eight are taken at once."""
    for z in range(len(now)):
        row = logs[_LOGS * z : _LOGS * (z + 1)]
        row[0] = 1.0 + now[z].users
        for resource in range(3):
            allocation = now[z].allocation[resource]
            row[1 + resource] = ratio(allocation, peaks[z, 1 + resource])
            row[4 + resource] = ratio(pending[z].allocation[resource], allocation)
        row[7] = ratio(now[z].latency_ms, objective_ms)
        row[8] = ratio(now[z].latency_ms, before[z].latency_ms)
    for n in range(_LOGS * len(now)):
        logs[n] = log2(logs[n])


@stage
def _observe_zone(now: Any, before: Any, pending: Any, peak: Any, logs: Any, row: Any) -> None:
    row[0] = share(logs[0], peak[0])
    for resource in range(3):
        row[1 + resource] = share(now.usage[resource] / now.allocation[resource], 1.0)
        row[4 + resource] = clip(logs[1 + resource] * (1.0 / 4.0))
        row[7 + resource] = clip(logs[4 + resource] * (1.0 / 2.0))
    row[10] = share(pending.handover, 1.0)
    row[11] = clip(logs[7] * (1.0 / 4.0))
    row[12] = users_trend(now, before)
    row[13] = clip(logs[8] * (1.0 / 2.0))
    row[16] = share(now.age_s, 120.0)
    row[17], row[18] = 2.0 * now.observed - 1.0, 2.0 * now.ready - 1.0
    row[19] = share(now.restarts, 4.0)
    row[20] = clip(now.node_free)


@stage
def _observe_zones(zones: Any, before: Any, pending: Any, peaks: Any, objective_ms: float, features: Any) -> None:
    """Write what zones show of themselves into ``features [Z, …]``."""
    logs = rows.floats()
    for first in range(0, len(zones), rows.ZONES):
        last = min(first + rows.ZONES, len(zones))
        now, then, wish = zones[first:last], before[first:last], pending[first:last]
        _write_logs(now, then, wish, peaks[first:last], objective_ms, logs)
        for z in range(len(now)):
            own = logs[_LOGS * z : _LOGS * (z + 1)]
            _observe_zone(now[z], then[z], wish[z], peaks[first + z], own, features[first + z])


@stage
def _pool_neighbours(neighbours: Any, features: Any, row: Any) -> None:
    """Pool what has been observed of the neighbours; ``features [Z, …]``."""
    count, utilisation, trend = 0, 0.0, 0.0
    for slot in range(len(neighbours)):
        if neighbours[slot] >= 0:
            other = features[neighbours[slot]]
            count += 1
            utilisation += max(other[1], other[2], other[3])
            trend += other[12]
    row[14] = utilisation / count if count > 0 else -1.0
    row[15] = trend / max(count, 1)


@compiled
def _observe_forecast(values: Any, pending: Any, objective_ms: float, row: Any, first: int) -> None:
    for tick in range(values.shape[0]):
        for target in range(4):
            for quantile in range(2):
                value, place = values[tick, target, quantile], first + 8 * tick + 2 * target + quantile
                if target == 3:
                    row[place] = log_ratio(value, objective_ms, 4.0)
                else:
                    row[place] = log_ratio(value, pending.allocation[target], 2.0)


@compiled
def _observe_world(weather: Any, row: Any) -> None:
    day, week = 2.0 * math.pi * weather.time_s / SECONDS_PER_DAY, 2.0 * math.pi * weather.time_s / SECONDS_PER_WEEK
    row[0], row[1], row[2], row[3] = math.sin(day), math.cos(day), math.sin(week), math.cos(week)
    row[4] = log_ratio(weather.price_factor, 1.0, 1.0)


@entry_point
def observe(
    zones: Any,
    before: Any,
    weather: Any,
    pending: Any,
    forecast: Any,
    out: Any,
    peaks: Any,
    neighbours: Any,
    objective_ms: float,
) -> None:
    """Write the observations of all worlds into ``out [W, size]``; see :class:`~metaverse_env.observation.Observer`."""
    first, width = 21, 21 + 8 * forecast.shape[2]
    for w in range(zones.shape[0]):
        features = out[w, : zones.shape[1] * width].reshape(zones.shape[1], width)
        _observe_zones(zones[w], before[w], pending[w], peaks, objective_ms, features)
        if forecast.shape[2]:
            for z in range(zones.shape[1]):
                _observe_forecast(forecast[w, z], pending[w, z], objective_ms, features[z], first)
        for z in range(zones.shape[1]):
            _pool_neighbours(neighbours[z], features, features[z])
        _observe_world(weather[w], out[w, zones.shape[1] * width :])
