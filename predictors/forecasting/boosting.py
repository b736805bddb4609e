"""Gradient-boosted trees (LightGBM), if installed: one booster for each feature, horizon and loss.

They read the same inputs as the network, and who the zone is; what they learn is the change from the last value, over
the zone's deviation. Missing inputs are left to the trees. Rounds are stopped on the validation part.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from predictors.forecasting.baselines import place_targets
from predictors.forecasting.forecasts import Floats, Forecasts, Study
from predictors.forecasting.linear import blocks, thin
from predictors.forecasting.scaling import fit_scaling
from predictors.forecasting.windows import Inputs, Ticks, Windows, make_windows

ROUNDS: Final = 1_000
PATIENCE: Final = 40
SETTINGS: Final[dict[str, Any]] = {
    "learning_rate": 0.05, "num_leaves": 63, "min_data_in_leaf": 50, "feature_fraction": 0.8,
    "bagging_fraction": 0.8, "bagging_freq": 1, "verbosity": -1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
"""Common choices for series of this kind; the same for all panels, like the network's."""


def lightgbm(study: Study) -> Forecasts:
    """Forecast medians (absolute loss) and means (squared loss)."""
    series = study.series
    scaling = fit_scaling(series.values[: series.train_end], np.zeros(series.shape[2], dtype=bool))
    windows = make_windows(series, scaling, study.lags, study.horizons)
    shape = (len(study.horizons), len(windows.levels) - series.train_end, *windows.levels.shape[1:])
    found = {"l1": np.zeros(shape, np.float32), "l2": np.zeros(shape, np.float32)}
    fits = [(h, f, loss) for h in range(shape[0]) for f in range(shape[3]) for loss in found]
    for done, (h, f, loss) in enumerate(fits):
        study.report(done / len(fits), f"tree {done + 1} of {len(fits)}")
        booster = _fit(windows, h, f, loss, study)
        for part in blocks(windows, windows.origins(series.train_end, len(windows.levels))):
            inputs = windows.inputs(part)
            change = booster.predict(table(inputs, h, f), num_threads=study.threads)
            levels = np.zeros_like(inputs.last)
            levels[..., f] = inputs.last[..., f] + change.reshape(levels.shape[:2])
            _place(found[loss], part, windows, h, f, scaling.values(levels))
    return Forecasts(found["l1"], found["l2"])


def _place(result: Floats, origins: Ticks, windows: Windows, h: int, f: int, values: Floats) -> None:
    horizon = windows.horizons[h]
    place_targets(
        result[h : h + 1, ..., f : f + 1], origins, (horizon,), windows.series.train_end, values[None, ..., f : f + 1]
    )


def table(inputs: Inputs, horizon: int, feature: int) -> Floats:
    """Return the columns ``[B N, K]`` for a feature at a horizon (an index); the last one is the zone."""
    batch, zones, _ = inputs.last.shape
    lags = np.where(inputs.observed[:, :, feature, 1:] > 0.0, inputs.lags[:, :, feature], np.float32(np.nan))
    steps = inputs.lags[..., 0] if inputs.lags.shape[-1] else inputs.last
    parts = (
        lags, inputs.last, steps, inputs.seasonal[horizon][:, :, feature],
        np.repeat(inputs.calendar[:, None], zones, axis=1), inputs.intents,
        np.repeat(np.arange(zones, dtype=np.float32)[None, :, None], batch, axis=0),
    )  # fmt: skip
    return np.concatenate(parts, axis=-1).reshape(batch * zones, -1)


def _fit(windows: Windows, h: int, f: int, loss: str, study: Study) -> Any:
    import lightgbm as library  # noqa: PLC0415  # optional

    series = windows.series
    train = _data(windows, 0, series.train_end, h, f)
    held_out = _data(windows, series.train_end, series.validation_end, h, f)
    zone = [train[0].shape[1] - 1]
    data = library.Dataset(train[0], train[1], weight=train[2], categorical_feature=zone)
    valid = library.Dataset(held_out[0], held_out[1], weight=held_out[2], reference=data, categorical_feature=zone)
    settings = SETTINGS | {"objective": loss, "seed": study.seed, "num_threads": study.threads}
    stop = library.early_stopping(PATIENCE, verbose=False)
    return library.train(settings, data, ROUNDS, valid_sets=[valid], callbacks=[stop])


def _data(windows: Windows, first: int, end: int, h: int, f: int) -> tuple[Floats, Floats, NDArray[np.float32]]:
    """Return columns, changes of level, and weights: a zone's deviation, so that errors count in the feature's unit."""
    tables, changes, weights = [], [], []
    for part in blocks(windows, thin(windows, windows.origins(first, end))):
        inputs = windows.inputs(part)
        levels, known = windows.targets(part, first, end)
        rows = known[h, ..., f].ravel() > 0.0
        tables.append(table(inputs, h, f)[rows])
        changes.append((levels[h, ..., f] - inputs.last[..., f]).ravel()[rows])
        weights.append(np.broadcast_to(windows.scaling.deviation[:, f], known.shape[1:3]).ravel()[rows])
    return np.concatenate(tables), np.concatenate(changes), np.concatenate(weights)
