"""What the forecaster reads of a zone, computed by the same compiled functions in training and in every step.

Everything is a natural logarithm: a *level* is the log of a value, never below a floor that stands for nothing at all.
Levels are taken relative to the zone's own last ones, so no zone has an identity and any number of zones will do.
"""

import math
from typing import Any, Final

import numpy as np

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.history import HISTORY_FEATURES, TICKS
from metaverse_env.simulator.vectors import fill
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

EMBEDDING: Final = 32
"""Width of the intents that the networks were made for."""

HISTORY_WIDTH: Final = len(HISTORY_FEATURES)
"""Columns of a history before the intents."""

LEVELS: Final = ("users", "cpu_cores", "memory_mb", "bandwidth_mbps", "latency_ms")
FLOORS: Final = (0.5, 0.01, 1.0, 0.01, 1.0, 0.01, 1.0, 0.01)
"""The least value of :data:`LEVELS` and of the three allocations that is told from nothing, in its unit [E]."""
_LOG_FLOORS: Final = tuple(math.log(floor) for floor in FLOORS)

UTILISATIONS: Final = ("cpu_utilisation", "memory_utilisation", "bandwidth_utilisation")
_PER_TICK: Final = len(LEVELS) + len(UTILISATIONS) + 1
_RECENT_TICKS: Final = 4
"""The intents of a minute are averaged, and those of the two minutes before: their difference is what is announced."""
LEVEL_SCALE: Final = 0.25
_AGE_S: Final = 60.0

FORECAST_FEATURES: Final = (
    *(f"{name}@-{lag}" for lag in range(TICKS - 1, -1, -1) for name in (*LEVELS, *UTILISATIONS, "observed")),
    "age",
    "outgrown",
    "outgrown_memory_mb",
    "signals",
    "day_sin",
    "day_cos",
    "week_sin",
    "week_cos",
    *(f"intent_recent_{e}" for e in range(EMBEDDING)),
    *(f"intent_older_{e}" for e in range(EMBEDDING)),
)
"""Columns of the forecaster's input. A level is relative to the last one; the last one (``@-0``) is itself, over 4.

A zone that holds more memory than it was given is about to be killed and to begin anew: ``outgrown`` is 1, and beside
it is the level that it falls from. Both are 0 of all others; a network of few units is bad at such an edge.
"""

INTENT_COLUMNS: Final = ("signals", "intent_")
"""How the names of those columns begin that tell of intents."""

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
def forget_usage(levels: Any) -> None:
    """Put usage and latency at their floors: without the allocation they were measured under they cannot be read."""
    for index in range(1, 8):
        levels[index] = _LOG_FLOORS[index]


@compiled
def _write_tick(levels: Any, last: Any, observed: float, newest: bool, row: Any) -> None:
    for index in range(5):
        row[index] = LEVEL_SCALE * levels[index] if newest else levels[index] - last[index]
    for resource in range(3):
        row[5 + resource] = levels[1 + resource] - levels[5 + resource]
    row[8] = observed


@compiled
def _write_outgrown(levels: Any, row: Any) -> None:
    """Write whether more memory is used than was given, and how much; usage that is not known is at its floor."""
    outgrown = levels[2] >= levels[6] and levels[2] > _LOG_FLOORS[2]
    row[0] = 1.0 if outgrown else 0.0
    row[1] = LEVEL_SCALE * levels[2] if outgrown else 0.0


@compiled
def _mean_intents(values: Any, w: int, z: int, first: int, last: int, row: Any) -> None:
    """Write the mean intent over the ticks ``first`` to ``last`` (excluded); zeros where no intents are known."""
    width = values.shape[3] - HISTORY_WIDTH
    for e in range(len(row)):
        row[e] = 0.0
    for tick in range(first, last):
        for e in range(width):
            row[e] += values[tick, w, z, HISTORY_WIDTH + e]
    for e in range(width):
        row[e] /= last - first


@compiled
def _write_times(time_s: float, row: Any) -> None:
    day, week = 2.0 * math.pi * time_s / SECONDS_PER_DAY, 2.0 * math.pi * time_s / SECONDS_PER_WEEK
    row[0], row[1], row[2], row[3] = math.sin(day), math.cos(day), math.sin(week), math.cos(week)


@entry_point
def forecast_inputs(values: Any, bits: Any, time_s: Any, levels: Any, features: Any, last: Any) -> None:
    """Write the forecaster's inputs of all zones of all worlds.

    A tick at which neither users nor an allocation are known is blank. Usage that is not known stands at its floor,
    and so does what is told without an allocation.

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
                if values[tick, w, z, 5] == 0.0:
                    forget_usage(levels[tick])
            for tick in range(ticks):
                part = row[tick * _PER_TICK : (tick + 1) * _PER_TICK]
                if values[tick, w, z, 5] > 0.0 or values[tick, w, z, 0] > 0.0:
                    _write_tick(levels[tick], levels[ticks - 1], values[tick, w, z, 9], tick == ticks - 1, part)
                else:
                    fill(part, 0.0)
            for target in range(4):
                last[w * zones + z, target] = levels[ticks - 1, 1 + target]
            place = ticks * _PER_TICK
            row[place] = values[ticks - 1, w, z, 8] / _AGE_S
            _write_outgrown(levels[ticks - 1], row[place + 1 : place + 3])
            row[place + 3] = LEVEL_SCALE * math.log1p(values[ticks - 1, w, z, 10])
            place += 4
            _write_times(time_s[ticks - 1, w], row[place : place + 4])
            recent = ticks - _RECENT_TICKS
            _mean_intents(values, w, z, recent, ticks, row[place + 4 : place + 4 + EMBEDDING])
            _mean_intents(values, w, z, 0, recent, row[place + 4 + EMBEDDING : place + 4 + 2 * EMBEDDING])
