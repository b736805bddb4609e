"""Forecasts that need no network: what any other has to be better than."""

from collections.abc import Callable

import numpy as np

from predictors.forecasting.forecasts import Forecasts, Study
from predictors.forecasting.linear import blocks
from predictors.forecasting.margins import with_margins
from predictors.forecasting.progress import Report
from predictors.forecasting.scaling import Floats, training_mean
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.windows import Ticks, hold, repeated_season


def persistence(study: Study) -> Forecasts:
    """Forecast the last value observed."""
    return _held(study, study.horizons)


def seasonal_naive(study: Study) -> Forecasts:
    """Forecast the value one season before the target: the longest season; persistence where there is none.

    A season that is shorter than the horizon is gone back several times.
    """
    if not study.series.seasons:
        return persistence(study)
    season = study.series.seasons[-1]
    return _held(study, tuple(season * -(-horizon // season) for horizon in study.horizons))


def _held(study: Study, back: tuple[int, ...]) -> Forecasts:
    """Forecast the value held so many ticks before each target; where none was observed yet, the training mean."""
    series = study.series
    values = hold(series.values, training_mean(series.values[: series.train_end]))
    targets = np.arange(series.train_end, len(values))
    found = np.stack([values[np.maximum(targets - ticks, 0)] for ticks in back])
    return with_margins(found, found, series)


def seasonal_deviation(study: Study) -> Forecasts:
    """Forecast that the deviation from the mean season persists; persistence where no season repeats thrice."""
    if repeated_season(study.series.seasons, study.series.train_end) is None:
        return persistence(study)
    return _linear(study, lambda name: name == "profile")


def ridge(study: Study) -> Forecasts:
    """Forecast by ridge regression on lags and seasons: scaling, columns and penalties that do best on validation."""
    return _linear(study, lambda name: name not in ("profile", "persistence"))


def _linear(study: Study, allowed: Callable[[str], bool]) -> Forecasts:
    study.report(0.0, "fitting")
    linear = best_linear(study.series, study.lags, study.horizons, allowed)
    median, mean = linear_values(linear, study.series.train_end, study.report)
    return with_margins(median, mean, study.series)


def linear_values(linear: Linear, first: int, report: Report) -> Floats:
    """Return values ``[2, H, T', N, F]``, medians and means, that it forecasts for targets from ``first`` on."""
    windows = linear.windows
    ticks, zones, features = windows.levels.shape
    result = np.empty((2, len(windows.horizons), ticks - first, zones, features), dtype=np.float32)
    parts = blocks(windows, windows.origins(first, ticks))
    for number, part in enumerate(parts):
        report(number / len(parts), "forecasting")
        values = windows.scaling.values(linear.levels(windows.inputs(part)))
        for which in range(2):
            place_targets(result[which], part, windows.horizons, first, values[which])
    return result


def place_targets(result: Floats, origins: Ticks, horizons: tuple[int, ...], first: int, found: Floats) -> None:
    """Write forecasts ``[H, B, N, F]`` made at origins to where their targets stand in ``result [H, T', N, F]``."""
    for h, horizon in enumerate(horizons):
        rows = origins + horizon - first
        inside = (rows >= 0) & (rows < result.shape[1])
        result[h, rows[inside]] = found[h, inside]
