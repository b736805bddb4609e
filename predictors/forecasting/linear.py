"""Linear forecasts: ridge regressions on the inputs, and the two that need none, persistence and profile.

They are baselines, and the best of them on the validation part is what the network starts from: its linear skip. All
are weights over the same columns, so that the skip can be any of them. Normal equations are summed block by block over
time and solved for each zone and for all together.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.forecasting.windows import Floats, Inputs, Ticks, Windows

Array = NDArray[np.float64]

RIDGES: Final = (3.0, 30.0, 300.0)
"""Penalties that are tried, in units of one observation's unit variance."""
MOST_ZONES_ALONE: Final = 64
"""Up to so many zones each gets a regression of its own, beside the common one."""
MOST_ROWS: Final = 400_000
"""Zone-ticks that the normal equations are summed over; beyond them origins are drawn at random."""
_BLOCK_ROWS: Final = 20_000


class Candidate(NamedTuple):
    """A linear forecast: its name, and weights ``[N + 1, K]``, the last row for zones unknown."""

    name: str
    weights: Array


def columns(inputs: Inputs, horizon: int, feature: int) -> Floats:
    """Return the columns ``[B, N, K]`` for one feature at one horizon (an index): a constant comes last."""
    last = inputs.last
    steps = -inputs.lags[..., 0] if inputs.lags.shape[-1] else np.zeros_like(last)
    one = np.ones((*last.shape[:2], 1), dtype=np.float32)
    parts = [inputs.lags[:, :, feature], last, steps, inputs.seasonal[horizon][:, :, feature], one]
    return np.concatenate(parts, axis=-1)


def subsets(windows: Windows, feature: int) -> dict[str, NDArray[np.int64]]:
    """Return which columns the regressions use: own changes; own level too; all features."""
    before, features = windows.lags - 1, windows.levels.shape[2]
    count = before + 2 * features + windows.seasonal_columns + 1
    changes = [*range(before), *range(before + 2 * features, count)]
    found = {"changes": changes, "level": [*changes, before + feature]}
    if features > 1:
        found["features"] = list(range(count))
    return {name: np.array(sorted(chosen)) for name, chosen in found.items()}


def thin(windows: Windows, origins: Ticks, seed: int = 0) -> Ticks:
    """Return at most :data:`MOST_ROWS` zone-ticks' worth of origins, drawn evenly, in order."""
    most = max(1, MOST_ROWS // windows.levels.shape[1])
    if len(origins) <= most:
        return origins
    return np.sort(np.random.default_rng(seed).choice(origins, most, replace=False))


def blocks(windows: Windows, origins: Ticks) -> list[Ticks]:
    """Cut origins into blocks whose inputs stay within some MB."""
    rows = windows.levels.shape[1] * windows.levels.shape[2]
    return np.array_split(origins, max(1, len(origins) * rows // _BLOCK_ROWS))


class NormalEquations(NamedTuple):
    """``gram [H, F, N, K, K]`` and ``moment [H, F, N, K]`` of the change from the last level to the target."""

    gram: Array
    moment: Array


def normal_equations(windows: Windows) -> NormalEquations:
    """Sum the normal equations of the training part."""
    (_, zones, features), horizons = windows.levels.shape, len(windows.horizons)
    zones = zones if zones <= MOST_ZONES_ALONE else 1
    count = windows.lags - 1 + 2 * features + windows.seasonal_columns + 1
    gram = np.zeros((horizons, features, zones, count, count))
    moment = np.zeros((horizons, features, zones, count))
    end = windows.series.train_end
    for part in blocks(windows, thin(windows, windows.origins(0, end))):
        inputs = windows.inputs(part)
        levels, weights = windows.targets(part, 0, end)
        for h in range(horizons):
            for f in range(features):
                table = columns(inputs, h, f).reshape(-1, zones, count) if zones > 1 else _flat(inputs, h, f)
                weight = weights[h, ..., f].reshape(len(table), -1)
                change = (levels[h, ..., f] - inputs.last[..., f]).reshape(weight.shape)
                weighted = (table * weight[..., None]).transpose(1, 2, 0)
                gram[h, f] += weighted @ table.transpose(1, 0, 2)
                moment[h, f] += (weighted @ change.T[..., None])[..., 0]
    return NormalEquations(gram, moment)


def _flat(inputs: Inputs, horizon: int, feature: int) -> Floats:
    table = columns(inputs, horizon, feature)
    return table.reshape(-1, 1, table.shape[-1])


def candidates(windows: Windows, equations: NormalEquations, horizon: int, feature: int) -> list[Candidate]:
    """Return every linear forecast of one feature at one horizon."""
    zones = windows.levels.shape[1]
    count = equations.moment.shape[-1]
    found = [Candidate("persistence", np.zeros((zones + 1, count)))]
    if windows.profile is not None:
        profile = np.zeros((zones + 1, count))
        profile[:, -3] = 1.0
        found.append(Candidate("profile", profile))
    gram, moment = equations.gram[horizon, feature], equations.moment[horizon, feature]
    for name, used in subsets(windows, feature).items():
        for ridge in RIDGES:
            common = _solve(gram.sum(axis=0)[None], moment.sum(axis=0)[None], used, ridge)
            found.append(Candidate(f"{name}, common, {ridge:g}", np.repeat(common, zones + 1, axis=0)))
            if len(moment) > 1:
                alone = np.concatenate([_solve(gram, moment, used, ridge), common])
                found.append(Candidate(f"{name}, each zone, {ridge:g}", alone))
    return found


def _solve(gram: Array, moment: Array, used: NDArray[np.int64], ridge: float) -> Array:
    """Return weights ``[N, K]``, 0 for the columns not used."""
    weights = np.zeros_like(moment)
    square = gram[:, used[:, None], used] + ridge * np.eye(len(used))
    weights[:, used] = np.linalg.solve(square, moment[:, used, None])[..., 0]
    return weights
