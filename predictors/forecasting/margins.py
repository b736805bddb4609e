"""Quantiles for forecasts that come without: the forecast plus a quantile of its errors on the validation part.

Errors of all zones are pooled, each over its zone's deviation on the training part, and put back onto that scale.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import QUANTILES
from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.scaling import Floats, moments
from predictors.forecasting.series import Series

_MOST_SAMPLES: Final = 2_000_000
"""Errors that a quantile is taken of; more are thinned evenly."""


def with_margins(median: Floats, mean: Floats, series: Series) -> Forecasts:
    """Add quantiles to forecasts of targets from the validation part on, and keep those of the test part.

    Args:
        median: ``[H, T', N, F]``, in the features' units; the first target is ``series.train_end``.
        mean: The same.
        series: With what came.
    """
    count = series.validation_end - series.train_end
    truth = series.values[series.train_end : series.validation_end]
    scale = zone_deviation(series)
    test = median[:, count:]
    upper = np.empty((2, *test.shape), dtype=np.float32)
    for h, f in np.ndindex(len(test), test.shape[-1]):
        margins = error_margins((truth[..., f] - median[h, :count, :, f]) / scale[:, f])
        upper[:, h, ..., f] = test[h, ..., f] + margins[:, None, None] * scale[:, f]
    return Forecasts(test, mean[:, count:], upper)


def error_margins(errors: Floats) -> NDArray[np.float32]:
    """Return the quantiles .9 and .99 of errors, at least 0; 0 if none is known.

    >>> error_margins(np.append(np.arange(101.0), np.nan))
    array([90., 99.], dtype=float32)
    """
    known = errors[np.isfinite(errors)]
    if not len(known):
        return np.zeros(2, dtype=np.float32)
    thinned = known[:: -(-len(known) // _MOST_SAMPLES)]
    margins: NDArray[np.float32] = np.maximum(np.quantile(thinned, QUANTILES[1:]), 0.0).astype(np.float32)
    return margins


def zone_deviation(series: Series) -> Floats:
    """Return each zone's standard deviation on the training part, ``[N, F]``; 1 where it has none."""
    deviation: Floats = moments(series.values[: series.train_end])[1].astype(np.float32)
    deviation[~(deviation > 0.0)] = 1.0
    return deviation
