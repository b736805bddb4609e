"""Tables on stdout whose numbers and names are never cut, and the table of ``metaverse forecast evaluate``."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from predictors.forecasting.merit import Figures

_SHOWN: Final = {
    "mae": "mae", "rmse": "rmse", "quantile_loss": "q-loss", "coverage_50": "<=p50", "coverage_90": "<=p90",
    "coverage_99": "<=p99",
}  # fmt: skip
"""Figures that are shown, and what stands above them."""
_WIDEST: Final = 10_000


def show(table: Table) -> None:
    """Print a table as wide as it is: a pipe has no width, and a terminal that is too narrow wraps the lines."""
    console = Console()
    natural = Measurement.get(console, console.options.update(width=_WIDEST), table).maximum
    Console(width=max(console.width, natural)).print(table)


def figures_table(results: Mapping[str, Mapping[str, Figures]]) -> Table:
    """Lay out the figures of each horizon and feature by model; the lowest error is bold.

    Features have units of their own, so there is no row of means over them.
    """
    features = any("features" in one for found in results.values() for one in found.values())
    left = ("ticks ahead", *(("feature",) if features else ()), "model")
    table = Table(title="Test part, in the features' units")
    for heading in (*left, *_SHOWN.values()):
        table.add_column(heading, no_wrap=True, justify="left" if heading in left[1:] else "right")
    for horizon in next(iter(results.values())):
        for feature, rows in _groups({name: found[horizon] for name, found in results.items()}):
            best = min(one.get("mae", float("inf")) for one in rows.values())
            for name, one in rows.items():
                numbers = (f"{one[key]:.4g}" if key in one else "–" for key in _SHOWN)
                marked = name + " *" * bool(results[name][horizon].get("stopped_early"))
                begin = (horizon, *((feature,) if features else ()), marked)
                table.add_row(*begin, *numbers, style="bold" if one.get("mae") == best else "")
            table.add_section()
    if any(one.get("stopped_early") for found in results.values() for one in found.values()):
        table.caption = "* its training was stopped by --minutes; with more it may be better"
    return table


def _groups(found: Mapping[str, Figures]) -> Iterator[tuple[str, dict[str, Figures]]]:
    """Yield each feature with every model's figures of it."""
    names = next(iter(found.values())).get("features", {"": None})
    for feature in names:
        yield feature, {model: one["features"][feature] if feature else one for model, one in found.items()}
