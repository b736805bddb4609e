"""What seeds tell beyond a mean: interquartile means and chances to be better, with bootstrapped intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS 2021), by their
library rliable: means over the middle half of the values, which a single bad seed does not move, and percentile
intervals of a bootstrap that is stratified by condition. Pairs of controllers that met the same users are resampled
together, by SciPy. Every interval is reproducible.
"""

from collections.abc import Callable, Iterator
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


def middle_means(scores: Floats) -> list[Estimate]:
    """Return the interquartile mean of each of ``K`` figures over its seeds; of several conditions, their mean.

    Args:
        scores: ``[N, K, C]``: seeds by figures by conditions, which are the strata; each ``[N]`` is resampled alone.
    """
    return _stratified(lambda values: middle_mean(values).mean(axis=-1), scores)


def means(scores: Floats) -> list[Estimate]:
    """Return the mean of each figure of ``[N, K, C]``."""
    return _stratified(lambda values: values.mean(axis=(0, 2)), scores)


def worst_tenths(scores: Floats) -> list[Estimate]:
    """Return the mean over the largest tenth of the seeds of each figure of ``[N, K, C]``: what a middle half hides.

    Known among risks as expected shortfall or CVaR. Its interval is rough, for a resample knows no worse seed than
    those that there are.
    """
    return _stratified(lambda values: worst_tenth(values).mean(axis=-1), scores)


def chances(scores: Floats, reference: Floats) -> list[Estimate]:
    """Return for each figure how often a seed of one beats a seed of the other; a tie counts half.

    That is rliable's probability of improvement, Mann and Whitney's statistic, averaged over conditions: seeds are not
    paired.

    Args:
        scores: ``[N, K, C]``, where more is better.
        reference: ``[N, K, C]``.
    """
    return _stratified(lambda one, other: wins(one, other).mean(axis=-1), scores, reference)


def middle_mean(columns: Floats) -> Floats:
    """Return the mean of each column ``[N, ...]`` without a quarter, rounded down, at either end.

    That is rliable's ``aggregate_iqm``, which takes one column at a time and ten times as long.

    >>> middle_mean(np.array([[1.0], [2.0], [4.0], [900.0]]))
    array([3.])
    """
    cut = int(_TRIM * len(columns))
    found: Floats = np.sort(columns, axis=0)[cut : len(columns) - cut].mean(axis=0)
    return found


def worst_tenth(columns: Floats) -> Floats:
    """Return the mean over the largest tenth of each column, at least one value.

    >>> worst_tenth(np.arange(20.0)[:, None])  # of 18 and 19
    array([18.5])
    """
    count = max(1, round(len(columns) / 10))
    found: Floats = np.sort(columns, axis=0)[-count:].mean(axis=0)
    return found


def won(scores: Floats, reference: Floats) -> Floats:
    """Return who won each pair: 1 for more, 0 for less, a half for the same."""
    winners: Floats = 0.5 + 0.5 * np.sign(scores - reference)
    return winners


def wins(scores: Floats, reference: Floats) -> Floats:
    """Return in which share of all pairs of seeds, the first axis, the first is more; a tie counts half.

    >>> wins(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))  # 1 = 1, 1 < 2, 3 > 1, 3 > 2
    array([0.625])
    """
    shares: Floats = won(scores[:, None], reference[None]).mean(axis=(0, 1))
    return shares


def ratio_percent(values: Floats, reference: Floats) -> Estimate:
    """Return by how many percent the mean of one is more than that of the other; seeds ``[N]`` are paired.

    Where the reference is nothing the ratio is NaN.
    """
    return _paired(values, reference, _surplus_percent)


def mean_ratio_percent(values: Floats, reference: Floats) -> Estimate:
    """Return the mean of :func:`ratio_percent` over conditions, ``[N, C]`` each, which are resampled independently.

    >>> round(mean_ratio_percent(np.array([[11.0, 6.0], [22.0, 6.0]]), np.array([[10.0, 5.0], [20.0, 5.0]])).value, 6)
    15.0
    """
    ratios = [ratio_percent(*pair) for pair in zip(values.T, reference.T, strict=True)]
    value = float(np.mean([ratio.value for ratio in ratios]))
    if len(values) < 2 or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    drawn = [
        _resampled(*pair, _surplus_percent, condition).bootstrap_distribution
        for condition, pair in enumerate(zip(values.T, reference.T, strict=True))
    ]
    tail = 50.0 * (1.0 - LEVEL)
    return Estimate(value, *map(float, np.percentile(np.mean(drawn, axis=0), (tail, 100.0 - tail))))


def _surplus_percent(one: Floats, other: Floats, axis: int = -1) -> Floats:
    below = other.mean(axis=axis)
    more: Floats = 100.0 * (
        np.divide(one.mean(axis=axis), below, out=np.full_like(below, np.nan), where=below != 0) - 1
    )
    return more


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
    return Estimate(value, *map(float, _resampled(one, other, statistic).confidence_interval))


def _resampled(one: Floats, other: Floats, statistic: Callable[..., Floats], stream: int = 0) -> Any:
    """Return SciPy's bootstrap of pairs; another ``stream`` draws other samples."""
    return import_module("scipy.stats").bootstrap(
        (one, other),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(_SEED + stream),
    )


def _stratified(statistic: Callable[..., Floats], *scores: Floats) -> list[Estimate]:
    """Return a statistic of scores ``[N, K, C]``; of several, each is resampled independently."""
    given = scores[0] if len(scores) == 1 else list(scores)
    with _reproducible():
        values, intervals = _rliable().get_interval_estimates(
            {"": given}, statistic, reps=RESAMPLES, confidence_interval_size=LEVEL
        )
    low, high = intervals[""] if len(scores[0]) > 1 else np.full((2, len(values[""])), np.nan)
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
