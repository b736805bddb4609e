"""What is known when a forecast is made: one set of inputs, read by the linear models, the trees and the network.

Everything is a level (:mod:`predictors.forecasting.scaling`) relative to the last one observed, so a zone that moves to
another level takes its forecast along. Seasonal inputs are aligned with the *target*: what the series did from the same
time of day to the target's, one season ago. A value that was not observed is the one before it, and ``observed`` says
so; before the first one stands the zone's mean.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import SECONDS_PER_DAY
from predictors.forecasting.scaling import Floats, Scaling
from predictors.forecasting.series import Series

Ticks = NDArray[np.int64]

LEAST_PROFILE_SEASONS: Final = 3
"""A profile is a mean over at least this many repetitions of the training part."""
CALENDAR: Final = 13
"""Columns of the calendar: three harmonics of the day, and the day of the week."""
INTENT_TICKS: Final = 4
"""The mean intent of the last ticks, and that of as many before, are read."""


class Inputs(NamedTuple):
    """Inputs at ``B`` origins.

    Attributes:
        last: ``[B, N, F]``, the last level observed.
        lags: ``[B, N, F, L - 1]``, the levels before, relative to it.
        observed: ``[B, N, F, L]``, 1 where a lag was observed, newest first.
        seasonal: ``[H, B, N, F, S]``: for each season, change to the target one season ago, and distance of the
            last level to that of a season ago; and the same of the mean profile.
        calendar: ``[B, 13]``; zeros without times.
        intents: ``[B, N, 2 D]``; zeros where unknown. ``D`` is 0 without intents.
    """

    last: Floats
    lags: Floats
    observed: Floats
    seasonal: Floats
    calendar: Floats
    intents: Floats


@dataclass(frozen=True, eq=False)
class Windows:
    """Cuts inputs and targets out of a series. Made by :func:`make_windows`.

    Attributes:
        series: See there.
        scaling: Fitted to the training part.
        lags: ``L``, how many ticks are looked back, the present one included.
        horizons: Ticks ahead.
        levels: ``[T, N, F]``, NaN where unobserved.
        held: The same, with what is unobserved held.
        profile: ``[P, N, F]``, mean training level over the longest season that repeats often enough, or ``None``.
    """

    series: Series
    scaling: Scaling
    lags: int
    horizons: tuple[int, ...]
    levels: Floats
    held: Floats
    profile: Floats | None

    @property
    def seasonal_columns(self) -> int:
        """``S``, columns of the seasonal inputs."""
        return 2 * (len(self.series.seasons) + (self.profile is not None))

    def inputs(self, origins: Ticks) -> Inputs:
        """Return what is known at origins ``[B]``."""
        last = self.held[origins]
        ticks = origins[:, None] - np.arange(self.lags)
        there = np.maximum(ticks, 0)
        lags = np.moveaxis(self.held[there[:, 1:]] - last[:, None], 1, -1)
        observed = np.isfinite(self.levels[there]) & (ticks >= 0)[..., None, None]
        seasonal = np.stack([self._seasonal(origins, last, horizon) for horizon in self.horizons])
        observed_last = np.moveaxis(observed, 1, -1).astype(np.float32)
        return Inputs(last, lags, observed_last, seasonal, self._calendar(origins), self._intents(origins))

    def _seasonal(self, origins: Ticks, last: Floats, horizon: int) -> Floats:
        columns = []
        for season in self.series.seasons:
            back = season * -(-horizon // season)
            before = self.held[np.maximum(origins - back, 0)]
            target = np.where(
                (origins >= back)[:, None, None], self.held[np.maximum(origins + horizon - back, 0)], before
            )
            columns += [target - before, last - before]
        if self.profile is not None:
            now = self.profile[origins % len(self.profile)]
            columns += [self.profile[(origins + horizon) % len(self.profile)] - now, last - now]
        return np.stack(columns, axis=-1) if columns else np.zeros((*last.shape, 0), np.float32)

    def _calendar(self, origins: Ticks) -> Floats:
        columns = np.zeros((len(origins), CALENDAR), dtype=np.float32)
        if self.series.seconds is not None:
            seconds = self.series.seconds[origins]
            angles = 2.0 * np.pi * np.arange(1, 4) * (seconds % SECONDS_PER_DAY / SECONDS_PER_DAY)[:, None]
            columns[:, :3], columns[:, 3:6] = np.sin(angles), np.cos(angles)
            columns[np.arange(len(origins)), 6 + (seconds // SECONDS_PER_DAY % 7).astype(int)] = 1.0
        return columns

    def _intents(self, origins: Ticks) -> Floats:
        intents = self.series.intents
        if intents is None:
            return np.zeros((len(origins), self.levels.shape[1], 0), dtype=np.float32)
        ticks = np.maximum(origins[:, None] - np.arange(2 * INTENT_TICKS), 0)
        recent = np.nan_to_num(intents[ticks])
        halves = recent[:, :INTENT_TICKS].mean(axis=1), recent[:, INTENT_TICKS:].mean(axis=1)
        return np.concatenate(halves, axis=-1).astype(np.float32)

    def targets(self, origins: Ticks, first: int, end: int) -> tuple[Floats, Floats]:
        """Return levels ``[H, B, N, F]`` of the targets and weights: 1 where observed and in ``[first, end)``."""
        ticks = origins + np.array(self.horizons)[:, None]
        inside = (ticks >= first) & (ticks < end)
        levels = self.levels[np.minimum(ticks, len(self.levels) - 1)]
        weights = np.isfinite(levels) & inside[..., None, None]
        return np.where(weights, levels, np.float32(0.0)), weights.astype(np.float32)

    def origins(self, first: int, end: int) -> Ticks:
        """Return all origins with a target in ``[first, end)``; of the training part those of all horizons."""
        return np.arange(max(first - max(self.horizons), 0), end - min(self.horizons))


def make_windows(
    series: Series, scaling: Scaling, lags: int, horizons: tuple[int, ...], profiled: bool = True
) -> Windows:
    """Prepare the levels of a series, with or without a profile; see :class:`Windows`."""
    levels = scaling.levels(series.values)
    profile = _profile(levels[: series.train_end], series.seasons) if profiled else None
    return Windows(series, scaling, lags, horizons, levels, hold(levels), profile)


def hold(values: Floats, before: Floats | float = 0.0) -> Floats:
    """Replace what was not observed by the last value before it, and by ``before`` where there is none.

    >>> hold(np.array([np.nan, 2.0, np.nan, 3.0], np.float32)[:, None, None]).ravel()
    array([0., 2., 2., 3.], dtype=float32)
    """
    rows = np.arange(len(values), dtype=np.int32)[:, None, None]
    newest = np.maximum.accumulate(np.where(np.isfinite(values), rows, np.int32(0)), axis=0)
    held: Floats = np.take_along_axis(values, newest, axis=0)
    return np.where(np.isfinite(held), held, np.asarray(before, dtype=held.dtype))


def repeated_season(seasons: tuple[int, ...], ticks: int) -> int | None:
    """Return the longest season that so many ticks repeat often enough for a mean, or ``None``."""
    often = [season for season in seasons if ticks >= LEAST_PROFILE_SEASONS * season]
    return often[-1] if often else None


def _profile(levels: Floats, seasons: tuple[int, ...]) -> Floats | None:
    """Return the mean level at each tick of the longest season that is repeated often enough."""
    season = repeated_season(seasons, len(levels))
    if season is None:
        return None
    rows = -(-len(levels) // season) * season
    padded = np.full((rows, *levels.shape[1:]), np.nan, dtype=np.float32)
    padded[: len(levels)] = levels
    repeated = padded.reshape(-1, season, *levels.shape[1:])
    count = np.isfinite(repeated).sum(axis=0)
    mean: Floats = (np.nansum(repeated, axis=0) / np.maximum(count, 1)).astype(np.float32)
    return mean
