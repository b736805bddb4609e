"""Every trial of every controller as a mark in the plane of cost and violations, one panel for each."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.conditions import Conditions
from benchmarks.plots import COLOURS
from benchmarks.statistics import pareto
from benchmarks.tuning.search import Trial
from benchmarks.tuning.tuning import Budget, Tuned

COLUMNS: Final = 4
_BLUE, _RED, _GREEN = COLOURS[:3]
_GREY: Final = "#BBBBBB"
LEAST_PERCENT: Final = 0.01
"""From here on down the axis of violations is linear."""
MOST_PERCENT: Final = 30.0
"""Nobody would run what violates more; it is left out, unless a default does."""


def front(trials: Sequence[Trial]) -> list[tuple[float, float]]:
    """Return ``(EUR/h, violated %)`` of the trials that no other beats in both, cheapest first.

    >>> front([Trial({}, 2.0, 1.0), Trial({}, 1.0, 3.0), Trial({}, 2.0, 2.0)])
    [(1.0, 3.0), (2.0, 1.0)]
    """
    points = [(trial.cost_eur_per_h, trial.violated_percent) for trial in trials]
    return sorted({point for point, best in zip(points, pareto(points), strict=True) if best})


def plot_trials(path: Path, terms: Conditions, budget: Budget, found: Sequence[Tuned]) -> Path:
    """Draw a PNG: in each panel one controller's trials and front, and in grey the fronts of the others."""
    columns = min(COLUMNS, len(found))
    rows = math.ceil(len(found) / columns)
    figure = Figure(figsize=(max(1.2 + 2.9 * columns, 4.8), 1.3 + 2.5 * rows), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    fronts = [front(one.trials) for one in found]
    for place, (axes, one) in enumerate(zip(grid, found, strict=False)):
        _draw(axes, one, fronts, place, budget.limit_percent)
    for axes in grid[len(found) :]:
        axes.set_axis_off()
    _label(figure, grid, terms, budget, found)
    figure.savefig(path)
    return path


def _draw(axes: Any, one: Tuned, fronts: Sequence[list[tuple[float, float]]], place: int, limit: float) -> None:
    """Draw one panel."""
    known = False  # whether the legend has the others
    for other, line in enumerate(fronts):
        if other != place:
            axes.plot(
                *zip(*line, strict=True),
                color=_GREY,
                linewidth=0.8,
                zorder=1,
                label="_" * known + "fronts of the others",
            )
            known = True
    axes.axhline(limit, color="#555555", linewidth=0.8, linestyle="--", zorder=1)
    costs = [trial.cost_eur_per_h for trial in one.trials]
    axes.scatter(costs, [trial.violated_percent for trial in one.trials], s=7, color=_BLUE, alpha=0.35, linewidths=0)
    axes.plot(*zip(*fronts[place], strict=True), color=_BLUE, linewidth=1.4, zorder=3, label="front of its trials")
    first, best = one.trials[0], one.best
    kept = {"linestyle": "none", "markersize": 8, "zorder": 4}
    axes.plot(first.cost_eur_per_h, first.violated_percent, "o", mfc="none", color=_RED, label="defaults", **kept)
    axes.plot(best.cost_eur_per_h, best.violated_percent, "*", color=_GREEN, label="tuned", **kept | {"markersize": 12})
    above = "" if best.violated_percent <= limit else f", {best.violated_percent:.2g} % violated"
    axes.set_title(f"{one.policy}: {best.cost_eur_per_h:.2f} EUR/h{above}", fontsize=9)


def _label(figure: Any, grid: Any, terms: Conditions, budget: Budget, found: Sequence[Tuned]) -> None:
    axes = grid[0]
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=LEAST_PERCENT, linscale=0.3)
    shown_percent = [trial.violated_percent for one in found for trial in (one.trials[0], one.best)]
    axes.set_ylim(-0.3 * LEAST_PERCENT, max(MOST_PERCENT, 1.3 * max(shown_percent)))
    axes.set_xlim(*_costs_shown(found))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    for shown in grid[: len(found)]:
        shown.grid(True, which="major", alpha=0.25)
        shown.tick_params(labelsize=8, labelbottom=True)
    axes.legend(fontsize=7, loc="upper right", framealpha=0.9)
    figure.supxlabel("allocated resources and charges for changes, all zones [EUR/h]", fontsize=9)
    figure.supylabel("user-seconds whose p95 is above the objective [%]", fontsize=9)
    figure.suptitle(
        f"{terms.scenario.name}, dynamics {terms.dynamics}: {budget.trials} trials per controller,{_break(found)}"
        f"means of {len(terms.seeds)} training worlds; dashed: the limit of {budget.limit_percent:g} %",
        fontsize=10,
    )


def _break(found: Sequence[Tuned]) -> str:
    """Return what parts the title where the picture is narrow."""
    return " " if len(found) > 2 else "\n"


def _costs_shown(found: Sequence[Tuned]) -> tuple[float, float]:
    """Return the range of costs of what is of use: defaults, what was tuned, fronts below both."""
    points = [trial.cost_eur_per_h for one in found for trial in (one.trials[0], one.best)]
    fronts = [cost for one in found for cost, violated in front(one.trials) if violated <= 0.5 * MOST_PERCENT]
    return 0.93 * min(points + fronts), 1.12 * max(points)
