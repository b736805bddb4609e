"""What controllers that look ahead read from a forecast in the same way."""

from statistics import NormalDist
from typing import Final

import numpy as np

from metaverse_env.contracts import View
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Forecast
from metaverse_env.units import QUANTILES

Array = np.ndarray
SCORES: Final = tuple(NormalDist().inv_cdf(quantile) for quantile in QUANTILES)
"""Of the quantiles that are forecast, on the standard normal scale."""


def forecast_of(view: View, policy: str) -> Forecast:
    """Return the forecast of a view.

    Raises:
        ConfigurationError: There is none.
    """
    if view.forecast is None:
        raise ConfigurationError(f"policy {policy!r} needs a forecast; choose a forecaster other than 'none'")
    return view.forecast


def quantile_of(values: Array, quantile: float) -> Array:
    """Return any quantile between those that are forecast, linear in the normal score.

    Args:
        values: ``[…, 3]``, the forecast quantiles.
        quantile: From the lowest to the highest of them.

    >>> float(quantile_of(np.array([10.0, 20.0, 30.0]), 0.9))
    20.0
    """
    score = NormalDist().inv_cdf(quantile)
    low = 0 if score < SCORES[1] else 1
    share = (score - SCORES[low]) / (SCORES[low + 1] - SCORES[low])
    between: Array = values[..., low] + share * (values[..., low + 1] - values[..., low])
    return between


def within_lead(forecast: Forecast, lead_s: float, tick_s: float) -> slice:
    """Return which of the forecast ticks lie within a lead; at least the first."""
    return slice(0, max(1, sum(tick * tick_s <= lead_s for tick in forecast.ticks)))
