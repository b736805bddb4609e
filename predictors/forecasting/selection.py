"""Which scaling and which linear forecast suit a series: judged by its validation part.

The median is chosen by absolute error. The mean is what the median is, unless another's squared error is clearly lower:
of a memory that hardly ever moves and then returns, persistence is the one and a regression the other; but a
regression that wins in two flash crowds and loses everywhere else is neither.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.forecasting.choice import BLOCKS, block_of, choose
from predictors.forecasting.linear import Candidate, blocks, candidates, columns, normal_equations, thin
from predictors.forecasting.scaling import Floats, fit_scaling, may_be_logarithmic
from predictors.forecasting.series import Series
from predictors.forecasting.windows import Inputs, Ticks, Windows, make_windows

Array = NDArray[np.float64]


class Linear(NamedTuple):
    """The best linear forecasts of each feature at each horizon: of the median, and of the mean.

    Attributes:
        windows: What they read.
        weights: ``float32 [2, H, N + 1, F, K]``; the last zone is any that is not known.
        names: ``[2][H][F]``, the candidates that were averaged where a zone made no choice of its own.
        errors: ``[H, F]``, mean absolute error of the best candidate on the validation part, in the feature's unit.
    """

    windows: Windows
    weights: Floats
    names: tuple[tuple[tuple[tuple[str, ...], ...], ...], ...]
    errors: Array

    def levels(self, inputs: Inputs) -> Floats:
        """Return forecast levels ``[2, H, B, N, F]``."""
        _, horizons, _, features, _ = self.weights.shape
        result = np.empty((2, horizons, *inputs.last.shape), dtype=np.float32)
        for h, f in np.ndindex(horizons, features):
            table = columns(inputs, h, f)
            for which in range(2):
                result[which, h, ..., f] = inputs.last[..., f] + _dot(table, self.weights[which, h, :-1, f])
        return result


def best_linear(
    series: Series,
    lags: int,
    horizons: tuple[int, ...],
    allowed: Callable[[str], bool] = lambda name: True,
    profiled: bool = True,
) -> Linear:
    """Return the best linear forecast, features scaled as they are or by their logarithm, whichever does better.

    Args:
        series: See there.
        lags: How many ticks are looked back.
        horizons: Ticks ahead.
        allowed: Says by its name whether a candidate may be chosen.
        profiled: Read the mean season; a panel without times, continued elsewhere, would not tell its phase.
    """
    training = series.values[: series.train_end]

    def best(logarithmic: NDArray[np.bool_]) -> Linear:
        return _best(make_windows(series, fit_scaling(training, logarithmic), lags, horizons, profiled), allowed)

    linear = best(np.zeros(series.shape[2], dtype=bool))
    possible = may_be_logarithmic(training)
    if not possible.any():
        return linear
    logs = best(possible)
    better = possible & ((logs.errors / np.maximum(linear.errors, 1e-30)).mean(axis=0) < 1.0)
    if better.all():
        return logs
    if not better.any():
        return linear
    return best(better)


def _best(windows: Windows, allowed: Callable[[str], bool]) -> Linear:
    _, zones, features = windows.levels.shape
    equations = normal_equations(windows)
    shape = (len(windows.horizons), features)
    pools = [
        [[one for one in candidates(windows, equations, h, f) if allowed(one.name)] for f in range(features)]
        for h in range(shape[0])
    ]
    errors, counts = _validation_errors(windows, pools)
    weights = np.zeros((2, shape[0], zones + 1, features, equations.moment.shape[-1]), dtype=np.float32)
    names: list[list[list[tuple[str, ...]]]] = [[[()] * features for _ in range(shape[0])] for _ in range(2)]
    least = np.zeros(shape)
    for h, f in np.ndindex(shape):
        pool = pools[h][f]
        usual = None
        for which in range(2):
            shares = choose(errors[h][f][which], counts[h, f], usual)
            usual = shares[-1]
            for number, candidate in enumerate(pool):
                weights[which, h, :, f] += shares[:, number, None] * candidate.weights
            names[which][h][f] = tuple(one.name for one, share in zip(pool, shares[-1], strict=True) if share)
        least[h, f] = errors[h][f][0].sum(axis=(1, 2)).min() / max(counts[h, f].sum(), 1.0)
    return Linear(windows, weights, tuple(tuple(tuple(row) for row in each) for each in names), least)


def validation_origins(windows: Windows) -> Ticks:
    """Return origins whose targets decide, few enough to be forecast often."""
    series = windows.series
    return thin(windows, windows.origins(series.train_end, series.validation_end))


def _validation_errors(windows: Windows, pools: list[list[list[Candidate]]]) -> tuple[list[list[Array]], Array]:
    """Return errors ``[H][F][2, C, N, BLOCKS]``, absolute and squared, in the feature's unit, and how many they are."""
    series, scaling = windows.series, windows.scaling
    first, end = series.train_end, series.validation_end
    shape, zones = (len(pools), windows.levels.shape[2]), windows.levels.shape[1]
    sums = [[np.zeros((2, len(pool), zones, BLOCKS)) for pool in row] for row in pools]
    counts = np.zeros((*shape, zones, BLOCKS))
    for part in blocks(windows, validation_origins(windows)):
        inputs = windows.inputs(part)
        levels, weights = windows.targets(part, first, end)
        truth = scaling.values(levels).astype(np.float64)
        for h, f in np.ndindex(shape):
            block = block_of(part + windows.horizons[h], first, end)
            table, weight = columns(inputs, h, f), weights[h, ..., f]
            add_by_block(counts[h, f], block, weight)
            for number, candidate in enumerate(pools[h][f]):
                forecast: Floats = inputs.last[..., f] + _dot(table, candidate.weights[:-1])
                error = scaling.feature_values(forecast, f) - truth[h, ..., f]
                add_by_block(sums[h][f][0, number], block, np.abs(error) * weight)
                add_by_block(sums[h][f][1, number], block, np.square(error) * weight)
    return sums, counts


def add_by_block(sums: Array, blocks: Ticks, values: NDArray[np.floating[Any]]) -> None:
    """Add values ``[B, N]`` of rows in blocks ``[B]`` to ``sums [N, BLOCKS]``."""
    for block in np.unique(blocks):
        sums[:, block] += values[blocks == block].sum(axis=0, dtype=np.float64)


def _dot(table: Floats, weights: NDArray[np.floating[Any]]) -> Floats:
    """Return ``[B, N]``, columns ``[B, N, K]`` times weights ``[N, K]``."""
    product: Floats = np.einsum("bnk,nk->bn", table, weights.astype(np.float32))
    return product
