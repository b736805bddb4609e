"""The periods at which a series repeats itself: by the calendar where there are times, else by its autocorrelation."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK
from predictors.forecasting.scaling import Floats, moments

Array = NDArray[np.float64]

LEAST_SEASONS: Final = 2
"""A season is one if the training part holds it this often."""
LEAST_CORRELATION: Final = 0.15
"""Autocorrelation of differences at which a season is believed [E]."""
LEAST_ERRORS: Final = 1.2
"""And how many times the highest that chance gives among so many lags [E]."""
NEARLY: Final = 0.8
"""Of the highest correlation: how much the first of its equals has [E]."""
DIP: Final = 0.5
"""Of a peak's height: below it the correlation must have fallen before the peak, or it only never fell yet [E]."""
LEAST_SEARCHED: Final = 9
"""Ticks in which a season can be searched."""
MOST_SEARCHED: Final = 64
"""Series that are searched."""
_WHOLE: Final = 0.01
"""Of a step: how far from a whole number of steps a day or week may be."""


def calendar_seasons(step_s: float, ticks: int) -> tuple[int, ...]:
    """Return day and week, in ticks, if so many ticks hold them often enough.

    >>> calendar_seasons(3600.0, 400)
    (24, 168)
    """
    periods = (SECONDS_PER_DAY / step_s, SECONDS_PER_WEEK / step_s)
    whole = [round(period) for period in periods if period >= 2.0 and abs(period - round(period)) < _WHOLE]
    return tuple(period for period in whole if ticks >= LEAST_SEASONS * period)


def find_season(values: Floats) -> tuple[int, ...]:
    """Return the period at which ``values [T, N, F]`` repeat themselves most, on the mean over columns, if they do.

    Periods from ``4 d`` to ``8 d`` are searched in differences over ``d`` ticks, for ``d`` of 1, 2, 4, …: a slow season
    hardly shows in those over one tick, and those of a random walk have no correlation beyond ``d``.

    >>> find_season(np.sin(2.0 * np.pi * np.arange(100.0) / 10.0)[:, None, None])
    (10,)
    """
    ticks = len(values)
    columns = values.reshape(ticks, -1)[:, :MOST_SEARCHED].astype(np.float64)
    longest = (ticks - 1) // LEAST_SEASONS
    found: dict[int, float] = {}
    step = 1
    while ticks >= LEAST_SEARCHED and 4 * step < longest:
        correlation, pairs = _autocorrelation(columns[step:] - columns[:-step])
        # Bartlett's formula: overlapping differences are worth fewer ticks, and so are the lags that are tried.
        spread = 1.0 + 2.0 * float((correlation[1 : step + 1] ** 2).sum())
        chance = np.sqrt(2.0 * np.log(max(longest / spread, 2.0)) * spread / np.maximum(pairs, 1.0))
        sure = np.maximum(LEAST_ERRORS * chance, LEAST_CORRELATION)
        peaks = _peaks(correlation, sure, step, min(8 * step, longest))
        if any(lag >= 4 * step for lag in peaks):
            season = _exact(correlation, _first_of_equals({lag: float(correlation[lag]) for lag in peaks}))
            found[season] = max(float(correlation[season]), found.get(season, 0.0))
        step *= 2
    return (_first_of_equals(found),) if found else ()


def _peaks(correlation: Array, sure: Array, step: int, end: int) -> list[int]:
    """Return lags beyond ``step`` where the correlation is high, highest around, and had fallen before."""
    found = []
    for lag in range(step + 2, end):
        around, before = correlation[lag - lag // 4 : lag + lag // 4 + 1], correlation[step + 1 : lag]
        height = correlation[lag]
        if height >= max(sure[lag], around.max()) and before.min() < DIP * height:
            found.append(lag)
    return found


def _first_of_equals(heights: dict[int, float]) -> int:
    """Return the first of nearly the highest: a season also shows at its multiples."""
    highest = max(heights.values())
    return min(lag for lag, height in heights.items() if height >= NEARLY * highest)


def _exact(correlation: Array, lag: int) -> int:
    """Return the period near a lag whose multiples are highest on the mean; they tell it more exactly."""
    end = max(3 * len(correlation) // 4, lag + 1)
    near = range(max(lag - lag // 8, 2), lag + lag // 8 + 1)
    return max(near, key=lambda period: float(correlation[period:end:period].mean()) if period < end else -1.0)


def _autocorrelation(changes: Array) -> tuple[Array, Array]:
    """Return for each lag the mean correlation of columns ``[T, K]``, NaN where unknown, and how many pairs tell it.

    Pairs of columns that move together count less: ``K`` columns of correlations ``c`` are worth ``K^2 / sum(c^2)``.
    """
    mean, deviation = moments(changes[..., None])
    moving = deviation[:, 0] > 0.0
    standard = (changes[:, moving] - mean[moving, 0]) / deviation[moving, 0]
    known = np.isfinite(standard)
    standard = np.where(known, standard, 0.0)
    together = (standard.T @ standard) ** 2 / np.maximum(np.outer(known.sum(axis=0), known.sum(axis=0)), 1)
    worth = standard.shape[1] / max(float(together.sum()), 1.0)
    pairs = _sums_of_lagged(known.astype(np.float64))
    return _sums_of_lagged(standard) / np.maximum(pairs, 1.0), pairs * worth


def _sums_of_lagged(columns: Array) -> Array:
    """Return for each lag the sum of products of values so far apart, over all columns."""
    power = np.abs(np.fft.rfft(columns, 2 * len(columns), axis=0)) ** 2
    sums: Array = np.fft.irfft(power.sum(axis=1), 2 * len(columns))[: len(columns)]
    return sums
