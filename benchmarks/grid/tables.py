"""The findings of a grid as text: Markdown for people, JSON and CSV for programs, and a table for the terminal."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import metaverse_env
from benchmarks.bootstrap import RESAMPLES, Estimate
from benchmarks.grid.findings import (
    CHANCE,
    COST,
    MORE_COST,
    MORE_VIOLATED,
    OVERALL_UNITS,
    UNITS,
    VIOLATED,
    WON,
    WORST,
    Cell,
    Findings,
    Row,
)
from benchmarks.report import CLAIRVOYANT_MARK
from benchmarks.statistics import LEVEL
from metaverse_env.terminal import show

MARKDOWN: Final = "suite.md"
JSON: Final = "suite.json"
CSV: Final = "suite.csv"
FRONT_MARK: Final = "°"


class Column(NamedTuple):
    """A column for people: what stands in it, and above it; ``REFERENCE`` in a heading is replaced."""

    name: str
    heading: str
    interval: bool = True


OVERALL: Final = (
    Column(MORE_COST, "cost over REFERENCE, %"),
    Column(VIOLATED, "violated, % user-s"),
    Column(WORST, "in the worst tenth"),
    Column("reward", "reward per tick"),
    Column(WON, "seeds won"),
    Column(CHANCE, "chance to beat REFERENCE"),
)
COLUMNS: Final = (
    Column(COST, "cost, EUR/h"),
    *OVERALL[:3],
    Column(MORE_VIOLATED, "violated over REFERENCE, points"),
    *OVERALL[3:],
    Column("latency_ms", "p95, ms"),
    Column("latency_p99_ms", "p99, ms"),
    Column("violation_depth_ms", "depth, ms"),
    Column("zone_spread_points", "zones ±, points"),
    Column("fairness_jain", "fairness, Jain"),
    Column("changes_per_h", "changes /zone h"),
    Column("decision_ms", "decision, ms"),
)
SHOWN: Final = (
    Column(COST, "cost\nEUR/h", interval=False),
    Column(MORE_COST, "cost over\nREFERENCE, %"),
    Column(VIOLATED, "violated\n% user-s"),
    Column(WORST, "worst\ntenth", interval=False),
    Column("reward", "reward\nper tick"),
    Column(WON, "seeds\nwon", interval=False),
)
"""What stands in a terminal."""


def legend(findings: Findings) -> list[str]:
    """Return how to read the tables."""
    return [
        f"Figures are interquartile means over seeds{_intervals(findings)}; the worst tenth is the mean over the seeds "
        f"with most violations. Cost over {findings.reference} is the mean over all seeds divided by its mean over the "
        f"same, less one: it need not agree with the costs beside it, whose extremes are left out. Violations over it "
        f"are the mean of the differences. Seeds won are those with a higher reward than its; the chance to beat it is "
        f"that of a higher reward in two seeds drawn independently. What stands over all conditions is the mean of "
        f"their values.",
        f"{FRONT_MARK}: no competitor has both less cost and fewer violations. {CLAIRVOYANT_MARK}: knows the future of "
        f"the simulation, a bound and no competitor.",
    ]


def _intervals(findings: Findings) -> str:
    if all(len(cell.terms.seeds) == 1 for cell, _ in findings.cells):
        return ", of which there is one, and so without intervals"
    return f" with {LEVEL:.0%} intervals of a stratified bootstrap ({RESAMPLES} resamples)"


def write(folder: Path, findings: Findings) -> None:
    """Write Markdown, JSON and CSV, each in one go: never half a file."""
    found = {
        MARKDOWN: markdown(findings),
        JSON: json.dumps(as_json(findings), indent=2) + "\n",
        CSV: as_csv(findings),
    }
    for name, text in found.items():
        partial = folder / f"{name}.part"
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(folder / name)


def markdown(findings: Findings) -> str:
    """Return everything for people."""
    parts = ["# Benchmark suite", " ".join(legend(findings))]
    if findings.overall:
        parts += ["## Over all conditions", _markdown_table(findings.overall, OVERALL, findings.reference)]
    for cell, rows in findings.cells:
        parts += [f"## {cell.terms.label}", " ".join(cell.terms.sentences())]
        parts += [_markdown_table(rows, COLUMNS, findings.reference)] if rows else []
        parts += [f"{policy} failed: {message}" for policy, message in cell.failures.items()]
    return "\n\n".join(parts) + "\n"


def _markdown_table(rows: Sequence[Row], columns: Sequence[Column], reference: str) -> str:
    lines = [["policy", *_headings(columns, reference)], ["---", *["---:"] * len(columns)]]
    lines += [[_label(row), *(cell(row.figures.get(column.name)) for column in columns)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _headings(columns: Sequence[Column], reference: str) -> list[str]:
    return [column.heading.replace("REFERENCE", reference) for column in columns]


def _label(row: Row) -> str:
    return row.policy + FRONT_MARK * row.best + CLAIRVOYANT_MARK * row.bound


def cell(estimate: Estimate | None, template: str = "{} [{}, {}]") -> str:
    """Return a figure with its interval, to three digits of the largest of them.

    >>> cell(Estimate(4.6843, 4.5012, 4.9021)), cell(Estimate(104.31, 98.2, 110.7)), cell(None)
    ('4.68 [4.50, 4.90]', '104 [98, 111]', '')
    """
    if estimate is None or math.isnan(estimate.value):
        return ""
    if math.isnan(estimate.low):
        return f"{estimate.value:.3g}"
    largest = max(map(abs, estimate))
    digits = 0 if largest >= 100 else 1 if largest >= 10 else 2 if largest >= 0.1 or largest == 0 else 3
    return template.format(*(f"{round(number, digits) + 0.0:.{digits}f}" for number in estimate))  # + 0.0: -0 is 0


def short_cell(estimate: Estimate | None, interval: bool = True) -> str:
    """Return a figure, and half of its interval.

    >>> short_cell(Estimate(4.6843, 4.5012, 4.9021)), short_cell(Estimate(4.6843, 4.5012, 4.9021), interval=False)
    ('4.68 ±0.20', '4.68')
    """
    if estimate is None or math.isnan(estimate.low):
        return cell(estimate)
    if not interval:
        return cell(estimate, "{}")
    return cell(Estimate(estimate.value, (estimate.high - estimate.low) / 2, 0.0), "{} ±{}")


def as_json(findings: Findings) -> dict[str, Any]:
    """Return everything for programs; a bound that is not known is ``None``."""
    return {
        "version": metaverse_env.__version__,
        "reference": findings.reference,
        "confidence": LEVEL,
        "resamples": RESAMPLES,
        "units": UNITS,
        "conditions": {cell.terms.label: _cell_json(cell, rows) for cell, rows in findings.cells},
        "overall": {row.policy: _figures_json(row) for row in findings.overall},
    }


def _cell_json(cell: Cell, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        **cell.terms.facts(),
        "seeds": len(cell.terms.seeds),
        "policies": {
            row.policy: {"bound": row.bound, "on_front": row.best, "figures": _figures_json(row)} for row in rows
        },
        "failures": cell.failures,
    }


def _figures_json(row: Row) -> dict[str, dict[str, float | None]]:
    return {
        name: {part: number if math.isfinite(number) else None for part, number in estimate._asdict().items()}
        for name, estimate in row.figures.items()
    }


def as_csv(findings: Findings) -> str:
    """Return a line per condition, policy and figure; the condition of those over all is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["condition", "policy", "figure", "unit", "value", "low", "high"])
    for cell, rows in findings.cells:
        writer.writerows(_lines(cell.terms.label, rows, UNITS))
    writer.writerows(_lines("", findings.overall, OVERALL_UNITS))
    return text.getvalue()


def _lines(label: str, rows: Sequence[Row], units: dict[str, str]) -> Iterator[list[str]]:
    for row in rows:
        for name, estimate in row.figures.items():
            numbers = [repr(number) if math.isfinite(number) else "" for number in estimate]
            yield [label, row.policy, name, units[name], *numbers]


def print_findings(console: Console, findings: Findings) -> None:
    """Print a short table per condition, one over all, and how to read them."""
    for cell, rows in findings.cells:
        for sentence in cell.terms.sentences():
            console.print(sentence, highlight=False, markup=False)
        if rows:
            show(console, _table(rows, SHOWN, findings.reference))
    if findings.overall:
        console.print("Over all conditions:")
        show(console, _table(findings.overall, SHOWN[1:], findings.reference))
    console.print("± is half of an interval.", highlight=False)
    for sentence in legend(findings):
        console.print(sentence, highlight=False, markup=False)


def _table(rows: Sequence[Row], columns: Sequence[Column], reference: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("policy", no_wrap=True)
    for heading in _headings(columns, reference):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(_label(row)), *(short_cell(row.figures.get(column.name), column.interval) for column in columns)
        )
    return table
