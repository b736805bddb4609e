"""Which scaling and which linear forecast suit a series: judged by mean absolute error on its validation part."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.forecasting.linear import Candidate, blocks, candidates, columns, normal_equations, thin
from predictors.forecasting.scaling import fit_scaling, may_be_logarithmic
from predictors.forecasting.series import Series
from predictors.forecasting.windows import Floats, Inputs, Ticks, Windows, make_windows

Array = NDArray[np.float64]


class Linear(NamedTuple):
    """The best linear forecast of each feature at each horizon.

    Attributes:
        windows: What it reads.
        weights: ``float32 [H, N + 1, F, K]``; the last zone is any that is not known.
        names: ``[H][F]``, what was chosen.
        errors: ``[H, F]``, mean absolute error on the validation part, in the feature's unit.
    """

    windows: Windows
    weights: Floats
    names: tuple[tuple[str, ...], ...]
    errors: Array

    def levels(self, inputs: Inputs) -> Floats:
        """Return forecast levels ``[H, B, N, F]``."""
        result = np.empty((len(self.weights), *inputs.last.shape), dtype=np.float32)
        for h in range(len(self.weights)):
            for f in range(inputs.last.shape[2]):
                table = columns(inputs, h, f)
                result[h, ..., f] = inputs.last[..., f] + (table * self.weights[h, :-1, f]).sum(axis=-1)
        return result


def best_linear(
    series: Series, lags: int, horizons: tuple[int, ...], allowed: Callable[[str], bool] = lambda name: True
) -> Linear:
    """Return the best linear forecast, features scaled as they are or by their logarithm, whichever does better.

    Args:
        series: See there.
        lags: How many ticks are looked back.
        horizons: Ticks ahead.
        allowed: Says by its name whether a candidate may be chosen.
    """
    training = series.values[: series.train_end]
    plain = np.zeros(series.shape[2], dtype=bool)
    linear = _best(make_windows(series, fit_scaling(training, plain), lags, horizons), allowed)
    possible = may_be_logarithmic(training)
    if not possible.any():
        return linear
    logs = _best(make_windows(series, fit_scaling(training, possible), lags, horizons), allowed)
    better = possible & ((logs.errors / np.maximum(linear.errors, 1e-30)).mean(axis=0) < 1.0)
    if better.all():
        return logs
    if not better.any():
        return linear
    return _best(make_windows(series, fit_scaling(training, better), lags, horizons), allowed)


def _best(windows: Windows, allowed: Callable[[str], bool]) -> Linear:
    _, zones, features = windows.levels.shape
    equations = normal_equations(windows)
    shape = (len(windows.horizons), features)
    pools = [
        [[one for one in candidates(windows, equations, h, f) if allowed(one.name)] for f in range(features)]
        for h in range(shape[0])
    ]
    errors = _validation_errors(windows, pools)
    weights = np.zeros((shape[0], zones + 1, features, equations.moment.shape[-1]), dtype=np.float32)
    names = [[""] * features for _ in range(shape[0])]
    least = np.zeros(shape)
    for h, f in np.ndindex(shape):
        chosen = int(np.argmin(errors[h][f]))
        weights[h, :, f] = pools[h][f][chosen].weights
        names[h][f], least[h, f] = pools[h][f][chosen].name, errors[h][f][chosen]
    return Linear(windows, weights, tuple(tuple(row) for row in names), least)


def validation_origins(windows: Windows) -> Ticks:
    """Return origins whose targets decide, few enough to be forecast often."""
    series = windows.series
    return thin(windows, windows.origins(series.train_end, series.validation_end))


def _validation_errors(windows: Windows, pools: list[list[list[Candidate]]]) -> list[list[Array]]:
    """Return the mean absolute error of every candidate, in the feature's unit."""
    series, scaling = windows.series, windows.scaling
    shape = (len(pools), windows.levels.shape[2])
    sums = [[np.zeros(len(pool)) for pool in row] for row in pools]
    stacks = [[np.stack([one.weights[:-1] for one in pool]) for pool in row] for row in pools]
    counts = np.zeros(shape)
    for part in blocks(windows, validation_origins(windows)):
        inputs = windows.inputs(part)
        levels, weights = windows.targets(part, series.train_end, series.validation_end)
        truth = scaling.values(levels)
        for h, f in np.ndindex(shape):
            change = np.einsum("bnk,cnk->cbn", columns(inputs, h, f), stacks[h][f], optimize=True)
            forecast = np.zeros((*change.shape, shape[1]), dtype=np.float32)
            forecast[..., f] = inputs.last[..., f] + change
            error = np.abs(scaling.values(forecast)[..., f] - truth[h, ..., f]) * weights[h, ..., f]
            sums[h][f] += error.sum(axis=(1, 2))
            counts[h, f] += weights[h, ..., f].sum()
    return [[total / max(counts[h, f], 1.0) for f, total in enumerate(row)] for h, row in enumerate(sums)]
