"""Cost against violations, one mark per controller: what a choice between them is about."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter

from benchmarks.conditions import Conditions
from benchmarks.scores import METRICS, Result
from benchmarks.statistics import Interval, mean_interval, pareto

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which colour-blind readers can tell apart [V]."""

SHARES_PERCENT: Final = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Labels of an axis of violations."""


def plot_costs(path: Path, terms: Conditions, results: Sequence[Result]) -> Path:
    """Draw a PNG of 1200 x 825 pixels; the line joins those that no other beats in both."""
    figure = Figure(figsize=(8.0, 5.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    costs = [mean_interval(result.scores["cost_eur_per_h"]) for result in results]
    shares = [mean_interval(result.scores["violated_percent"]) for result in results]
    _draw_front(axes, costs, shares)
    for index, result in enumerate(results):
        _draw_policy(axes, result.policy, costs[index], shares[index], index)
    _label(axes, terms)
    figure.savefig(path)
    return path


def _draw_policy(axes: Any, name: str, cost: Interval, share: Interval, index: int) -> None:
    """Draw one mark; its name stands above or below by turns, for a controller and its coded self often coincide."""
    colour, above = COLOURS[index % len(COLOURS)], 7 if index % 2 else -15
    errors = [value if math.isfinite(value) else 0.0 for value in (cost.half_width, share.half_width)]
    axes.errorbar(cost.mean, share.mean, xerr=errors[0], yerr=errors[1], fmt="o", color=colour, capsize=3, markersize=7)
    axes.annotate(name, (cost.mean, share.mean), xytext=(8, above), textcoords="offset points", color=colour)


def _draw_front(axes: Any, costs: Sequence[Interval], shares: Sequence[Interval]) -> None:
    points = [(cost.mean, share.mean) for cost, share in zip(costs, shares, strict=True)]
    front = sorted(point for point, best in zip(points, pareto(points), strict=True) if best)
    if len(front) > 1:
        line = {"color": "#999999", "linewidth": 1.0, "linestyle": "--"}
        axes.plot(*zip(*front, strict=True), zorder=0, label="nobody has both less cost and fewer violations", **line)
        axes.legend(fontsize=8, framealpha=0.9)


def _label(axes: Any, terms: Conditions) -> None:
    meaning = {metric.name: f"{metric.meaning} [{metric.unit}]" for metric in METRICS}
    axes.set_xlabel(meaning["cost_eur_per_h"])
    axes.set_ylabel(meaning["violated_percent"])
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=0.1)
    axes.margins(0.12)
    axes.set_ylim(-0.02, min(axes.get_ylim()[1], 100.0))  # room below nothing, and none above all
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_locator(FixedLocator(SHARES_PERCENT))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())  # more labels than these run into each other
    axes.grid(True, which="major", alpha=0.3)
    axes.set_title(
        f"{terms.scenario.name}, dynamics {terms.dynamics}: mean and 95 % interval of {len(terms.seeds)} seeds",
        fontsize=10,
    )
