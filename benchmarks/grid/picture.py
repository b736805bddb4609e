"""Cost against violations, a panel per condition: what each controller pays for how few violations."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator
from matplotlib.transforms import Bbox

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
FINE_PERCENT: Final = (
    0.0,
    0.01,
    0.02,
    0.03,
    0.05,
    0.07,
    0.1,
    0.2,
    0.3,
    0.5,
    0.7,
    1,
    2,
    3,
    5,
    7,
    10,
    20,
    30,
    50,
    70,
    100,
)
"""Labels of an axis of violations that spans less than two powers of ten."""
NAME_SIZE: Final = 6.5
"""Of the policies' names, points."""
NAME_HEIGHTS: Final = (2.0, -9.0, 9.0, -15.0, 15.0, -21.0, 21.0, -27.0, 27.0)
"""Where a name may stand against its mark, points up."""


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
    _legend(figure, styles, any(_front(rows) for _, rows in shown))
    figure.draw_without_rendering()  # only now is known how large a panel is
    for index, (_, rows) in enumerate(shown):
        _name(panels[index], rows, styles)
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
    if front := _front(rows):
        axes.plot(*zip(*front, strict=True), zorder=1, **FRONT)
    _scale(axes, [bound for row in rows for bound in row.figures[VIOLATED] if not math.isnan(bound)])


def _front(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Return the line of the front, cheapest first; of one competitor there is none."""
    points = sorted((_cost(row).value, row.figures[VIOLATED].value) for row in rows if row.best)
    return points if len(points) > 1 else []


def _name(axes: Any, rows: Sequence[Row], styles: dict[str, dict[str, Any]]) -> None:
    """Write every policy's name beside its mark, where it covers no mark and no other name, if it can."""
    points = axes.transData.transform([(_cost(row).value, row.figures[VIOLATED].value) for row in rows])
    dot = axes.figure.dpi / 72.0
    taken = [Bbox.from_bounds(x - 3 * dot, y - 3 * dot, 6 * dot, 6 * dot) for x, y in points]
    for row, (x, y) in zip(rows, points, strict=True):
        width, height = NAME_SIZE * 0.6 * len(row.policy) * dot, NAME_SIZE * dot
        places = [
            Bbox.from_bounds(x + side * dot - (width if side < 0 else 0.0), y + up * dot, width, height)
            for up in NAME_HEIGHTS
            for side in (5.0, -5.0)
        ]
        inside = [place for place in places if _within(place, axes.bbox)] or places
        place = min(inside, key=lambda place: sum(place.overlaps(other) for other in taken))
        taken.append(place)
        offset = ((place.x0 - x) / dot, (place.y0 - y) / dot)
        at = (_cost(row).value, row.figures[VIOLATED].value)
        colour = styles[row.policy]["color"]
        axes.annotate(
            row.policy, at, xytext=offset, textcoords="offset points", fontsize=NAME_SIZE, color=colour, va="bottom"
        )


def _within(box: Bbox, outer: Any) -> bool:
    return bool(outer.x0 <= box.x0 and box.x1 <= outer.x1 and outer.y0 <= box.y0 and box.y1 <= outer.y1)


def _cost(row: Row) -> Estimate:
    """Return what a policy costs beside the reference, as a factor; in EUR/h where there is none."""
    if MORE_COST not in row.figures:
        return row.figures[COST]
    return Estimate(*(1.0 + percent / 100.0 for percent in row.figures[MORE_COST]))


def _scale(axes: Any, violated: Sequence[float]) -> None:
    """Scale by factors; shares below 0.01 % evenly, down to nothing, with room for the marks of who has none."""
    low, high = axes.get_xlim()
    if high > WIDE * low > 0.0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.5)
    low = 0.6 * min(violated)
    axes.set_ylim(low if low > 0.01 else -0.003, min(100.0, max(1.6 * max(violated), 0.02)))
    bottom, top = axes.get_ylim()
    wide = top > 100.0 * max(bottom, 0.01)
    axes.yaxis.set_major_locator(FixedLocator((0.0, 0.01, 0.1, 1.0, 10.0, 100.0) if wide else FINE_PERCENT))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.12)
    axes.grid(True, which="major", alpha=0.3)


def _arms(estimate: Estimate) -> list[list[float]] | None:
    """Return the lengths of an error bar to either side; none where nothing is known of the spread."""
    if math.isnan(estimate.low):
        return None
    return [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]


def _legend(figure: Figure, styles: dict[str, dict[str, Any]], front: bool) -> None:
    handles = [Line2D([], [], linestyle="none", label=policy, **style) for policy, style in styles.items()]
    if front:
        handles.append(Line2D([], [], label="front of the competitors", **FRONT))
    if any(style["marker"] == BOUND["marker"] for style in styles.values()):
        handles.append(Line2D([], [], linestyle="none", color="#777777", label="knows the future, a bound", **BOUND))
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = int(figure.get_figwidth() / (INCHES_PER_LETTER * longest + 0.5))
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, fitting), fontsize=8, frameon=False)
