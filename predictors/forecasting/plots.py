"""Forecasts drawn against what came."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.merit import Figures
from predictors.forecasting.scaling import Floats
from predictors.forecasting.series import Series

SHOWN_TARGETS: Final = 300
SHOWN_PANES: Final = 4
SHOWN_RIVALS: Final = 2
HIGHEST_RATIO: Final = 2.0
"""Of an error to persistence's that is drawn to scale; what is worse is written."""
_WIDTH, _HEIGHT = 7.0, 2.6
"""Of a pane, inches."""
_WIDE: Final = 5.0
"""Largest over least error from which a logarithmic axis shows more than a straight one."""
_MOST_LABELS: Final = 12
"""Of an axis."""


def strongest(results: Mapping[str, Mapping[str, Figures]]) -> list[str]:
    """Return the model that was asked for first, and the rivals whose absolute errors are the least beside it.

    >>> errors = {"stgnn": 3.0, "persistence": 4.0, "seasonal_naive": 9.0, "ridge": 2.0}
    >>> strongest({name: {"1": {"mae": mae}} for name, mae in errors.items()})
    ['stgnn', 'ridge', 'persistence']
    """
    ours, *rivals = results

    def worse(name: str) -> float:
        ratios = [relative_error(one, results[ours][horizon]) for horizon, one in results[name].items()]
        known = [ratio for ratio in ratios if np.isfinite(ratio)]
        return float(np.mean(known)) if known else np.inf

    return [ours, *sorted(rivals, key=worse)[:SHOWN_RIVALS]]


def draw_forecasts(forecasts: Mapping[str, Forecasts], series: Series, horizons: tuple[int, ...], path: Path) -> None:
    """Draw truth and medians of some zones, at the first and the last horizon.

    Of several features each is drawn of the zone that it varies most in; of one feature, the zones that vary most, in
    the panel's order. The first model is drawn above the others, its range from median to quantile .9 shaded.
    """
    truth = series.values[series.validation_end :][:SHOWN_TARGETS]
    panes = _panes(truth)
    shown = sorted({0, len(horizons) - 1})
    figure = Figure(figsize=(_WIDTH * len(shown), _HEIGHT * len(panes)), layout="constrained")
    axes = figure.subplots(len(panes), len(shown), squeeze=False, sharex=True, sharey="row")
    for row, (zone, feature) in zip(axes, panes, strict=True):
        for axis, h in zip(row, shown, strict=True):
            _draw_pane(axis, truth[:, zone, feature], forecasts, (h, zone, feature))
            axis.set_title(f"{series.panel.names[zone]}, {_ticks(horizons[h])} ahead", fontsize=10)
        row[0].set_ylabel(series.panel.feature_names[feature])
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", fontsize=8, ncols=len(labels))
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
    return [(int(zone), 0) for zone in np.sort(np.argsort(-spread[:, 0], kind="stable")[:SHOWN_PANES])]


def _ticks(count: int) -> str:
    return f"{count} tick{'s' if count > 1 else ''}"


def _draw_pane(axis: Any, truth: Floats, forecasts: Mapping[str, Forecasts], place: tuple[int, int, int]) -> None:
    """Draw one zone and feature at one horizon: ``place`` is ``(h, zone, feature)``."""
    h, zone, feature = place
    ticks = np.arange(len(truth))
    axis.plot(ticks, truth, color="black", linewidth=1.3, label="observed")
    for number, (name, found) in enumerate(forecasts.items()):
        median = found.median[h, : len(truth), zone, feature]
        above = 3.0 + len(forecasts) - number
        width = 1.0 if number else 1.4
        axis.plot(ticks, median, linewidth=width, label=name, color=f"C{number}", zorder=above)
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

    Of several features it is the mean of their ratios, since their units differ. A model that is more than twice as
    bad is drawn at the edge, with an arrow and the number, so that it does not press the others into one line.
    """
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    axis = figure.subplots()
    base = found.get("persistence")
    horizons = sorted({int(horizon) for one in found.values() for horizon in one})
    written: Counter[int] = Counter()
    for name, one in found.items():
        if name != "persistence" or base is None:
            errors = [relative_error(one[str(h)], base[str(h)] if base else None) for h in horizons]
            stopped = any(figures.get("stopped_early") for figures in one.values())
            _draw_errors(axis, np.array(errors), name + ", stopped by --minutes" * stopped, written if base else None)
    every = -(-len(horizons) // _MOST_LABELS)
    axis.set_xticks(range(0, len(horizons), every), [str(h) for h in horizons[::every]])
    axis.set_xlabel("ticks ahead")
    if base is not None:
        axis.axhline(1.0, color="grey", linestyle=":", label="persistence")
        axis.set_ylabel("mean absolute error / persistence's")
    else:
        axis.set_ylabel("mean absolute error")
        low, high = axis.get_ylim()
        if low <= 0.0 or high > _WIDE * low:
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:.4g}"))
    axis.grid(alpha=0.3, which="both")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    figure.savefig(path, dpi=110)


def _draw_errors(axis: Any, errors: NDArray[np.floating[Any]], name: str, written: Counter[int] | None) -> None:
    """Draw one model; beyond the highest ratio write numbers, below those ``written`` already; ``None`` draws all."""
    places = np.arange(len(errors))
    (line,) = axis.plot(
        places, errors if written is None else np.minimum(errors, HIGHEST_RATIO), marker="o", label=name
    )
    if written is None:
        return
    for place in np.flatnonzero(errors > HIGHEST_RATIO).tolist():
        axis.plot(place, HIGHEST_RATIO, marker="^", markersize=10, color=line.get_color(), zorder=5)
        below = -16 - 11 * written[place]
        written[place] += 1
        axis.annotate(
            f"{errors[place]:.3g}", (place, HIGHEST_RATIO), xytext=(0, below), textcoords="offset points", ha="center",
            fontsize=8, color=line.get_color(), bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, zorder=6,
        )  # fmt: skip


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
