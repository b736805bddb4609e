"""Figures of merit on the test part, in the features' own units, over what was observed.

The median is judged by absolute error and the mean by squared error, since each minimises its own (Gneiting, 2011).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import QUANTILES
from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.scaling import Floats
from predictors.forecasting.series import Series

Figures = dict[str, Any]


def figures(forecasts: Forecasts, series: Series, horizons: tuple[int, ...]) -> dict[str, Figures]:
    """Return the figures of each horizon.

    ``mae`` and ``coverage_50`` are the median's, ``mse`` and ``rmse`` the mean's, ``quantile_loss`` is the mean over
    the three quantiles, and ``coverage_90`` the share of observations at or below the quantile .9. Of several features
    each has its own under ``"features"``, and the figures above are their plain means, whatever their units; a feature
    that was never observed has a count of 0 and no figures.
    """
    truth = series.values[series.validation_end :]
    found = {}
    for h, horizon in enumerate(horizons):
        each = {
            name: _one(
                truth[..., f], forecasts.median[h, ..., f], forecasts.mean[h, ..., f], forecasts.upper[:, h, ..., f]
            )
            for f, name in enumerate(series.panel.feature_names)
        }
        known = [one for one in each.values() if one["count"]]
        total: Figures = {name: float(np.mean([one[name] for one in known])) for name in known[0]} if known else {}
        total["count"] = sum(one["count"] for one in each.values())
        found[str(horizon)] = total | ({"features": each} if len(each) > 1 else {})
    return found


def _one(truth: Floats, median: Floats, mean: Floats, upper: Floats) -> Figures:
    """Return the figures of one feature at one horizon, each argument ``[T', N]``, ``upper`` twice that."""
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
