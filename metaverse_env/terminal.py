"""Tables that lose nothing: wide where nobody looks, and in parts where a window is too narrow."""

import os
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDTH: Final = 200
"""Columns of what is piped or logged [choice]; the environment variable COLUMNS sets another."""
_ENDLESS: Final = 10_000


def console(stderr: bool = False) -> Console:
    """Return a console as wide as its terminal; where there is none, :data:`WIDTH` columns instead of Rich's 80."""
    made = Console(stderr=stderr)
    if "COLUMNS" not in os.environ and not made.file.isatty():
        made = Console(stderr=stderr, width=WIDTH)
    return made


def show(console: Console, table: Table) -> None:
    """Print a table; columns that find no room follow in further tables, each with the first column again."""
    for part in parts(table, console):
        console.print(part)


def parts(table: Table, console: Console) -> Iterator[Table]:
    """Split a table at its columns, so that no cell is cut.

    Yields:
        Tables with the first column and some others, in their order; the table itself where all of it fits.
    """
    others = list(range(1, len(table.columns)))
    first = True
    while others or first:
        shown = _fitting(table, console, others)
        yield _part(table, shown, first)
        others, first = others[len(shown) :], False


def _fitting(table: Table, console: Console, others: Sequence[int]) -> list[int]:
    """Return as many of the columns, at least one if there is one, as fit beside the first."""
    count = len(others)
    while count > 1 and _width(_part(table, others[:count]), console) > console.width:
        count -= 1
    return list(others[:count])


def _width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(max_width=_ENDLESS), table).maximum


def _part(table: Table, others: Sequence[int], titled: bool = False) -> Table:
    """Return a table of the first column and ``others``; only the names of the first may be broken."""
    part = copy(table)
    chosen = [replace(table.columns[index], _index=place) for place, index in enumerate((0, *others))]
    for column in chosen[1:]:
        column.no_wrap = True
    chosen[0].no_wrap, chosen[0].overflow = False, "fold"
    part.columns, part.title = chosen, table.title if titled else None
    return part
