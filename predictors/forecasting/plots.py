"""Forecasts drawn against what came."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.merit import Figures
from predictors.forecasting.scaling import Floats
from predictors.forecasting.series import Series

SHOWN_TARGETS: Final = 300
SHOWN_PANES: Final = 4
_WIDTH, _HEIGHT = 7.0, 2.6
"""Of a pane, inches."""


def draw_forecasts(forecasts: Mapping[str, Forecasts], series: Series, horizons: tuple[int, ...], path: Path) -> None:
    """Draw truth and medians of some zones, at the first and the last horizon.

    Of several features each is drawn of the zone that it varies most in; of one feature, the zones that vary most. The
    first model's range from median to quantile .9 is shaded.
    """
    truth = series.values[series.validation_end :][:SHOWN_TARGETS]
    panes = _panes(truth)
    shown = sorted({0, len(horizons) - 1})
    figure = Figure(figsize=(_WIDTH * len(shown), _HEIGHT * len(panes)), layout="constrained")
    axes = figure.subplots(len(panes), len(shown), squeeze=False, sharex=True, sharey="row")
    for row, (zone, feature) in zip(axes, panes, strict=True):
        for axis, h in zip(row, shown, strict=True):
            _draw_pane(axis, truth[:, zone, feature], forecasts, (h, zone, feature))
            axis.set_title(f"{series.panel.names[zone]}, {horizons[h]} ticks ahead", fontsize=10)
        row[0].set_ylabel(series.panel.feature_names[feature])
    axes[0][0].legend(fontsize=8, ncols=2)
    for axis in axes[-1]:
        axis.set_xlabel("ticks of the test part")
    figure.savefig(path, dpi=110)


def _panes(truth: Floats) -> list[tuple[int, int]]:
    """Return which ``(zone, feature)`` to draw of ``truth [T, N, F]``."""
    known = np.isfinite(truth)
    spread = np.where(known, truth, -np.inf).max(axis=0) - np.where(known, truth, np.inf).min(axis=0)
    spread = np.where(known.any(axis=0), spread, -1.0)
    if truth.shape[2] > 1:
        return [(int(spread[:, f].argmax()), f) for f in range(min(truth.shape[2], SHOWN_PANES))]
    return [(int(zone), 0) for zone in np.argsort(-spread[:, 0], kind="stable")[:SHOWN_PANES]]


def _draw_pane(axis: Any, truth: Floats, forecasts: Mapping[str, Forecasts], place: tuple[int, int, int]) -> None:
    """Draw one zone and feature at one horizon: ``place`` is ``(h, zone, feature)``."""
    h, zone, feature = place
    ticks = np.arange(len(truth))
    axis.plot(ticks, truth, color="black", linewidth=1.3, label="observed")
    for number, (name, found) in enumerate(forecasts.items()):
        median = found.median[h, : len(truth), zone, feature]
        axis.plot(ticks, median, linewidth=1.0, alpha=0.9, label=name, color=f"C{number}")
        if number == 0:
            upper = found.upper[0, h, : len(truth), zone, feature]
            axis.fill_between(ticks, median, upper, alpha=0.25, color="C0", linewidth=0, label=f"{name}, up to 90 %")
    axis.set_ylim(*_limits(truth))
    axis.grid(alpha=0.2)


def _limits(truth: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return limits that show all that was observed, whatever was forecast."""
    known = truth[np.isfinite(truth)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin


def draw_errors(found: Mapping[str, Mapping[str, Figures]], path: Path) -> None:
    """Draw each model's mean absolute error over the horizons, relative to persistence if it was asked for.

    Of several features it is the mean of their ratios, since their units differ.
    """
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axis = figure.subplots()
    base = found.get("persistence")
    for name, horizons in found.items():
        if name != "persistence" or base is None:
            errors = [relative_error(one, base[horizon] if base else None) for horizon, one in horizons.items()]
            axis.plot([int(horizon) for horizon in horizons], errors, marker="o", label=name)
    if base is not None:
        axis.axhline(1.0, color="grey", linestyle=":", label="persistence")
    axis.set_xticks(sorted({int(horizon) for horizons in found.values() for horizon in horizons}))
    axis.set_xlabel("ticks ahead")
    axis.set_ylabel("mean absolute error" + (" / persistence's" if base else ""))
    # Ratios on a log scale: a model that is off by ten times must not press the others into one line.
    axis.set_yscale("log")
    for each in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        each(StrMethodFormatter("{x:.3g}"))
    axis.grid(alpha=0.3, which="both")
    axis.legend()
    figure.savefig(path, dpi=110)


def relative_error(figures: Figures, base: Figures | None) -> float:
    """Return a mean absolute error over another's, of several features the mean ratio; NaN where nothing is known.

    >>> relative_error({"mae": 3.0}, {"mae": 4.0})
    0.75
    """
    if base is None:
        return float(figures.get("mae", np.nan))
    features = figures.get("features", {"": figures})
    bases = base.get("features", {"": base})
    ratios = [one["mae"] / bases[name]["mae"] for name, one in features.items() if bases[name].get("mae")]
    return float(np.mean(ratios)) if ratios else float("nan")
