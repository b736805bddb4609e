"""Cost against violations, a panel per condition: what each controller pays for how few violations."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from benchmarks.bootstrap import Estimate
from benchmarks.grid.findings import COST, MORE_COST, VIOLATED, Findings, Row
from benchmarks.plots import COLOURS

PICTURE: Final = "pareto.png"
MARKERS: Final = ("o", "s", "D", "^", "v", "P", "X")
"""A colour comes again after seven policies, with another marker."""
BOUND: Final[dict[str, Any]] = {"marker": "*", "markerfacecolor": "white", "markersize": 12}
"""How bounds are drawn."""
FRONT: Final[dict[str, Any]] = {"color": "#777777", "linestyle": "--", "linewidth": 1.0}
COLUMNS: Final = 3
WIDE: Final = 3.0
"""Costs that differ by more than this factor stand on a logarithmic scale [choice]."""
INCHES_PER_LETTER: Final = 0.07
"""Of a legend's entry, beside half an inch for its mark [M]."""
PANEL_INCHES: Final = (4.6, 3.9)


def draw(path: Path, findings: Findings) -> Path:
    """Draw a PNG; the dashed line joins the competitors that no other beats in both."""
    shown = [(cell, rows) for cell, rows in findings.cells if rows]
    columns = min(COLUMNS, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = Figure(
        figsize=(max(PANEL_INCHES[0] * columns, 6.5), PANEL_INCHES[1] * lines + 1.0), dpi=150, layout="constrained"
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    styles = _styles([row for _, rows in shown for row in rows])
    for index, (cell, rows) in enumerate(shown):
        _draw_panel(panels[index], rows, styles)
        panels[index].set_title(cell.terms.label, fontsize=10)
        relative = MORE_COST in rows[0].figures
        panels[index].set_xlabel(f"cost, as a multiple of {findings.reference}'s" if relative else "cost [EUR/h]")
    for axes in panels[::columns]:
        axes.set_ylabel("user-seconds above the objective [%]")
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    _legend(figure, styles)
    figure.savefig(path)
    return path


def _styles(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Give every policy the same colour and marker in all panels; bounds are hollow stars."""
    styles: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.policy not in styles:
            index = len(styles)
            colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index // len(COLOURS) % len(MARKERS)]
            styles[row.policy] = {"color": colour, "marker": marker, "markersize": 6, **(BOUND if row.bound else {})}
    return styles


def _draw_panel(axes: Any, rows: Sequence[Row], styles: dict[str, dict[str, Any]]) -> None:
    for row in rows:
        cost, violated = _cost(row), row.figures[VIOLATED]
        axes.errorbar(
            cost.value,
            violated.value,
            xerr=_arms(cost),
            yerr=_arms(violated),
            linestyle="none",
            capsize=2,
            elinewidth=0.9,
            zorder=2 if row.bound else 3,
            **styles[row.policy],
        )
    front = sorted((_cost(row).value, row.figures[VIOLATED].value) for row in rows if row.best)
    axes.plot(*zip(*front, strict=True), zorder=1, **FRONT)
    _scale(axes)


def _cost(row: Row) -> Estimate:
    """Return what a policy costs beside the reference, as a factor; in EUR/h where there is none."""
    if MORE_COST not in row.figures:
        return row.figures[COST]
    return Estimate(*(1.0 + percent / 100.0 for percent in row.figures[MORE_COST]))


def _scale(axes: Any) -> None:
    """Scale by factors; shares below 0.01 % evenly, down to nothing, with room for the marks of who has none."""
    low, high = axes.get_xlim()
    if high > WIDE * low > 0.0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.5)
    axes.set_ylim(-0.003, 100.0)
    axes.yaxis.set_major_locator(FixedLocator((0.0, 0.01, 0.1, 1.0, 10.0, 100.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.06)
    axes.grid(True, which="major", alpha=0.3)


def _arms(estimate: Estimate) -> list[list[float]] | None:
    """Return the lengths of an error bar to either side; none where nothing is known of the spread."""
    if math.isnan(estimate.low):
        return None
    return [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]


def _legend(figure: Figure, styles: dict[str, dict[str, Any]]) -> None:
    handles = [Line2D([], [], linestyle="none", label=policy, **style) for policy, style in styles.items()]
    handles.append(Line2D([], [], label="front of the competitors", **FRONT))
    if any(style["marker"] == BOUND["marker"] for style in styles.values()):
        handles.append(Line2D([], [], linestyle="none", color="#777777", label="knows the future, a bound", **BOUND))
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = int(figure.get_figwidth() / (INCHES_PER_LETTER * longest + 0.5))
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, fitting), fontsize=8, frameon=False)
