"""Gradient-boosted trees (LightGBM), if installed: one booster for each feature, horizon and loss.

They read the same inputs as the network, and who the zone is; what they learn is the change from the last value, over
the zone's deviation. Missing inputs are left to the trees. Rounds are stopped on the validation part, and by time.
"""

import time
from typing import Any, Final, NamedTuple

import lightgbm as library
import numpy as np

from predictors.forecasting.baselines import place_targets
from predictors.forecasting.forecasts import Forecasts, Study
from predictors.forecasting.linear import blocks, thin
from predictors.forecasting.margins import error_margins
from predictors.forecasting.scaling import Floats, fit_scaling
from predictors.forecasting.windows import Inputs, Ticks, Windows, make_windows

ROUNDS: Final = 1_000
LEAST_ROUNDS: Final = 50
PATIENCE: Final = 40
RATE: Final = 0.05
MOST_RATE: Final = 0.2
SETTINGS: Final[dict[str, Any]] = {
    "num_leaves": 63, "min_data_in_leaf": 50, "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1,
    "verbosity": -1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
"""Common choices for series of this kind; the same for all panels, like the network's."""
TREE_S: Final = 5e-8
"""To look a row up in a tree, s: 4e-8 for 63 leaves on one core of a server [M]."""
LOSSES: Final = ("l1", "l2")
"""What median and mean are learnt with."""


class Budget:
    """The time that all boosters share: each gets its part of what those before it left.

    Args:
        study: With minutes; half of what a booster gets is for its training, half for its forecasts.
    """

    def __init__(self, study: Study) -> None:
        self._end, self.fits, self._begun = time.perf_counter() + 60.0 * study.minutes, count_fits(study), 0
        self._stopped: list[tuple[int, int]] = []

    def stop(self, rounds: int) -> Any:
        """Return a callback that ends one training of so many rounds, which keeps all its trees then."""
        now = time.perf_counter()
        end = now + max(self._end - now, 0.0) / (self.fits - self._begun) / 2.0
        self._begun += 1

        def stop(state: Any) -> None:
            if time.perf_counter() > end:
                self._stopped.append((state.iteration + 1, rounds))
                raise library.callback.EarlyStopException(state.iteration, state.evaluation_result_list)

        stop.order = 40  # type: ignore[attr-defined]  # after early stopping, whose choice of a round comes first
        return stop

    @property
    def stopped(self) -> str:
        """How far the trainings were that time ended; empty if there was none."""
        if not self._stopped:
            return ""
        trees, rounds = min(self._stopped)
        return f"{trees} of {rounds} trees" + (
            f", {len(self._stopped)} of {self.fits} boosters" if self.fits > 1 else ""
        )


class Data(NamedTuple):
    """Rows to learn from: columns ``[R, K]``, changes of level ``[R]``, weights ``[R]``.

    A weight is the zone's deviation, so that errors count in the feature's unit.
    """

    columns: Floats
    changes: Floats
    weights: Floats


def lightgbm(study: Study) -> Forecasts:
    """Forecast medians (absolute loss) and means (squared loss); quantiles from the median's validation errors."""
    series = study.series
    scaling = fit_scaling(series.values[: series.train_end], np.zeros(series.shape[2], dtype=bool))
    windows = make_windows(series, scaling, study.lags, study.horizons)
    shape = (len(study.horizons), len(series.values) - series.validation_end, *series.shape[1:])
    median, mean, upper = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty((2, *shape), np.float32)
    budget = Budget(study)
    for done, (h, f) in enumerate(np.ndindex(shape[0], shape[3])):
        boosters = {}
        held_out = _data(windows, series.train_end, series.validation_end, h, f)
        train = _data(windows, 0, series.train_end, h, f)
        for number, loss in enumerate(LOSSES):
            step = 2 * done + number
            study.report(step / (2 * shape[0] * shape[3]), f"booster {step + 1} of {2 * shape[0] * shape[3]}")
            boosters[loss] = _fit(train, held_out, loss, study, budget)
        for loss, result in zip(LOSSES, (median, mean), strict=True):
            _forecast(boosters[loss], windows, h, f, result, study.threads)
        margins = error_margins(held_out.changes - _predict(boosters["l1"], held_out.columns, study.threads))
        upper[:, h, ..., f] = median[h, ..., f] + margins[:, None, None] * scaling.deviation[:, f]
    return Forecasts(median, mean, upper, budget.stopped)


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


def _data(windows: Windows, first: int, end: int, h: int, f: int) -> Data:
    """Return the rows whose targets lie in ``[first, end)`` and were observed, thinned if they are too many."""
    tables, changes, weights = [], [], []
    for part in blocks(windows, thin(windows, windows.origins(first, end))):
        inputs = windows.inputs(part)
        levels, known = windows.targets(part, first, end)
        rows = known[h, ..., f].ravel() > 0.0
        tables.append(table(inputs, h, f)[rows])
        changes.append((levels[h, ..., f] - inputs.last[..., f]).ravel()[rows])
        weights.append(np.broadcast_to(windows.scaling.deviation[:, f], known.shape[1:3]).ravel()[rows])
    return Data(np.concatenate(tables), np.concatenate(changes), np.concatenate(weights))


def _fit(train: Data, held_out: Data, loss: str, study: Study, budget: Budget) -> library.Booster | None:
    """Return a booster; ``None``, which forecasts no change, where nothing is known to learn from or to stop by."""
    if not len(train.changes) or not len(held_out.changes):
        return None
    zone = [train.columns.shape[1] - 1]
    data = library.Dataset(train.columns, train.changes, weight=train.weights, categorical_feature=zone)
    valid = library.Dataset(
        held_out.columns, held_out.changes, weight=held_out.weights, reference=data, categorical_feature=zone
    )
    rounds = most_rounds(study)
    settings = SETTINGS | {
        "objective": loss, "seed": study.seed, "num_threads": study.threads,
        "learning_rate": min(RATE * ROUNDS / rounds, MOST_RATE),
    }  # fmt: skip
    stops = [library.early_stopping(PATIENCE, verbose=False), budget.stop(rounds)]
    return library.train(settings, data, rounds, valid_sets=[valid], callbacks=stops)


def count_fits(study: Study) -> int:
    """Return how many boosters are trained."""
    return len(LOSSES) * len(study.horizons) * study.series.shape[2]


def most_rounds(study: Study) -> int:
    """Return how many rounds leave half of the time for the forecasts; with fewer, each round learns more."""
    ticks, zones, _ = study.series.shape
    lookups = (ticks - study.series.validation_end) * zones * count_fits(study)
    affordable = 30.0 * study.minutes * study.threads / (lookups * TREE_S)
    return int(np.clip(affordable, LEAST_ROUNDS, ROUNDS))


def _predict(booster: library.Booster | None, columns: Floats, threads: int) -> Floats:
    if booster is None:
        return np.zeros(len(columns), dtype=np.float32)
    return np.asarray(booster.predict(columns, num_threads=threads), dtype=np.float32)


def _forecast(booster: library.Booster | None, windows: Windows, h: int, f: int, result: Floats, threads: int) -> None:
    """Write forecast values of the test part into ``result [H, T', N, F]``."""
    first = windows.series.validation_end
    parts: list[Ticks] = blocks(windows, windows.origins(first, len(windows.levels)))
    for part in parts:
        inputs = windows.inputs(part)
        levels = inputs.last[..., f] + _predict(booster, table(inputs, h, f), threads).reshape(inputs.last.shape[:2])
        values = windows.scaling.feature_values(levels, f)
        place_targets(result[h : h + 1, ..., f : f + 1], part, (windows.horizons[h],), first, values[None, ..., None])
