"""What the networks read of a zone, computed by the same compiled functions in training and in every step.

Everything is a natural logarithm: a *level* is the log of a value, never below a floor that stands for nothing at all.
Levels are taken relative to the zone's own last ones, so no zone has an identity and any number of zones will do.
"""

import math
from typing import Any, Final

import numpy as np

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.history import HISTORY_FEATURES, TICKS
from metaverse_env.simulator import streams
from metaverse_env.simulator.demand import autoregress
from metaverse_env.simulator.rng import bell, draw, place_key, tick_key
from metaverse_env.simulator.vectors import copy, fill
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

EMBEDDING: Final = 32
"""Width of the intents that the networks were made for."""

LEVELS: Final = ("users", "cpu_cores", "memory_mb", "bandwidth_mbps", "latency_ms")
ALLOCATIONS: Final = ("allocated_cpu_cores", "allocated_memory_mb", "allocated_bandwidth_mbps")
FLOORS: Final = (0.5, 0.01, 1.0, 0.01, 1.0, 0.01, 1.0, 0.01)
"""The least value of :data:`LEVELS`, then :data:`ALLOCATIONS`, that is told from nothing, in its unit [E]."""
_LOG_FLOORS: Final = tuple(math.log(floor) for floor in FLOORS)

_UTILISATIONS: Final = ("cpu_utilisation", "memory_utilisation", "bandwidth_utilisation")
_PER_TICK: Final = len(LEVELS) + len(_UTILISATIONS) + 1
_RECENT_TICKS: Final = 4
"""The intents of a minute are averaged, and those of the two minutes before: their difference is what is announced."""
_LEVEL_SCALE: Final = 0.25
_AGE_S: Final = 60.0

FORECAST_FEATURES: Final = (
    *(
        f"{name}@-{lag}"
        for lag in range(TICKS - 1, -1, -1)
        for name in (*LEVELS, *_UTILISATIONS, "observed")
    ),
    "age",
    "signals",
    "day_sin",
    "day_cos",
    "week_sin",
    "week_cos",
    *(f"intent_recent_{e}" for e in range(EMBEDDING)),
    *(f"intent_older_{e}" for e in range(EMBEDDING)),
)
"""Columns of the forecaster's input. A level is relative to the last one; the last one (``@-0``) is itself, over 4."""

LAGS: Final = 4
"""Ticks of the truth that the dynamics remembers."""

REMEMBERED_FLOORS: Final = (*FLOORS[:5], 0.01, 0.01, 0.01)
"""The least value of what it remembers: :data:`LEVELS`, then the load of each resource, served over allocated."""

DYNAMICS_FEATURES: Final = (
    "users",
    *(f"{name}_change@-{lag}" for lag in range(1, LAGS + 1) for name in LEVELS),
    *(f"{name}@-{lag}" for lag in range(1, LAGS + 1) for name in _UTILISATIONS),
    "signals",
    *(f"intent_{e}" for e in range(EMBEDDING)),
    *(f"intent_before_{e}" for e in range(EMBEDDING)),
)
"""Columns of the dynamics' input. ``users_change`` is to the present users, the others to lag 1; those of lag 1 are
levels over 4."""

INTENT_GAIN: Final = 0.25
"""Weight of a tick in the running mean of intents that the dynamics remembers."""

_LOG1P: Final = tuple(
    float(c)
    for c in np.polynomial.Chebyshev.interpolate(np.log1p, 9, domain=[0.0, 1.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)
"""ln(1 + f) on [0, 1] as a polynomial, within 1e-7."""


@compiled
def log_of_bits(bits: int) -> float:
    """Return the natural log of the positive ``float32`` whose bits these are, within 1e-6; about -88 for zero.

    Exponent and mantissa are read off the bits; unlike the library's logarithm this becomes vector instructions.
    """
    f = (bits & 0x7FFFFF) * 1.1920928955078125e-07
    c = _LOG1P
    poly = c[8] + f * c[9]
    poly = c[4] + f * (c[5] + f * (c[6] + f * (c[7] + f * poly)))
    poly = c[0] + f * (c[1] + f * (c[2] + f * (c[3] + f * poly)))
    return ((bits >> 23) - 127) * 0.6931471805599453 + poly


@compiled
def write_levels(bits: Any, levels: Any) -> None:
    """Write the eight levels of one zone at one tick from the bits of its values."""
    for index in range(8):
        levels[index] = max(log_of_bits(bits[index]), _LOG_FLOORS[index])


@compiled
def _write_tick(levels: Any, last: Any, observed: float, newest: bool, row: Any) -> None:
    for index in range(5):
        row[index] = _LEVEL_SCALE * levels[index] if newest else levels[index] - last[index]
    for resource in range(3):
        row[5 + resource] = levels[1 + resource] - levels[5 + resource]
    row[8] = observed


@compiled
def _mean_intents(values: Any, w: int, z: int, first: int, last: int, row: Any) -> None:
    """Write the mean intent over the ticks ``first`` to ``last`` (excluded); zeros where no intents are known."""
    width = values.shape[3] - 11
    for e in range(len(row)):
        row[e] = 0.0
    for tick in range(first, last):
        for e in range(width):
            row[e] += values[tick, w, z, 11 + e]
    for e in range(width):
        row[e] /= last - first


@compiled
def _write_times(time_s: float, row: Any) -> None:
    day, week = 2.0 * math.pi * time_s / SECONDS_PER_DAY, 2.0 * math.pi * time_s / SECONDS_PER_WEEK
    row[0], row[1], row[2], row[3] = math.sin(day), math.cos(day), math.sin(week), math.cos(week)


@entry_point
def forecast_inputs(values: Any, bits: Any, time_s: Any, levels: Any, features: Any, last: Any) -> None:
    """Write the forecaster's inputs of all zones of all worlds.

    Args:
        values: ``float32 [L, W, Z, 11 + E]`` of a :class:`~metaverse_env.history.History`; ``E`` is 0 or 32.
        bits: The same as ``int32``.
        time_s: ``float64 [L, W]``.
        levels: ``float32 [L, 8]``, to work in.
        features: ``float32 [W Z, features]``, written.
        last: ``float32 [W Z, 4]``, written: levels of the last usage and latency.
    """
    ticks, zones = values.shape[0], values.shape[2]
    for w in range(values.shape[1]):
        for z in range(zones):
            row = features[w * zones + z]
            for tick in range(ticks):
                write_levels(bits[tick, w, z], levels[tick])
            for tick in range(ticks):
                part = row[tick * _PER_TICK : (tick + 1) * _PER_TICK]
                if values[tick, w, z, 5] > 0.0:
                    _write_tick(levels[tick], levels[ticks - 1], values[tick, w, z, 9], tick == ticks - 1, part)
                else:
                    fill(part, 0.0)
            for target in range(4):
                last[w * zones + z, target] = levels[ticks - 1, 1 + target]
            place = ticks * _PER_TICK
            row[place] = values[ticks - 1, w, z, 8] / _AGE_S
            row[place + 1] = _LEVEL_SCALE * math.log1p(values[ticks - 1, w, z, 10])
            place += 2
            _write_times(time_s[ticks - 1, w], row[place : place + 4])
            recent = ticks - _RECENT_TICKS
            _mean_intents(values, w, z, recent, ticks, row[place + 4 : place + 4 + EMBEDDING])
            _mean_intents(values, w, z, 0, recent, row[place + 4 + EMBEDDING : place + 4 + 2 * EMBEDDING])


@compiled
def level(value: float, index: int) -> float:
    """Return the log of a remembered value, not below its floor."""
    return math.log(max(value, REMEMBERED_FLOORS[index]))


@compiled
def write_dynamics_row(users: float, ring: Any, signals: float, intent: Any, before: Any, row: Any) -> None:
    """Write the dynamics' features of one zone.

    Args:
        users: Present level.
        ring: ``[LAGS, 8]`` levels, newest first.
        signals: How many signals the present intent is the mean of.
        intent: Present intent, ``[32]``.
        before: Running mean of the intents before.
        row: Written.
    """
    row[0] = _LEVEL_SCALE * users
    for lag in range(LAGS):
        place = 1 + 5 * lag
        row[place] = ring[lag, 0] - users
        for index in range(1, 5):
            row[place + index] = ring[lag, index] - ring[0, index] if lag else _LEVEL_SCALE * ring[0, index]
        for resource in range(3):
            row[1 + 5 * LAGS + 3 * lag + resource] = ring[lag, 5 + resource]
    place = 1 + 8 * LAGS
    row[place] = _LEVEL_SCALE * math.log1p(signals)
    for e in range(EMBEDDING):
        row[place + 1 + e] = intent[e]
        row[place + 1 + EMBEDDING + e] = before[e]


@compiled
def remember(ring: Any, now: Any) -> None:
    """Put the levels of an outcome in front of a zone's ring ``[LAGS, 8]``; the oldest is forgotten."""
    for lag in range(LAGS - 1, 0, -1):
        for index in range(8):
            ring[lag, index] = ring[lag - 1, index]
    ring[0, 0] = level(now.users, 0)
    ring[0, 4] = level(now.latency_ms, 4)
    for resource in range(3):
        ring[0, 1 + resource] = level(now.demand[resource], 1 + resource)
        ring[0, 5 + resource] = level(now.served[resource] / now.allocation[resource], 5 + resource)


@compiled
def _coming(z: int, slot: int, remote: Any, edges: Any) -> float:
    """Return what share of a neighbour's demand comes to a zone."""
    other = edges[z, slot].zone
    if other >= 0:
        for back in range(edges.shape[1]):
            if edges[other, back].zone == z:
                return remote[other, back]
    return 0.0


@compiled
def _staying(z: int, remote: Any) -> float:
    """Return what share of its own demand a zone serves."""
    stays = 1.0
    for slot in range(remote.shape[1]):
        stays -= remote[z, slot]
    return max(stays, 0.0)


@entry_point
def dynamics_inputs(
    worlds: Any, zones: Any, remote: Any, outcome: Any, telemetry: Any, intents: Any, edges: Any, keep: Any,
    ring: Any, before: Any, first: int, features: Any, last: Any, allocation: Any, stays: Any, comes: Any,
    demand_noise: Any, latency_noise: Any,
) -> None:  # fmt: skip
    """Write the dynamics' inputs of a tick whose people and allocations are settled; advance residuals and intents.

    Args:
        worlds, zones, remote: Of the state.
        outcome, telemetry, intents: Of the output, as :func:`~metaverse_env.simulator.entry.step_people` leaves them.
        edges: Record ``[Z, D]`` of the constants.
        keep: ``float32 [4]``, correlation of the residuals from tick to tick.
        ring: ``float32 [W, Z, LAGS, 8]``.
        before: ``float32 [W, Z, 32]``, running mean of intents; updated.
        first: The first of the block of worlds to write; the inputs say how many they are.
        features, last, allocation, stays, comes, demand_noise, latency_noise: Written, ``float32 [B Z, …]``, the inputs
            of :class:`~predictors.stgnn.model.DynamicsNet`.
    """
    count = zones.shape[1]
    for row in range(len(features)):
        w, z = first + row // count, row % count
        zone, now = zones[w, z], outcome[w, z]
        zone_key = place_key(tick_key(worlds[w].noise_key, worlds[w].tick), z)
        for target in range(4):
            shock = bell(draw(zone_key, streams.RESIDUAL + target))
            zone.residual[target] = autoregress(zone.residual[target], keep[target], shock)
        copy(demand_noise[row], zone.residual[:3])
        latency_noise[row, 0] = zone.residual[3]
        signals, intent = telemetry[w, z].signals, intents[w, z]
        write_dynamics_row(level(now.users, 0), ring[w, z], signals, intent, before[w, z], features[row])
        stays[row, 0] = _staying(z, remote[w])
        for slot in range(edges.shape[1]):
            comes[row, slot, 0] = _coming(z, slot, remote[w], edges)
        for target in range(4):
            last[row, target] = ring[w, z, 0, 1 + target]
        for resource in range(3):
            allocation[row, resource] = math.log(now.allocation[resource])
        for e in range(EMBEDDING):
            before[w, z, e] += INTENT_GAIN * (intent[e] - before[w, z, e])


@entry_point
def remember_tick(outcome: Any, ring: Any) -> None:
    """Remember what a tick turned out to be.

    Args:
        outcome: Record ``[W, Z]``.
        ring: ``float32 [W, Z, LAGS, 8]``, changed.
    """
    for w in range(outcome.shape[0]):
        for z in range(outcome.shape[1]):
            remember(ring[w, z], outcome[w, z])


assert len(HISTORY_FEATURES) == 11, "the columns of the history that the functions above count on"
