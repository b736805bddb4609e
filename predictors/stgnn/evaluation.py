"""How good a forecaster is, on worlds it never saw: errors of every world, so that two can be compared in pairs."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from metaverse_env.forecasters import HORIZON
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.units import QUANTILES, TARGETS
from predictors.stgnn.data import Recording, forecast_features, window
from predictors.stgnn.model import ForecastNet
from predictors.stgnn.rivals import Rival
from predictors.stgnn.tasks import forecast_truth, union_edges

Array = np.ndarray

EVERY_TICKS: Final = 3
"""Anchors are this far apart: neighbouring ones tell the same."""
RESAMPLES: Final = 2_000
_COLUMNS: Final = [tick - 1 for tick in FORECAST_TICKS]


class Anchor(NamedTuple):
    """One tick of all worlds: what is known, and what came.

    Attributes:
        features: ``float32 [W Z, …]``.
        last: ``float32 [W Z, 4]``, levels.
        truth: ``float32 [W Z, 16, 4]``, in units.
        weights: ``float32 [W Z, 16, 4]``.
    """

    features: Array
    last: Array
    truth: Array
    weights: Array


def anchors(recording: Recording) -> list[Anchor]:
    """Return every third tick that a whole horizon follows."""
    everything = np.arange(recording.values.shape[1])
    found = []
    for tick in range(0, len(recording.values) - HORIZON, EVERY_TICKS):
        ticks = np.full(len(everything), tick)
        features, last = forecast_features(*window(recording, ticks, everything))
        found.append(Anchor(features, last, *forecast_truth(recording, ticks, everything)))
    return found


@torch.no_grad()
def predicted(net: ForecastNet, recording: Recording, anchor: Anchor) -> Array:
    """Return quantiles ``[W Z, 16, 4, 3]`` in units."""
    index, weight = (torch.from_numpy(array) for array in union_edges(recording.graph, recording.values.shape[1]))
    features, last = torch.from_numpy(anchor.features), torch.from_numpy(anchor.last)
    levels = net.levels(features, last, index, weight, torch.arange(HORIZON), len(recording.graph))
    found: Array = torch.exp(levels).numpy()
    return found


def evaluate_forecaster(net: ForecastNet, recording: Recording) -> dict[str, Any]:
    """Return figures of a forecaster.

    Returns:
        ``mae`` and ``persistence_mae`` of the median by target and ticks ahead, in the target's unit, and ``coverage``,
        the share of what came that is not above each quantile, by target over all ticks.
    """
    found = anchors(recording)
    quantiles = np.concatenate([predicted(net, recording, anchor) for anchor in found])
    truth, weights = (np.concatenate([getattr(one, name) for one in found]) for name in ("truth", "weights"))
    last = np.exp(np.concatenate([anchor.last for anchor in found]))[:, None]
    share = weights.sum(axis=0)
    below = (weights[..., None] * (truth[..., None] <= quantiles)).sum(axis=(0, 1)) / weights.sum(axis=(0, 1))[:, None]
    return {
        "mae": by_target_and_tick(((weights * np.abs(quantiles[..., 0] - truth)).sum(axis=0) / share)[_COLUMNS]),
        "persistence_mae": by_target_and_tick(((weights * np.abs(last - truth)).sum(axis=0) / share)[_COLUMNS]),
        "coverage": {
            target: {str(quantile): round(float(below[i, q]), 4) for q, quantile in enumerate(QUANTILES)}
            for i, target in enumerate(TARGETS)
        },
    }


def by_target_and_tick(values: Array) -> dict[str, dict[str, float]]:
    """Name an array ``[4, 4]`` by target and tick, to four digits."""
    return {
        target: {str(tick): float(f"{values[column, i]:.4g}") for column, tick in enumerate(FORECAST_TICKS)}
        for i, target in enumerate(TARGETS)
    }


def world_errors(models: Mapping[str, ForecastNet | Rival], recording: Recording) -> dict[str, Array]:
    """Return each model's mean absolute error in every world, ``[W, 4, 4]`` at :data:`FORECAST_TICKS`, in units."""
    worlds, zones = recording.values.shape[1:3]
    totals = {name: np.zeros((worlds, len(_COLUMNS), len(TARGETS))) for name in models}
    counts = np.zeros((worlds, len(_COLUMNS), len(TARGETS)))
    for anchor in anchors(recording):
        truth, weights = anchor.truth[:, _COLUMNS], anchor.weights[:, _COLUMNS]
        counts += weights.reshape(worlds, zones, *weights.shape[1:]).sum(axis=1)
        for name, model in models.items():
            if isinstance(model, ForecastNet):
                medians = predicted(model, recording, anchor)[:, _COLUMNS][..., 0]
            else:
                medians = np.exp(anchor.last[:, None] + model.predict(anchor.features))
            errors = weights * np.abs(medians - truth)
            totals[name] += errors.reshape(worlds, zones, *errors.shape[1:]).sum(axis=1)
    return {name: total / np.maximum(counts, 1.0) for name, total in totals.items()}


def relative_gain(ours: Array, theirs: Array, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return by what share our error is below theirs, and the ends of its 95 % interval.

    Worlds ``[W, …]`` are resampled in pairs (percentile bootstrap).
    """
    random = np.random.default_rng(seed)
    picks = random.integers(0, len(ours), size=(RESAMPLES, len(ours)))
    gains = 1.0 - ours[picks].mean(axis=1) / theirs[picks].mean(axis=1)
    low, high = np.quantile(gains, (0.025, 0.975), axis=0)
    return 1.0 - ours.mean(axis=0) / theirs.mean(axis=0), low, high
