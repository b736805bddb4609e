"""A picture of a bank: where its vectors lie, by activity and modality, and which activities they are taken for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metaverse_env.simulator.intents import IntentBank

Array = np.ndarray

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's, which colour-blind readers can tell apart [V], and grey."""
MARKERS: Final = ("o", "^", "s", "D")


def draw_bank(path: Path, bank: IntentBank, activities: Sequence[str]) -> None:
    """Draw a PNG of 1500 x 750 pixels.

    Left, all vectors on their two leading principal components. Right, how often the nearest activity is which: each
    vector against the activities' means over all others of the same bank (cosine), whatever their modality.

    Args:
        path: To write.
        bank: To draw.
        activities: In its order.
    """
    figure = Figure(figsize=(10.0, 5.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    _draw_places(left, bank, activities)
    shares = nearest_activities(bank.vectors)
    image = right.imshow(100.0 * shares, cmap="Blues", vmin=0.0, vmax=100.0)
    for row, column in np.ndindex(*shares.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        right.text(
            column, row, f"{100.0 * shares[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=8
        )
    right.set_xticks(range(len(activities)), activities, rotation=45, ha="right")
    right.set_yticks(range(len(activities)), activities)
    right.set(xlabel="nearest activity", ylabel="activity of the signal")
    told = 100.0 * float(np.trace(shares)) / len(shares)
    right.set_title(
        f"one signal alone, by the nearest mean of the others\nin this bank: {told:.0f} % to its own activity",
        fontsize=10,
    )
    figure.colorbar(image, ax=right, label="% of signals", shrink=0.85)
    figure.savefig(path)


def nearest_activities(vectors: Array) -> Array:
    """Return the shares ``[K, K]`` of an activity's vectors whose nearest mean is which activity's; itself left out.

    >>> nearest_activities(np.array([[[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2]])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    by_activity = np.moveaxis(vectors, 1, 0).reshape(vectors.shape[1], -1, vectors.shape[-1]).astype(np.float64)
    totals, count = by_activity.sum(axis=1), by_activity.shape[1]
    shares = np.zeros((len(totals), len(totals)))
    for activity, place in np.ndindex(by_activity.shape[:2]):
        means = totals / count
        means[activity] = (totals[activity] - by_activity[activity, place]) / max(count - 1, 1)
        cosines = means @ by_activity[activity, place] / np.maximum(np.linalg.norm(means, axis=1), 1e-12)
        shares[activity, int(cosines.argmax())] += 1.0 / count
    return shares


def _draw_places(axes: Any, bank: IntentBank, activities: Sequence[str]) -> None:
    flat = bank.vectors.reshape(-1, bank.vectors.shape[-1])
    _, sizes, directions = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    places = (bank.vectors - flat.mean(axis=0)) @ directions[:2].T
    for m, k in np.ndindex(*bank.vectors.shape[:2]):
        look = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[m % len(MARKERS)]}
        axes.scatter(*places[m, k].T, s=16, alpha=0.6, linewidths=0, label=None if m else activities[k], **look)
    for m, modality in enumerate(bank.modalities):
        axes.scatter([], [], s=16, color="#555555", marker=MARKERS[m % len(MARKERS)], label=modality)
    axes.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.12))  # below: over no point
    share = 100.0 * sizes[:2] ** 2 / (sizes**2).sum()
    axes.set(xlabel=f"first component, {share[0]:.0f} % of the variance", ylabel=f"second, {share[1]:.0f} %")
    axes.set_title(f"{len(flat)} signals of {flat.shape[1]} numbers", fontsize=10)
    axes.grid(alpha=0.3)
