"""What ``metaverse benchmark motion`` found, over all seeds: lines, tables and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from predictors.encoders.motion.evaluation import DEPTHS, interval
from predictors.encoders.motion.network import LAYERS

Array = np.ndarray
_COLOURS: Final = {"kan": "tab:blue", "mlp": "tab:orange"}


class Line(NamedTuple):
    """One test set and protocol, both kinds of layers. All but ranks are shares of 1.

    Attributes:
        test: Which motions.
        protocol: How they were ranked.
        motions: Over all seeds.
        sources: Performers or clips that they come from, over all seeds; what intervals are drawn over.
        means: R-precision@1 2 3 by layers.
        intervals: 95 %, lower and upper ends, by layers; of one source there is none.
        by_seed: Means of each seed by layers, ``[seeds, 3]``.
        ranks: Median rank by layers.
        chance: At 1, 2, 3.
        gain: KAN minus MLP at 3, and its 95 % interval; paired by motion.
    """

    test: str
    protocol: str
    motions: int
    sources: int
    means: dict[str, Array]
    intervals: dict[str, tuple[Array, Array]]
    by_seed: dict[str, Array]
    ranks: dict[str, float]
    chance: Sequence[float]
    gain: tuple[float, float, float]


def lines_of(results: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Put the seeds together, test by test and protocol by protocol."""
    return [_line(results, test, place) for test in results[0][LAYERS[0]] for place in range(2)]


def _line(results: Sequence[Mapping[str, Any]], test: str, place: int) -> Line:
    """Put the seeds together; intervals are over performers or clips of all seeds."""
    parts = {layers: [result[layers][test][place] for result in results] for layers in LAYERS}
    hits = {layers: np.concatenate([np.array(part["hits"]).T for part in parts[layers]]) for layers in LAYERS}
    sources = [source for part in parts["kan"] for source in part["sources"]]
    gain = hits["kan"][:, 2:] - hits["mlp"][:, 2:]
    low, high = interval(gain, sources)
    return Line(
        test,
        parts["kan"][0]["protocol"],
        len(sources),
        len(set(sources)),
        {layers: hits[layers].mean(axis=0) for layers in LAYERS},
        {layers: interval(hits[layers], sources) for layers in LAYERS},
        {layers: np.array([np.mean(part["hits"], axis=1) for part in parts[layers]]) for layers in LAYERS},
        {layers: float(np.median([rank for part in parts[layers] for rank in part["ranks"]])) for layers in LAYERS},
        parts["kan"][0]["chance"],
        (float(gain.mean()), float(low[0]), float(high[0])),
    )


def plain(line: Line) -> dict[str, Any]:
    """Return a line for JSON."""
    return {
        **line._asdict(),
        "means": {layers: values.tolist() for layers, values in line.means.items()},
        "intervals": {layers: [end.tolist() for end in ends] for layers, ends in line.intervals.items()},
        "by_seed": {layers: values.tolist() for layers, values in line.by_seed.items()},
    }


def tables_of(lines: Sequence[Line], seeds: int) -> list[Table]:
    """Lay out the lines, each test and protocol in a table of its own: one for all would be too wide for a window."""
    tables = [_table(line) for line in lines]
    tables[-1].caption = (
        f"R-precision of {seeds} {'seed' if seeds == 1 else 'seeds'}; 95 % intervals: bootstrap over performers or "
        "clips, where there are several; rank: the median; the difference is paired by motion"
    )
    return tables


def _table(line: Line) -> Table:
    columns = (*(f"R@{depth}, %" for depth in DEPTHS), "95 % of R@3", "x chance", "rank")
    table = Table("layers", *columns, title=f"{line.test} ({line.motions:,}): {line.protocol}", title_justify="left")
    for layers in LAYERS:
        low, high = (100.0 * float(end[2]) for end in line.intervals[layers])
        table.add_row(
            layers.upper(), *(f"{100.0 * mean:.1f}" for mean in line.means[layers]), _ends(line, low, high),
            f"{line.means[layers][2] / line.chance[2]:.1f}", f"{line.ranks[layers]:g}",
        )  # fmt: skip
    mean, low, high = (100.0 * value for value in line.gain)
    table.add_row("KAN - MLP", "", "", f"{mean:+.1f}", _ends(line, low, high, "+.1f"), "", "")
    return table


def _ends(line: Line, low: float, high: float, form: str = ".1f") -> str:
    """Return an interval in words; of one performer or clip there is none."""
    return f"{low:{form}} to {high:{form}}" if line.sources > 1 else "one source"


def draw(lines: Sequence[Line], seeds: int, path: Path) -> None:
    """Draw R-precision@3 of every seed, the mean with its interval, and chance."""
    columns = -(-len(lines) // 2)
    figure = Figure(figsize=(2.6 * columns + 1.6, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(2, columns, sharey=True, squeeze=False)
    for number, line in enumerate(lines):
        _draw_line(rows[number % 2][number // 2], line)
    for row in rows:
        row[0].set_ylabel("R-precision@3, %")
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    figure.suptitle(f"Sentences found for held-out motions, {seeds} {'seed' if seeds == 1 else 'seeds'}", fontsize=10)
    figure.savefig(path, dpi=120)


def _draw_line(axis: Axes, line: Line) -> None:
    for place, layers in enumerate(LAYERS):
        seeds, colour = 100.0 * line.by_seed[layers][:, 2], _COLOURS[layers]
        mean, around = 100.0 * line.means[layers][2], np.linspace(place - 0.12, place + 0.12, len(seeds))
        axis.scatter(around, seeds, s=22, color=colour, alpha=0.5, label=f"{layers.upper()}: one seed")
        axis.errorbar(place, mean, _errors(line, layers, mean), fmt="_", color=colour, markersize=26, capsize=5,
                      label=f"{layers.upper()}: mean, 95 % over performers or clips")  # fmt: skip
    chance = 100.0 * line.chance[2]
    axis.axhline(chance, color="grey", linestyle=":", label="chance")
    axis.axhline(5.0 * chance, color="grey", linestyle="--", label="5 x chance")
    axis.set(xticks=range(len(LAYERS)), xticklabels=[name.upper() for name in LAYERS], xlim=(-0.6, 1.6), ylim=(0, 104))
    axis.set_title(f"{line.test}\n{line.protocol}", fontsize=9)
    axis.grid(axis="y", alpha=0.3)


def _errors(line: Line, layers: str, mean: float) -> list[list[float]] | None:
    """Return how far the interval reaches below and above the mean, percent; ``None`` where there is no interval."""
    if line.sources < 2:
        return None
    low, high = (100.0 * float(end[2]) for end in line.intervals[layers])
    return [[max(0.0, mean - low)], [max(0.0, high - mean)]]  # rounding may put an end beyond the mean
