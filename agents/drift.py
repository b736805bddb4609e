"""Noticing that the world is no longer the one that was learnt from: a CUSUM of standardised forecast errors.

A forecaster that fits gives, for every zone and tick, an error of about one standard deviation. Where users come to
behave differently, errors grow or lean to one side, and stay so. With ``z = log(demand seen / median foretold)`` over
the standard deviation that the forecast itself claims, two sums run for every zone and resource (E. S. Page,
"Continuous inspection schemes", Biometrika 41, 1954)::

    up = max(0, up + z - allowance)
    down = max(0, down - z - allowance)

and drift is noticed when one of them exceeds the threshold. A single burst raises a sum by a few units, whatever its
size, for ``z`` is bounded.
"""

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

import numpy as np

from metaverse_env.contracts import View
from metaverse_env.telemetry import Forecast
from metaverse_env.units import BANDWIDTH, CPU

Array = np.ndarray

P90_SCORE: Final = NormalDist().inv_cdf(0.9)
LEAST_SPREAD: Final = 0.05
"""Of the logarithm: no forecast is surer than 5 % [choice]."""
LARGEST_ERROR: Final = 4.0
"""Standard deviations that count at most [choice]."""
JUDGED: Final = (CPU, BANDWIDTH)
"""Memory lags behind users for half an hour, and so is no sign of what they do."""
THROTTLED: Final = 0.98
"""Share of the allocation from which on usage says only that demand is no less [choice]."""


def standardised_errors(view: View, forecast: Forecast) -> Array:
    """Return how far what is in use lies above the median foretold, in standard deviations: ``[W, Z, 2]``.

    The two are cores and egress.

    Args:
        view: What is seen now. Where nothing new was observed, or a zone is not ready, errors are 0; where the
            allocation is used up, demand is no less than usage, and errors are not below 0.
        forecast: What was foretold for now, one tick ahead.
    """
    told, used = forecast.at(1)[:, :, JUDGED], view.telemetry.usage[:, :, JUDGED]
    spread = np.log(np.maximum(told[..., 1], 1e-9) / np.maximum(told[..., 0], 1e-9)) / P90_SCORE
    errors = np.log(np.maximum(used, 1e-9) / np.maximum(told[..., 0], 1e-9)) / np.maximum(spread, LEAST_SPREAD)
    censored = used >= THROTTLED * view.telemetry.allocation[:, :, JUDGED]
    errors = np.where(censored, np.maximum(errors, 0.0), errors)
    fresh = view.telemetry.observed & (view.telemetry.zones["ready"] > 0) & (used > 0.0).all(axis=2)
    bounded: Array = np.clip(np.where(fresh[:, :, None], errors, 0.0), -LARGEST_ERROR, LARGEST_ERROR)
    return bounded


@dataclass
class Cusum:
    """Both running sums of every zone and resource.

    Attributes:
        allowance: Standard deviations of lasting error that are let pass, ``k``.
        threshold: Sum at which drift is noticed, ``h``.
        calm: Sum below which all of a zone's must lie before its drift is over.
    """

    allowance: float = 1.5
    threshold: float = 12.0
    calm: float = 1.0
    _up: Array = field(default_factory=lambda: np.zeros(()), repr=False)
    _down: Array = field(default_factory=lambda: np.zeros(()), repr=False)
    _drifting: Array = field(default_factory=lambda: np.zeros((), dtype=np.bool_), repr=False)

    def reset(self, worlds: int, zones: int, resources: int = len(JUDGED)) -> None:
        """Forget all errors."""
        self._up, self._down = np.zeros((2, worlds, zones, resources))
        self._drifting = np.zeros((worlds, zones), dtype=np.bool_)

    def update(self, errors: Array) -> Array:
        """Take in errors ``[W, Z, resources]``; return where there is drift, ``bool [W, Z]``.

        >>> cusum = Cusum(allowance=1.0, threshold=3.0)
        >>> cusum.reset(1, 1, 1)
        >>> [bool(cusum.update(np.array([[[error]]]))[0, 0]) for error in (3.0, 2.0, 2.0, 0.0, 0.0, 0.0, -1.0)]
        [False, False, True, True, True, False, False]
        """
        most = 2.0 * self.threshold  # so that what was long away does not take as long to come back
        self._up = np.clip(self._up + errors - self.allowance, 0.0, most)
        self._down = np.clip(self._down - errors - self.allowance, 0.0, most)
        worst = np.maximum(self._up, self._down).max(axis=2)
        self._drifting = (worst > self.threshold) | (self._drifting & (worst > self.calm))
        return self._drifting
