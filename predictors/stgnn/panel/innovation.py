"""How far the linear forecast is off, for each horizon, zone and feature: the unit that corrections are learnt in.

Without it a memory that never moves and a bandwidth that always does would share one error scale, and noise in the
first would drown what can be learnt of the second.
"""

from typing import Final, NamedTuple

import numpy as np

from predictors.forecasting.linear import blocks, thin
from predictors.forecasting.scaling import moments
from predictors.forecasting.selection import Linear
from predictors.forecasting.windows import Floats

_LEAST_LEVEL: Final = 1e-4
_LEAST_SHARE: Final = 1e-3
"""Of a zone's deviation: the least root mean square error that is divided by."""


class Innovation(NamedTuple):
    """Errors of the linear forecast on the training part.

    Attributes:
        levels: ``float32 [H, N + 1, F]``, mean absolute error of levels.
        values: ``float32 [H, N + 1, F]``, root mean square error of values. The last zone is any unknown one.
    """

    levels: Floats
    values: Floats


def measure_innovation(linear: Linear) -> Innovation:
    """Measure both on the training part."""
    windows = linear.windows
    series, scaling = windows.series, windows.scaling
    shape = (len(windows.horizons), *windows.levels.shape[1:])
    absolute, square, count = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for part in blocks(windows, thin(windows, windows.origins(0, series.train_end), seed=1)):
        forecast = linear.levels(windows.inputs(part))
        levels, weights = windows.targets(part, 0, series.train_end)
        absolute += (np.abs(forecast - levels) * weights).sum(axis=1)
        square += ((scaling.values(forecast) - scaling.values(levels)) ** 2 * weights).sum(axis=1)
        count += weights.sum(axis=1)
    seen = np.maximum(count, 1.0)
    least = _LEAST_SHARE * moments(series.values[: series.train_end])[1]
    values = np.maximum(np.sqrt(square / seen), np.nan_to_num(least) + 1e-9)
    return Innovation(_with_unknown(np.maximum(absolute / seen, _LEAST_LEVEL)), _with_unknown(values))


def _with_unknown(errors: np.ndarray) -> Floats:
    return np.concatenate([errors, np.median(errors, axis=1, keepdims=True)], axis=1).astype(np.float32)
