"""From values to levels of about unit size, for each zone and feature, and back.

A feature is scaled as it is or by its logarithm. Levels of the second kind add where values multiply: a flash crowd
of ten times the users is then a shift and not another world. Which of the two is decided on the validation part.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LOW_QUANTILE: Final = 0.05
"""A logarithm is taken of the value plus this quantile of the positive ones, so that zeros stay near."""
_MOST_EXPONENT: Final = 60.0
"""A level beyond it is not a forecast any more; it stays finite."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """``level = (g(value) - centre) / deviation``, with ``g`` the identity or ``log(value + offset)``.

    Attributes:
        logarithmic: ``bool [F]``.
        offset: ``float32 [N, F]``, in the feature's unit.
        centre: ``float32 [N, F]``.
        deviation: ``float32 [N, F]``, positive.
    """

    logarithmic: NDArray[np.bool_]
    offset: Floats
    centre: Floats
    deviation: Floats

    def levels(self, values: Floats) -> Floats:
        """Return levels ``[…, N, F]`` of values; NaN stays NaN."""
        with np.errstate(invalid="ignore"):
            logs = np.log(np.maximum(values, 0.0) + self.offset)
        return ((np.where(self.logarithmic, logs, values) - self.centre) / self.deviation).astype(np.float32)

    def values(self, levels: Floats) -> Floats:
        """Return the values of levels ``[…, N, F]``.

        >>> scaling = fit_scaling(np.array([[[1.0]], [[10.0]], [[100.0]]], np.float32), np.array([True]))
        >>> scaling.values(scaling.levels(np.array([[[5.0]]], np.float32))).round(4)
        array([[[5.]]], dtype=float32)
        """
        raw = levels * self.deviation + self.centre
        exponent = np.where(self.logarithmic, np.minimum(raw, _MOST_EXPONENT), 0.0)
        return np.where(self.logarithmic, np.exp(exponent) - self.offset, raw).astype(np.float32)


def fit_scaling(values: Floats, logarithmic: NDArray[np.bool_]) -> Scaling:
    """Fit to training values ``[T, N, F]``; a zone never observed is scaled like the mean of the others."""
    positive = np.where(values > 0.0, values, np.nan)
    offset = _like_the_others(_quantile(positive), 1.0)
    raw = np.where(logarithmic, np.log(np.maximum(values, 0.0) + offset), values)
    centre, deviation = moments(raw)
    deviation = np.where(deviation > 1e-6 * (np.abs(centre) + 1e-6), deviation, np.nan)
    parts = (offset, _like_the_others(centre, 0.0), _like_the_others(deviation, 1.0))
    return Scaling(logarithmic, *(part.astype(np.float32) for part in parts))


def moments(values: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column ``[N, F]``; NaN of one that shows none."""
    count = np.isfinite(values).sum(axis=0)
    known = np.maximum(count, 1)
    mean = np.where(count > 0, np.nansum(values, axis=0, dtype=np.float64) / known, np.nan)
    variance = np.nansum((values - mean) ** 2, axis=0) / known
    return mean, np.where(count > 1, np.sqrt(variance), np.nan)


def _quantile(values: Floats) -> NDArray[np.float64]:
    """Return the low quantile of each column ``[N, F]``; NaN sorts last."""
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    place = np.maximum((_LOW_QUANTILE * count).astype(int), 0)
    found: NDArray[np.float64] = np.take_along_axis(ordered, np.minimum(place, len(values) - 1)[None], axis=0)[0]
    return found.astype(np.float64)


def _like_the_others(found: NDArray[np.float64], default: float) -> NDArray[np.float64]:
    """Replace what a zone does not tell by the mean of the zones that do."""
    known = np.isfinite(found)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, found, 0.0).sum(axis=0) / np.maximum(count, 1), default)
    return np.where(known, found, mean)


def may_be_logarithmic(values: Floats) -> NDArray[np.bool_]:
    """Return ``bool [F]``: whether a feature of ``[T, N, F]`` is never negative and not always zero."""
    observed = np.isfinite(values)
    never_negative: NDArray[np.bool_] = ~np.any((values < 0.0) & observed, axis=(0, 1))
    sometimes_positive: NDArray[np.bool_] = np.any((values > 0.0) & observed, axis=(0, 1))
    return never_negative & sometimes_positive
