"""Results for people and for programs: a table, rows for every seed, a summary, and a picture."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from agents import CLAIRVOYANT, plain_name
from benchmarks.conditions import Conditions
from benchmarks.scores import METRICS, SHOWN, Metric, Result
from benchmarks.statistics import LEVEL, Interval, mean_interval, paired_difference
from metaverse_env.terminal import show

SUMMARY: Final = "summary.json"
CLAIRVOYANT_MARK: Final = "*"
PAIRED: Final = {"cost_eur_per_h": "EUR/h", "violated_percent": "points", "latency_ms": "ms", "reward": "per tick"}
"""What is compared seed by seed, and the unit of its difference."""


def write_summary(folder: Path, terms: Conditions, results: Sequence[Result]) -> None:
    """Write ``summary.json`` in one go: never half a file."""
    partial = folder / f"{SUMMARY}.part"
    partial.write_text(json.dumps(summary(terms, results), indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / SUMMARY)


def summary(terms: Conditions, results: Sequence[Result]) -> dict[str, Any]:
    """Return everything that was found, ready for JSON; a bound that is not known is ``None``."""
    return {
        **terms.facts(),
        "seeds": list(terms.seeds),
        "confidence": LEVEL,
        "units": {metric.name: metric.unit for metric in METRICS},
        "policies": {result.policy: _row(result, results[0]) for result in results},
    }


def _row(result: Result, reference: Result) -> dict[str, Any]:
    metrics = {metric.name: _bounds(mean_interval(result.scores[metric.name])) for metric in METRICS}
    gain = paired_difference(result.scores["reward"], reference.scores["reward"])
    return {**metrics, f"reward_over_{reference.policy}": _bounds(gain)}


def _bounds(interval: Interval) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in interval._asdict().items()}


def results_table(results: Sequence[Result]) -> Table:
    """Return the table of means with their intervals; the best of each column stands out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("policy", no_wrap=True)
    for metric in SHOWN:
        table.add_column(f"{metric.heading}\n{metric.unit}", justify="right", no_wrap=True)
    best = {metric.name: _best(results, metric) for metric in SHOWN}
    for result in results:
        cells = [
            f"[bold green]{_cell(result, metric)}[/]" if best[metric.name] == result.policy else _cell(result, metric)
            for metric in SHOWN
        ]
        table.add_row(_label(result.policy), *cells)
    return table


def pairs_table(results: Sequence[Result]) -> Table:
    """Return what each policy has more than the first one, in the mean of the differences seed by seed."""
    reference = results[0]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"more than\n{_label(reference.policy)}", no_wrap=True)
    paired = [metric for metric in SHOWN if metric.name in PAIRED]
    for metric in paired:
        table.add_column(f"{metric.heading}\n{PAIRED[metric.name]}", justify="right", no_wrap=True)
    for result in results[1:]:
        gains = (paired_difference(result.scores[one.name], reference.scores[one.name]) for one in paired)
        table.add_row(_label(result.policy), *map(_written, gains))
    return table


def _label(policy: str) -> str:
    """Return a policy's name as the table shows it, with a mark if it knows the future."""
    return policy.replace("[", r"\[") + CLAIRVOYANT_MARK * knows_the_future(policy)


def knows_the_future(policy: str) -> bool:
    """Tell whether a policy of this name is clairvoyant, and so a bound."""
    return plain_name(policy.removesuffix("+codec")) in CLAIRVOYANT


def _best(results: Sequence[Result], metric: Metric) -> str | None:
    """Return who is best; nobody where fewer is no aim in itself."""
    if metric.better == "neither":
        return None
    sign = -1.0 if metric.better == "more" else 1.0
    honest = [result for result in results if not knows_the_future(result.policy)] or results
    return min(honest, key=lambda result: sign * float(result.scores[metric.name].mean())).policy


def _cell(result: Result, metric: Metric) -> str:
    return _written(mean_interval(result.scores[metric.name]))


def _written(interval: Interval) -> str:
    if not math.isfinite(interval.half_width):
        return f"{interval.mean:.3g}"
    larger = max(abs(interval.mean), interval.half_width)
    digits = 0 if larger >= 100 else 1 if larger >= 10 else 2
    return f"{interval.mean:.{digits}f} ±{interval.half_width:.{digits}f}"


def print_report(console: Console, terms: Conditions, results: Sequence[Result]) -> None:
    """Print the conditions, the table, and how to read it."""
    for sentence in terms.sentences():
        console.print(sentence, highlight=False, markup=False)
    show(console, results_table(results))
    spread = f"± is the {LEVEL:.0%} t-interval over seeds" if len(terms.seeds) > 1 else "one seed, and so no intervals"
    console.print(
        f"Means per episode; {spread}. NAME+codec: the same controller bound to the choices "
        f"that learned agents have, and so what these choices cost.",
        highlight=False,
    )
    if len(results) > 1 and len(terms.seeds) > 1:
        show(console, pairs_table(results))
        console.print(f"Seed by seed: the same users met both. ± is the {LEVEL:.0%} t-interval.", highlight=False)
    if any(knows_the_future(result.policy) for result in results):
        console.print(f"{CLAIRVOYANT_MARK} knows the future of the simulation: a bound, not a competitor.")
