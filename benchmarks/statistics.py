"""Means over seeds with the interval that they deserve, and who is dominated by whom. Pure functions."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metaverse_env.errors import ConfigurationError

LEVEL: Final = 0.95
"""Confidence of every interval that is shown."""

_T_975: Final = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
"""Student's t at 0.975 for 1 to 30 degrees of freedom [V: any table]."""
_NORMAL_975: Final = 1.959964


class Interval(NamedTuple):
    """A mean and its confidence interval; as wide as the plane when there is only one value to go by."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2


def student_t_975(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t.

    From a table up to 30 degrees of freedom, then by the first terms of its expansion around the normal quantile
    (Abramowitz and Stegun, 26.7.5), there exact to four digits.

    >>> student_t_975(4), round(student_t_975(60), 4)
    (2.7764, 2.0003)
    """
    if degrees <= len(_T_975):
        return _T_975[degrees - 1]
    z = _NORMAL_975
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def mean_interval(values: ArrayLike) -> Interval:
    """Return the mean of independent values with its 95 % t-interval.

    Args:
        values: One value per seed, ``[N]``; with one the interval is infinite, for nothing is known of the spread.

    Raises:
        ConfigurationError: No values.

    >>> [round(bound, 3) for bound in mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])]  # 3 -+ 2.7764 x sqrt(2.5 / 5)
    [3.0, 1.037, 4.963]
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ConfigurationError("no values, and so no mean; run at least one seed")
    mean = float(data.mean())
    if data.size == 1:
        return Interval(mean, -math.inf, math.inf)
    half = student_t_975(data.size - 1) * float(data.std(ddof=1)) / math.sqrt(data.size)
    return Interval(mean, mean - half, mean + half)


def paired_difference(values: ArrayLike, reference: ArrayLike) -> Interval:
    """Return the mean of ``values - reference``, seed by seed, with its interval.

    Controllers that met the same users differ far less by chance than two independent means would.

    >>> paired_difference([2.0, 4.0], [1.0, 3.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    return mean_interval(np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64))


def pareto(points: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Tell which points ``(cost, violation)`` no other beats in one and equals or beats in the other; less is better.

    >>> pareto([(1.0, 5.0), (2.0, 2.0), (3.0, 3.0)])
    array([ True,  True, False])
    """
    data = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    no_worse = (data[:, None, :] <= data[None, :, :]).all(axis=2)
    better = (data[:, None, :] < data[None, :, :]).any(axis=2)
    best: NDArray[np.bool_] = np.logical_not(np.any(no_worse & better, axis=0))
    return best
