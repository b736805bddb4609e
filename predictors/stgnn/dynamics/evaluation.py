"""How good a dynamics is at one tick ahead, and how its deviations last, on recordings.

What a free run looks like is another question; see ``metaverse benchmark fidelity``.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import torch

from metaverse_env.units import TARGETS
from predictors.stgnn.data import Recording
from predictors.stgnn.dynamics.model import DynamicsNet
from predictors.stgnn.dynamics.residuals import Parts, correlations, fit_parts
from predictors.stgnn.dynamics.task import DynamicsTask

Array = np.ndarray

_MOST_DEVIATION: Final = 4.0
"""Standardised deviations are cut here, lest a few kills and node losses make up all of their variance."""
_LEAST_SPREAD: Final = 1e-3
_CLEAR: Final = 2.0
"""A zone whose allocation is this many deviations above what it should want was not throttled by chance."""


class Seen(NamedTuple):
    """What was predicted and what was seen of all zones at all ticks but the first, each ``[T, W Z, 4]``.

    The targets are used CPU, used memory, used egress, and p95 above the round trip. ``counts`` is 0 where a zone was
    down, or throttled, or in danger of it: the smallest wants alone would be seen of it.
    """

    median: Array
    spread: Array
    value: Array
    counts: Array

    @property
    def deviations(self) -> Array:
        """Standardised, of the logs."""
        standard: Array = (self.value - self.median) / (self.spread + _LEAST_SPREAD)
        return standard.clip(-_MOST_DEVIATION, _MOST_DEVIATION)


def look(net: DynamicsNet, recording: Recording) -> Seen:
    """Let a network predict every tick of a recording from the one before."""
    task, worlds = DynamicsTask(), np.arange(recording.values.shape[1])
    ticks = range(1, len(recording.values))
    with torch.no_grad():
        rows = [_look_once(net, task, recording, np.full(len(worlds), tick), worlds) for tick in ticks]
    return Seen(*(np.stack(parts) for parts in zip(*rows, strict=True)))


def _look_once(
    net: DynamicsNet, task: DynamicsTask, recording: Recording, ticks: Array, worlds: Array
) -> tuple[Array, ...]:
    batch = task.batch(recording, ticks, worlds)
    used, latency = task.predict(net, batch)
    clear = used.median + _CLEAR * used.spread < batch["allocation"]
    exact = (batch["bound"] == 0.0).all(dim=1)
    known = (batch["latency_bound"][:, 1] == 0.0) & exact
    pairs = (
        (used.median, latency.median[0, :, 1:2]),
        (used.spread, latency.spread[0]),
        (batch["used"], batch["latency"][:, 1:2]),
        (batch["exact"] * clear, (batch["latency_counts"] * known)[:, None]),
    )
    return tuple(torch.cat(pair, dim=1).numpy() for pair in pairs)


def residual_parts(seen: Seen) -> tuple[Parts, ...]:
    """Return how large the deviations of each target are, and how they last."""
    sizes = np.sqrt((seen.counts * seen.deviations**2).sum(axis=(0, 1)) / seen.counts.sum(axis=(0, 1)))
    lasting = [fit_parts(*correlations(seen.deviations[..., i], seen.counts[..., i])) for i in range(len(TARGETS))]
    return tuple(parts._replace(size=float(size)) for parts, size in zip(lasting, sizes, strict=True))


def evaluate_dynamics(seen: Seen, parts: tuple[Parts, ...]) -> dict[str, Any]:
    """Return figures of one tick ahead under the true history.

    Args:
        seen: On worlds that were not learnt from.
        parts: How deviations last: the last one tells of the next.

    Returns:
        ``mae`` of the median and ``persistence_mae`` in the target's unit; ``deviation``, the spread of the
        standardised deviations, 1 where the predicted one is right.
    """
    kept = np.array([part.correlation(np.ones(1))[0] for part in parts])
    expected = np.exp(seen.median[1:] + kept * seen.deviations[:-1] * seen.counts[:-1] * seen.spread[1:])
    value, before = np.exp(seen.value[1:]), np.exp(seen.value[:-1])
    weights = seen.counts[1:] * seen.counts[:-1]
    total = weights.sum(axis=(0, 1))
    figures = {
        "mae": (weights * np.abs(expected - value)).sum(axis=(0, 1)) / total,
        "persistence_mae": (weights * np.abs(before - value)).sum(axis=(0, 1)) / total,
        "deviation": np.sqrt((weights * seen.deviations[1:] ** 2).sum(axis=(0, 1)) / total),
    }
    return {
        name: {target: float(f"{value:.4g}") for target, value in zip(TARGETS, values, strict=True)}
        for name, values in figures.items()
    }
