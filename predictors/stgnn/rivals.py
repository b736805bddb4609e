"""What the forecaster has to beat on simulated worlds: the same inputs, read by plainer models.

Each rival forecasts medians of demand and latency, as levels relative to the last ones, for every zone on its own. They
learn from the telemetry that the network learns from, and choose their one setting on the telemetry that stops it.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor

from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.units import TARGETS
from predictors.forecasting.progress import Report, silent
from predictors.stgnn.data import Recording
from predictors.stgnn.tasks import ForecastTask

Array = np.ndarray

TRAINING_BATCHES: Final = 60
"""Of about 2,048 zones each."""
VALIDATION_BATCHES: Final = 20
RIDGES: Final = (1.0, 10.0, 100.0, 1000.0)
ROUNDS: Final = 300
PATIENCE: Final = 30
SETTINGS: Final[dict[str, Any]] = {
    "objective": "l1", "learning_rate": 0.1, "num_leaves": 63, "min_data_in_leaf": 50, "feature_fraction": 0.6,
    "bagging_fraction": 0.8, "bagging_freq": 1, "verbosity": -1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
_COLUMNS: Final = [tick - 1 for tick in FORECAST_TICKS]


class Rival(Protocol):
    """A forecaster of medians."""

    def predict(self, features: Array) -> Array:
        """Return levels relative to the last ones, ``[N, 4, 4]``: at :data:`FORECAST_TICKS`, of the targets."""
        ...


class Persistence:
    """What is, will be."""

    def predict(self, features: Array) -> Array:
        """Return zeros."""
        return np.zeros((len(features), len(_COLUMNS), len(TARGETS)), dtype=np.float32)


class Ridge:
    """A ridge regression for each target and tick; the penalty is chosen by absolute error."""

    def __init__(self, training: Sequence[dict[str, Tensor]], validation: Sequence[dict[str, Tensor]]) -> None:
        features, change, weights = _stacked(training)
        held_features, held_change, held_weights = _stacked(validation)
        outputs = change.shape[1] * change.shape[2]
        self._weights = np.zeros((features.shape[1] + 1, outputs))
        table, held = _with_one(features), _with_one(held_features)
        for output in range(outputs):
            tick, target = divmod(output, change.shape[2])
            weight = weights[:, tick, target]
            gram, moment = (table.T * weight) @ table, (table.T * weight) @ change[:, tick, target]
            fits = [np.linalg.solve(gram + ridge * np.eye(len(gram)), moment) for ridge in RIDGES]
            errors = [
                (held_weights[:, tick, target] * np.abs(held @ fit - held_change[:, tick, target])).sum()
                for fit in fits
            ]
            self._weights[:, output] = fits[int(np.argmin(errors))]

    def predict(self, features: Array) -> Array:
        """Return what the regressions say."""
        found: Array = (_with_one(features) @ self._weights).reshape(len(features), len(_COLUMNS), len(TARGETS))
        return found.astype(np.float32)


class Boosting:
    """Gradient-boosted trees (LightGBM) for each target and tick, of the absolute error."""

    def __init__(self, training: Sequence[dict[str, Tensor]], validation: Sequence[dict[str, Tensor]]) -> None:
        import lightgbm  # noqa: PLC0415  # optional

        features, change, weights = _stacked(training)
        held_features, held_change, held_weights = _stacked(validation)
        self._boosters = []
        for tick, target in np.ndindex(len(_COLUMNS), len(TARGETS)):
            data = lightgbm.Dataset(features, **_column(change, weights, tick, target))
            held = data.create_valid(held_features, **_column(held_change, held_weights, tick, target))
            stop = lightgbm.early_stopping(PATIENCE, verbose=False)
            settings = SETTINGS | {"num_threads": torch.get_num_threads()}
            self._boosters.append(lightgbm.train(settings, data, ROUNDS, valid_sets=[held], callbacks=[stop]))

    def predict(self, features: Array) -> Array:
        """Return what the trees say."""
        columns = [booster.predict(features, num_threads=torch.get_num_threads()) for booster in self._boosters]
        return np.stack(columns, axis=1).reshape(len(features), len(_COLUMNS), len(TARGETS)).astype(np.float32)


def fit_rivals(
    names: Sequence[str], training: Sequence[Recording], validation: Sequence[Recording], report: Report = silent
) -> dict[str, Rival]:
    """Return rivals by name: ``persistence``, ``ridge``, ``lightgbm``; reports which of them is begun."""
    task, random = ForecastTask(), np.random.default_rng(7)
    learnt = [task.sample(training, random) for _ in range(TRAINING_BATCHES)]
    held_out = [task.sample(validation, random) for _ in range(VALIDATION_BATCHES)]
    makers: dict[str, Any] = {"ridge": Ridge, "lightgbm": Boosting}
    fitted: dict[str, Rival] = {}
    for number, name in enumerate(names):
        report(number / len(names), name)
        fitted[name] = makers[name](learnt, held_out) if name in makers else Persistence()
    return fitted


def _stacked(batches: Sequence[dict[str, Tensor]]) -> tuple[Array, Array, Array]:
    """Return features ``[N, …]``, changes of level and weights ``[N, 4, 4]``."""
    features = np.concatenate([batch["features"].numpy() for batch in batches])
    change = np.concatenate([(batch["truth"][:, _COLUMNS] - batch["last"][:, None]).numpy() for batch in batches])
    return features, change, np.concatenate([batch["weights"][:, _COLUMNS].numpy() for batch in batches])


def _column(change: Array, weights: Array, tick: int, target: int) -> dict[str, Any]:
    label, weight = (np.ascontiguousarray(array[:, tick, target]) for array in (change, weights))
    return {"label": label, "weight": weight}


def _with_one(features: Array) -> Array:
    return np.concatenate([features, np.ones((len(features), 1), dtype=features.dtype)], axis=1).astype(np.float64)
