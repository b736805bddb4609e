"""How good a forecaster is, on worlds it never saw, against the plainest rival: what is, will be."""

from typing import Any, Final

import numpy as np
import torch

from metaverse_env.forecasters import HORIZON
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.units import QUANTILES, TARGETS
from predictors.stgnn.data import Recording, forecast_features, window
from predictors.stgnn.model import ForecastNet
from predictors.stgnn.tasks import forecast_truth, union_edges

Array = np.ndarray

EVERY_TICKS: Final = 3
"""Anchors are this far apart: neighbouring ones tell the same."""


def evaluate_forecaster(net: ForecastNet, recording: Recording) -> dict[str, Any]:
    """Return figures of a forecaster.

    Returns:
        ``mae`` and ``persistence_mae`` of the median by target and ticks ahead, in the target's unit, and ``coverage``,
        the share of what came that is not above each quantile, by target over all ticks.
    """
    predicted, persistence, truth, weights = (
        np.concatenate(parts) for parts in zip(*_forecasts(net, recording), strict=True)
    )
    share = weights.sum(axis=0)
    mae = (weights * np.abs(predicted[..., 0] - truth)).sum(axis=0) / share
    rival = (weights * np.abs(persistence - truth)).sum(axis=0) / share
    below = (weights[..., None] * (truth[..., None] <= predicted)).sum(axis=(0, 1)) / weights.sum(axis=(0, 1))[:, None]
    return {
        "mae": _by_target_and_tick(mae),
        "persistence_mae": _by_target_and_tick(rival),
        "coverage": {
            target: {str(quantile): round(float(below[i, q]), 4) for q, quantile in enumerate(QUANTILES)}
            for i, target in enumerate(TARGETS)
        },
    }


def _by_target_and_tick(values: Array) -> dict[str, dict[str, float]]:
    return {
        target: {str(tick): float(f"{values[tick - 1, i]:.4g}") for tick in FORECAST_TICKS}
        for i, target in enumerate(TARGETS)
    }


def _forecasts(net: ForecastNet, recording: Recording) -> Any:
    """Yield predicted ``[B Z, 16, 4, 3]``, persistence, truth and weights ``[B Z, 16, 4]``, an anchor at a time."""
    everything = np.arange(recording.values.shape[1])
    for tick in range(0, len(recording.values) - HORIZON, EVERY_TICKS):
        ticks = np.full(len(everything), tick)
        features, last = (torch.from_numpy(array) for array in forecast_features(*window(recording, ticks, everything)))
        index, weight = (torch.from_numpy(array) for array in union_edges(recording.graph, len(everything)))
        with torch.no_grad():
            predicted = torch.exp(net.levels(features, last, index, weight, torch.arange(HORIZON))).numpy()
        truth, weights = forecast_truth(recording, ticks, everything)
        now = recording.values[tick][..., 1:5].reshape(-1, 1, len(TARGETS))
        yield predicted, np.broadcast_to(now, truth.shape), truth, weights
