"""How good a network is, on worlds it never saw, against the plainest rival: what is, will be."""

from typing import Any, Final, cast

import numpy as np
import torch

from metaverse_env.forecasters import HORIZON
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.units import QUANTILES, TARGETS
from predictors.stgnn.data import Recording, forecast_features, window
from predictors.stgnn.model import DynamicsNet, ForecastNet
from predictors.stgnn.tasks import DynamicsTask, forecast_truth, union_edges

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


def evaluate_dynamics(net: DynamicsNet, recording: Recording) -> dict[str, Any]:
    """Return figures of one tick ahead under the true history.

    Returns:
        ``mae`` of the median and ``persistence_mae`` in the target's unit; ``deviation``, the spread of the
        standardised residuals, 1 where the predicted one is right; ``residual_keep``, their correlation in time.
    """
    residuals, errors, rivals, weights = _residuals(net, recording)
    total = weights.sum(axis=(0, 1))
    both = weights[:, 1:] * weights[:, :-1]
    deviation = np.sqrt((weights * residuals**2).sum(axis=(0, 1)) / total)
    pairs = (both * residuals[:, 1:] * residuals[:, :-1]).sum(axis=(0, 1)) / both.sum(axis=(0, 1))
    figures = {
        "mae": (weights * errors).sum(axis=(0, 1)) / total,
        "persistence_mae": (weights * rivals).sum(axis=(0, 1)) / total,
        "deviation": deviation,
        "residual_keep": np.clip(pairs / deviation**2, 0.0, 0.99),
    }
    return {
        name: {target: float(f"{value:.4g}") for target, value in zip(TARGETS, values, strict=True)}
        for name, values in figures.items()
    }


def _residuals(net: DynamicsNet, recording: Recording) -> tuple[Array, Array, Array, Array]:
    """Return standardised residuals, absolute errors, those of persistence, and weights, each ``[W Z, T, 4]``."""
    task, worlds = DynamicsTask(), np.arange(recording.values.shape[1])
    rows = []
    for tick in range(1, len(recording.values)):
        batch = task.batch(recording, np.full(len(worlds), tick), worlds)
        with torch.no_grad():
            median, spread = (tensor.numpy() for tensor in task.predict(net, batch))
        truth, weights = batch["truth"].numpy(), batch["weights"].numpy()
        before = recording.truth[tick - 1].reshape(-1, 8)[:, 1:5]
        values = np.exp(truth)
        residual = np.clip((truth - median) / spread, -_MOST_RESIDUAL, _MOST_RESIDUAL)
        rows.append((residual, np.abs(np.exp(median) - values), np.abs(before - values), weights))
    return cast(tuple[Array, Array, Array, Array], tuple(np.stack(parts, axis=1) for parts in zip(*rows, strict=True)))


_MOST_RESIDUAL: Final = 4.0
"""Standardised residuals are cut here, lest a few kills and node losses make up all of their variance."""
