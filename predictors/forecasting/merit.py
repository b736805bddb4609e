"""Figures of merit on the test part, in the features' own units, over what was observed.

The median is judged by absolute error and the mean by squared error, since each minimises its own (Gneiting, 2011).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import QUANTILES
from predictors.forecasting.forecasts import Floats, Forecasts
from predictors.forecasting.scaling import moments
from predictors.forecasting.series import Series

Figures = dict[str, Any]

_MOST_SAMPLES: Final = 2_000_000
"""Errors that a quantile is taken of; more are thinned evenly."""


def added_quantiles(forecasts: Forecasts, series: Series) -> Floats:
    """Return the quantiles .9 and .99 of a model that gives none: its median plus those of its validation errors.

    Errors of all zones are pooled, each over its zone's deviation. ``[2, H, T', N, F]``.
    """
    count = series.validation_end - series.train_end
    truth = series.values[series.train_end : series.validation_end]
    deviation = moments(series.values[: series.train_end])[1]
    deviation = np.where(np.isfinite(deviation) & (deviation > 0.0), deviation, 1.0).astype(np.float32)
    upper = np.empty((2, *forecasts.median.shape), dtype=np.float32)
    for h, median in enumerate(forecasts.median):
        for f in range(truth.shape[2]):
            errors = ((truth[..., f] - median[:count, ..., f]) / deviation[:, f]).ravel()
            errors = errors[np.isfinite(errors)]
            errors = errors[:: max(1, len(errors) // _MOST_SAMPLES)]
            levels = np.quantile(errors, QUANTILES[1:]) if len(errors) else np.zeros(2)
            for q, level in enumerate(levels):
                upper[q, h, ..., f] = median[..., f] + max(float(level), 0.0) * deviation[:, f]
    return upper


def figures(forecasts: Forecasts, series: Series, horizons: tuple[int, ...]) -> dict[str, Figures]:
    """Return the figures of each horizon.

    Of several features each has its own under ``"features"``, and the figures above are their plain means.
    """
    skip = series.validation_end - series.train_end
    truth = series.values[series.validation_end :]
    upper = added_quantiles(forecasts, series) if forecasts.upper is None else forecasts.upper
    found = {}
    for h, horizon in enumerate(horizons):
        each = {
            name: _one(
                truth[..., f],
                forecasts.median[h, skip:, :, f],
                forecasts.mean[h, skip:, :, f],
                upper[:, h, skip:, :, f],
            )
            for f, name in enumerate(series.panel.feature_names)
        }
        known = [one for one in each.values() if one["count"]]
        total = {name: float(np.mean([one[name] for one in known])) for name in known[0]} if known else {}
        total["count"] = sum(one["count"] for one in each.values())
        found[str(horizon)] = total | ({"features": each} if len(each) > 1 else {})
    return found


def _one(truth: Floats, median: Floats, mean: Floats, upper: Floats) -> Figures:
    """Return the figures of one feature at one horizon."""
    known = np.isfinite(truth)
    if not known.any():
        return {"count": 0}
    observed = truth[known].astype(np.float64)
    quantiles = np.stack([median[known], upper[0][known], upper[1][known]])
    square = float(np.mean((mean[known] - observed) ** 2))
    return {
        "mae": float(np.mean(np.abs(quantiles[0] - observed))),
        "rmse": square**0.5,
        "mse": square,
        "quantile_loss": _pinball(observed, quantiles),
        "coverage_50": float(np.mean(observed <= quantiles[0])),
        "coverage_90": float(np.mean(observed <= quantiles[1])),
        "coverage_99": float(np.mean(observed <= quantiles[2])),
        "count": int(known.sum()),
    }


def _pinball(observed: NDArray[np.float64], quantiles: NDArray[np.floating[Any]]) -> float:
    """Return the mean quantile loss over the three quantiles."""
    shares = np.array(QUANTILES)[:, None]
    error = observed - quantiles
    return float(np.mean(np.maximum(shares * error, (shares - 1.0) * error)))
