"""How far the linear forecasts are off, for each horizon, zone and feature: the unit that corrections are learnt in.

Without it a memory that never moves and a bandwidth that always does would share one error scale, and noise in the
first would drown what can be learnt of the second.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.forecasting.linear import blocks, thin
from predictors.forecasting.margins import error_margins
from predictors.forecasting.scaling import Floats, moments
from predictors.forecasting.selection import Linear

MOST_ERRORS: Final = 400_000
"""Errors that it is measured of, for each horizon."""
_LEAST_LEVEL: Final = 1e-4
_LEAST_SHARE: Final = 1e-3
"""Of a zone's deviation: the least root mean square error that is divided by."""


class Innovation(NamedTuple):
    """Errors of the linear forecasts on the training part.

    Attributes:
        levels: ``float32 [H, N + 1, F]``, mean absolute error of the median's levels; the last zone is any unknown one.
        values: ``float32 [H, N + 1, F]``, root mean square error of the mean's values.
        margins: ``float32 [H, F, 2]``, quantiles .9 and .99 of the median's errors, over their mean absolute error.
    """

    levels: Floats
    values: Floats
    margins: Floats


def measure_innovation(linear: Linear) -> Innovation:
    """Measure the errors on the training part."""
    windows = linear.windows
    series, scaling = windows.series, windows.scaling
    origins = windows.origins(0, series.train_end)
    errors, distances = [], []
    for part in blocks(windows, thin(windows, origins, seed=1, rows=MOST_ERRORS // series.shape[2])):
        median, mean = linear.levels(windows.inputs(part))
        levels, weights = windows.targets(part, 0, series.train_end)
        known = np.where(weights > 0.0, np.float32(1.0), np.float32(np.nan))
        errors.append((levels - median) * known)
        distances.append((scaling.values(levels) - scaling.values(mean)) * known)
    return _summary(
        np.concatenate(errors, axis=1), np.concatenate(distances, axis=1), series.values[: series.train_end]
    )


def _summary(errors: Floats, distances: Floats, training: Floats) -> Innovation:
    """Summarise errors of levels and of values ``[H, B, N, F]``, NaN where not known."""
    count = np.isfinite(errors).sum(axis=1)
    seen = np.maximum(count, 1)
    absolute = np.nansum(np.abs(errors), axis=1, dtype=np.float64) / seen
    square = np.nansum(distances.astype(np.float64) ** 2, axis=1) / seen
    least = _LEAST_SHARE * np.nan_to_num(moments(training)[1]) + 1e-9
    levels = _with_unknown(np.maximum(absolute, _LEAST_LEVEL), count > 0)
    values = _with_unknown(np.maximum(np.sqrt(square), least), count > 0)
    margins = np.empty((len(errors), errors.shape[-1], 2), dtype=np.float32)
    for h, f in np.ndindex(*margins.shape[:2]):
        margins[h, f] = error_margins(errors[h, ..., f] / levels[h, :-1, f])
    return Innovation(levels, values, margins)


def _with_unknown(errors: NDArray[np.float64], known: NDArray[np.bool_]) -> Floats:
    """Append an unknown zone, which errs like the median of the others, and so does one that never was observed."""
    result = np.empty((errors.shape[0], errors.shape[1] + 1, errors.shape[2]), dtype=np.float32)
    for h, f in np.ndindex(errors.shape[0], errors.shape[2]):
        seen = errors[h, known[h, :, f], f]
        typical = np.median(seen) if len(seen) else 1.0
        result[h, :-1, f], result[h, -1, f] = np.where(known[h, :, f], errors[h, :, f], typical), typical
    return result
