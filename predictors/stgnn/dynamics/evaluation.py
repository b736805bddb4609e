"""How good a learned dynamics is at one tick ahead, on worlds it never saw."""

from typing import Any, Final, cast

import numpy as np
import torch

from metaverse_env.units import TARGETS
from predictors.stgnn.data import Recording
from predictors.stgnn.dynamics.model import DynamicsNet
from predictors.stgnn.dynamics.task import DynamicsTask

Array = np.ndarray


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
