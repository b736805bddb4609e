"""Forecasts that need no network: what any other has to be better than."""

from collections.abc import Callable

import numpy as np

from predictors.forecasting.forecasts import Floats, Forecasts, Study
from predictors.forecasting.linear import blocks
from predictors.forecasting.scaling import fit_scaling
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.windows import make_windows, repeated_season


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
    """Forecast the value held so many ticks before each target; a zone never observed before: its training mean."""
    series = study.series
    scaling = fit_scaling(series.values[: series.train_end], np.zeros(series.shape[2], dtype=bool))
    values = scaling.values(make_windows(series, scaling, 1, (1,)).held)
    targets = np.arange(series.train_end, len(values))
    found = np.stack([values[np.maximum(targets - ticks, 0)] for ticks in back])
    return Forecasts(found, found)


def seasonal_deviation(study: Study) -> Forecasts:
    """Forecast that the deviation from the mean season persists; persistence where no season repeats thrice."""
    season = repeated_season(study.series.seasons, study.series.train_end)
    return _linear(study, lambda name: name == ("persistence" if season is None else "profile"))


def ridge(study: Study) -> Forecasts:
    """Forecast by ridge regression on lags and seasons: scaling, columns and penalty that do best on validation."""
    return _linear(study, lambda name: name not in ("profile", "persistence"))


def _linear(study: Study, allowed: Callable[[str], bool]) -> Forecasts:
    linear = best_linear(study.series, study.lags, study.horizons, allowed)
    found = linear_values(linear, study.series.train_end)
    return Forecasts(found, found)


def linear_values(linear: Linear, first: int) -> Floats:
    """Return values ``[H, T', N, F]`` that a linear forecast gives for targets from ``first`` on."""
    windows = linear.windows
    ticks, zones, features = windows.levels.shape
    result = np.zeros((len(windows.horizons), ticks - first, zones, features), dtype=np.float32)
    for part in blocks(windows, windows.origins(first, ticks)):
        place_targets(
            result, part, windows.horizons, first, windows.scaling.values(linear.levels(windows.inputs(part)))
        )
    return result


def place_targets(result: Floats, origins: np.ndarray, horizons: tuple[int, ...], first: int, found: Floats) -> None:
    """Write forecasts ``[H, B, N, F]`` made at origins to where their targets stand in ``result [H, T', N, F]``."""
    for h, horizon in enumerate(horizons):
        rows = origins + horizon - first
        inside = (rows >= 0) & (rows < result.shape[1])
        result[h, rows[inside]] = found[h, inside]
