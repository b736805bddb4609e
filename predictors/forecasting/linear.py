"""Linear forecasts: ridge regressions on the inputs, and the two that need none, persistence and profile.

They are baselines, and the best of them on the validation part is what the network starts from: its linear skip. All
are weights over the same columns, so that the skip can be any of them. Normal equations are summed block by block over
time and solved for each zone and for all together.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError
from predictors.forecasting.scaling import Floats
from predictors.forecasting.windows import Inputs, Ticks, Windows

Array = NDArray[np.float64]

RIDGES: Final = (3.0, 30.0, 300.0)
"""Penalties that are tried, in units of one observation's unit variance."""
MOST_ZONES_ALONE: Final = 64
"""Up to so many zones each gets a regression of its own, beside the common one."""
MOST_CELLS: Final = 50_000_000
"""Of all normal equations together (400 MB): with more, zones get no regression of their own."""
MOST_FEATURES: Final = 128
"""Every feature is forecast from all of them, so the normal equations grow with their number's cube."""
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


def count_columns(windows: Windows) -> int:
    """Return ``K``, how many columns :func:`columns` gives."""
    features: int = windows.levels.shape[2]
    return windows.lags - 1 + 2 * features + windows.seasonal_columns + 1


def subsets(windows: Windows, feature: int) -> dict[str, NDArray[np.int64]]:
    """Return which columns the regressions use: own changes; own level too; all features."""
    before, features, count = windows.lags - 1, windows.levels.shape[2], count_columns(windows)
    changes = [*range(before), *range(before + 2 * features, count)]
    found = {"changes": changes, "level": [*changes, before + feature]}
    if features > 1:
        found["features"] = list(range(count))
    return {name: np.array(sorted(chosen)) for name, chosen in found.items()}


def thin(windows: Windows, origins: Ticks, seed: int = 0, rows: int = MOST_ROWS) -> Ticks:
    """Return at most so many zone-ticks' worth of origins, drawn evenly, in order."""
    most = max(1, rows // windows.levels.shape[1])
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
    """Sum the normal equations of the training part.

    Raises:
        PanelError: The panel has too many features.
    """
    (_, zones, features), horizons = windows.levels.shape, len(windows.horizons)
    if features > MOST_FEATURES:
        raise PanelError(
            f"panel {windows.series.panel.source} has {features} features; {MOST_FEATURES} can be forecast together. "
            "Cut it into panels of fewer"
        )
    count = count_columns(windows)
    alone = zones <= MOST_ZONES_ALONE and horizons * features * zones * count**2 <= MOST_CELLS
    groups = zones if alone else 1
    gram = np.zeros((horizons, features, groups, count, count))
    moment = np.zeros((horizons, features, groups, count))
    end = windows.series.train_end
    for part in blocks(windows, thin(windows, windows.origins(0, end))):
        inputs = windows.inputs(part)
        levels, weights = windows.targets(part, 0, end)
        for h, f in np.ndindex(horizons, features):
            # Groups come first: [groups, rows, K] and [groups, rows].
            table = columns(inputs, h, f).reshape(-1, groups, count).swapaxes(0, 1)
            weight = weights[h, ..., f].reshape(-1, groups).T
            change = (levels[h, ..., f] - inputs.last[..., f]).reshape(-1, groups).T
            weighted = (table * weight[..., None]).swapaxes(1, 2)
            gram[h, f] += weighted @ table
            moment[h, f] += (weighted @ change[..., None])[..., 0]
    return NormalEquations(gram, moment)


def candidates(windows: Windows, equations: NormalEquations, horizon: int, feature: int) -> list[Candidate]:
    """Return every linear forecast of one feature at one horizon; those of unknown zones do without a profile."""
    zones, count = windows.levels.shape[1], equations.moment.shape[-1]
    found = [Candidate("persistence", np.broadcast_to(0.0, (zones + 1, count)))]
    profile: list[int] = []
    if windows.profile is not None:
        # Columns end with: the profile's change to the target, the last level's distance from it, the constant.
        profile = [count - 3, count - 2]
        found.append(Candidate("profile", np.outer(np.arange(zones + 1) < zones, np.arange(count) == profile[0])))
    gram, moment = equations.gram[horizon, feature], equations.moment[horizon, feature]
    for name, used in subsets(windows, feature).items():
        for ridge in RIDGES:
            together = gram.sum(axis=0)[None], moment.sum(axis=0)[None]
            common = np.broadcast_to(_solve(*together, used, ridge), (zones, count))
            unknown = _solve(*together, np.setdiff1d(used, profile), ridge)
            found.append(Candidate(f"{name}, common, {ridge:g}", np.concatenate([common, unknown])))
            if len(moment) > 1:
                alone = np.concatenate([_solve(gram, moment, used, ridge), unknown])
                found.append(Candidate(f"{name}, each zone, {ridge:g}", alone))
    return found


def _solve(gram: Array, moment: Array, used: NDArray[np.int64], ridge: float) -> Array:
    """Return weights ``[N, K]``, 0 for the columns not used."""
    weights = np.zeros_like(moment)
    square = gram[:, used[:, None], used] + ridge * np.eye(len(used))
    weights[:, used] = np.linalg.solve(square, moment[:, used, None])[..., 0]
    return weights
