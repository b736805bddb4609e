"""What seeds tell beyond a mean: interquartile means and chances to be better, with bootstrapped intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS 2021), by their
library rliable: means over the middle half of the values, which a single bad seed does not move, and percentile
intervals of a bootstrap that is stratified by condition. Pairs of controllers that met the same users are resampled
together, by SciPy. Every interval is reproducible.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics import LEVEL
from metaverse_env.errors import MissingDependencyError

Floats = NDArray[np.float64]

RESAMPLES: Final = 2000
"""Of every bootstrap [choice]: as many as rliable takes for its profiles."""
_SEED: Final = 20_210_829
_TRIM: Final = 0.25
"""Left out at either end: what remains is the middle half."""


class Estimate(NamedTuple):
    """A figure and its 95 % interval, whose ends are NaN where there is one seed to go by."""

    value: float
    low: float
    high: float


def require() -> None:
    """Prove that the libraries are there, before hours go into what they are to sum up.

    Raises:
        MissingDependencyError: They are not.
    """
    _rliable()


def middle_means(columns: Floats) -> list[Estimate]:
    """Return the interquartile mean of each column.

    Args:
        columns: ``[N, K]``: seeds by whatever is to be summed up; each column is resampled by itself.
    """
    trim_mean = import_module("scipy.stats").trim_mean
    return _stratified(columns, lambda values: trim_mean(values, _TRIM, axis=0))


def pooled_middle_mean(scores: Floats) -> Estimate:
    """Return the interquartile mean over all seeds and conditions.

    Args:
        scores: ``[N, C]``: seeds by conditions, which are the strata.
    """
    metrics = import_module("rliable.metrics")
    (found,) = _stratified(scores, lambda values: np.array([metrics.aggregate_iqm(values)]))
    return found


def chances(scores: Floats, reference: Floats) -> list[Estimate]:
    """Return for each column how often a seed of one beats a seed of the other; a tie counts half.

    That is rliable's probability of improvement, Mann and Whitney's statistic: seeds are not paired.

    Args:
        scores: ``[N, K]``, where more is better.
        reference: ``[N, K]``.
    """
    return _stratified((scores, reference), wins)


def pooled_chance(scores: Floats, reference: Floats) -> Estimate:
    """Return the mean over conditions ``[N, C]`` of :func:`chances`."""
    (found,) = _stratified((scores, reference), lambda one, other: np.array([wins(one, other).mean()]))
    return found


def wins(scores: Floats, reference: Floats) -> Floats:
    """Return for each column the share of pairs of seeds in which the first is more; a tie counts half.

    >>> wins(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))  # 1 = 1, 1 < 2, 3 > 1, 3 > 2
    array([0.625])
    """
    differences = np.sign(scores[:, None] - reference[None])
    shares: Floats = 0.5 + 0.5 * differences.mean(axis=(0, 1))
    return shares


def ratio_percent(values: Floats, reference: Floats) -> Estimate:
    """Return by how many percent the mean of one is more than that of the other; seeds ``[N]`` are paired.

    Where the reference is nothing the ratio is NaN.
    """

    def surplus(one: Floats, other: Floats, axis: int = -1) -> Floats:
        below = other.mean(axis=axis)
        more: Floats = 100.0 * (
            np.divide(one.mean(axis=axis), below, out=np.full_like(below, np.nan), where=below != 0) - 1
        )
        return more

    return _paired(values, reference, surplus)


def difference(values: Floats, reference: Floats) -> Estimate:
    """Return the mean of ``values - reference``, seed by seed, ``[N]`` each."""

    def mean(one: Floats, other: Floats, axis: int = -1) -> Floats:
        found: Floats = (one - other).mean(axis=axis)
        return found

    return _paired(values, reference, mean)


def _paired(one: Floats, other: Floats, statistic: Callable[..., Floats]) -> Estimate:
    value = float(statistic(np.atleast_1d(one), np.atleast_1d(other)))
    if len(one) < 2 or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    found = import_module("scipy.stats").bootstrap(
        (one, other),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    return Estimate(value, *map(float, found.confidence_interval))


def _stratified(scores: Floats | Sequence[Floats], statistic: Callable[..., Floats]) -> list[Estimate]:
    """Return the statistic of ``[N, K]``, or of several such arrays that are resampled independently."""
    arrays = [scores] if isinstance(scores, np.ndarray) else list(scores)
    given = arrays[0] if isinstance(scores, np.ndarray) else arrays
    with _reproducible():
        values, intervals = _rliable().get_interval_estimates(
            {"": given}, statistic, reps=RESAMPLES, confidence_interval_size=LEVEL
        )
    low, high = intervals[""] if len(arrays[0]) > 1 else np.full((2, len(values[""])), np.nan)
    return [Estimate(*map(float, row)) for row in zip(values[""], low, high, strict=True)]


@contextmanager
def _reproducible() -> Iterator[None]:
    """Seed NumPy's global generator for a while: rliable draws from it, whatever generator it is given."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(_SEED)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _rliable() -> Any:
    try:
        return import_module("rliable.library")
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "a benchmark suite", str(missing.name).partition(".")[0], "benchmarks"
        ) from missing
