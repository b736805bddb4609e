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
_LEAST_OFFSET: Final = 1e-8
"""Of the highest value: the least that is added, so that no value that was learnt from is beyond the end."""
MOST_EXPONENT: Final = 20.0
"""A logarithm so far above a zone's mean (a factor of 5e8) is not a forecast any more; values stop there, finite."""


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
        raw = _logarithms(values, self.logarithmic, self.offset)
        return ((raw - self.centre) / self.deviation).astype(np.float32)

    def values(self, levels: Floats) -> Floats:
        """Return the values of levels ``[…, N, F]``.

        >>> scaling = fit_scaling(np.array([[[1.0]], [[10.0]], [[100.0]]], np.float32), np.array([True]))
        >>> scaling.values(scaling.levels(np.array([[[5.0]]], np.float32))).round(4)
        array([[[5.]]], dtype=float32)
        """
        return _values(levels, self.logarithmic, self.offset, self.centre, self.deviation)

    def feature_values(self, levels: Floats, feature: int) -> Floats:
        """Return the values of one feature's levels ``[…, N]``."""
        f = feature
        return _values(levels, self.logarithmic[f], self.offset[:, f], self.centre[:, f], self.deviation[:, f])


def _values(levels: Floats, logarithmic: Any, offset: Floats, centre: Floats, deviation: Floats) -> Floats:
    raw = levels * deviation + centre
    exponent = np.where(logarithmic, np.minimum(raw, centre + MOST_EXPONENT), np.float32(0.0))
    return np.where(logarithmic, np.exp(exponent) - offset, raw)


def _logarithms(values: Floats, logarithmic: NDArray[np.bool_], offset: NDArray[np.floating[Any]]) -> Floats:
    """Return ``[…, N, F]`` with the logarithm of those features that are to have one."""
    shifted = np.maximum(values, np.float32(0.0)) + offset
    logs: Floats = np.log(shifted, out=values.astype(shifted.dtype), where=np.broadcast_to(logarithmic, values.shape))
    return logs


def fit_scaling(values: Floats, logarithmic: NDArray[np.bool_]) -> Scaling:
    """Fit to training values ``[T, N, F]``; a zone never observed is scaled like the mean of the others."""
    positive = np.where(values > 0.0, values, np.float32(np.nan))
    offset = _like_the_others(_offset(positive), 1.0)
    centre, deviation = moments(_logarithms(values, logarithmic, offset))
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


def training_mean(values: Floats) -> Floats:
    """Return the mean ``[N, F]`` of training values ``[T, N, F]``: of the other zones for one never observed, or 0."""
    return _like_the_others(moments(values)[0], 0.0).astype(np.float32)


def extend_scaling(scaling: Scaling, places: NDArray[np.int64], values: Floats) -> Scaling:
    """Return the scaling of other zones: of those that are known, and of new ones by what they show.

    Args:
        scaling: Of ``N`` known zones.
        places: ``[M]``, which known zone each one is; ``N`` is a new one.
        values: ``[T, M, F]``, what they show; what a new one does not tell is the mean of the known zones.
    """
    new = places >= len(scaling.offset)
    known = np.minimum(places, len(scaling.offset) - 1)

    def extend(part: Floats, own: NDArray[np.floating[Any]]) -> Floats:
        usual = part.mean(axis=0, dtype=np.float64)
        return np.where(new[:, None], np.where(np.isfinite(own), own, usual), part[known]).astype(np.float32)

    offset = extend(scaling.offset, _offset(np.where(values > 0.0, values, np.float32(np.nan))))
    centre, deviation = moments(_logarithms(values, scaling.logarithmic, offset))
    moving = np.where(deviation > 1e-6 * (np.abs(centre) + 1e-6), deviation, np.nan)
    return Scaling(scaling.logarithmic, offset, extend(scaling.centre, centre), extend(scaling.deviation, moving))


def _offset(positive: Floats) -> NDArray[np.float64]:
    """Return what is added before a logarithm ``[N, F]``, of values ``[T, N, F]`` that are positive or NaN."""
    ordered = np.sort(positive, axis=0)  # NaN comes last
    count = np.isfinite(ordered).sum(axis=0)
    low, high = (
        np.take_along_axis(ordered, np.maximum(place.astype(int), 0)[None], axis=0)[0].astype(np.float64)
        for place in (_LOW_QUANTILE * count, count - 1)
    )
    offset: NDArray[np.float64] = np.maximum(low, _LEAST_OFFSET * high)
    return offset


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
