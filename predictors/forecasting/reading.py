"""Panels from files: ``.npz`` as it is, and CSV, wide (a column per zone) or long (a row per time and zone)."""

import csv
import gzip
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.errors import PanelError, UnknownNameError
from metaverse_env.panels import Panel, load_panel
from predictors.forecasting.times import Cut, parse_time

MOST_CELLS: Final = 200_000_000
"""Of a CSV file's panel: 0.8 GB."""
EVERYTHING: Final = Cut()
_LONG: Final = ". A row per time and zone? 'metaverse forecast panel' makes a panel of it"


class LongColumns(NamedTuple):
    """Columns of a long CSV file: the time, the zone's name, and what is measured."""

    time: str
    name: str
    features: tuple[str, ...]


def read_panel(path: Path, columns: LongColumns | None = None, cut: Cut = EVERYTHING) -> Panel:
    """Read a panel from ``.npz``, or from ``.csv`` or ``.csv.gz``.

    Args:
        path: Of the file. A wide file has the time first (ISO 8601 or Unix seconds, UTC), then a column per zone, and
            names zones in a header line, else they are ``zone-1`` and so on. A blank cell was not observed.
        columns: Of a long file, which has a header line.
        cut: Which rows are wanted, and on which grid.

    Raises:
        PanelError: The file cannot be read, breaks the format or has no row that is wanted; says file, line, value and
            remedy.
        UnknownNameError: A column that the file does not have.
    """
    if path.suffix == ".npz":
        return cut.of(load_panel(path))
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text:
            rows = csv.reader(text)
            header = next(rows, None)
            if not header or len(header) < 2:
                raise PanelError(f"{path}: its first line has no time and a column per zone, by commas; add them")
            return _long(path, header, rows, columns, cut) if columns else cut.of(_wide(path, header, rows))
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise PanelError(f"{path} cannot be read as CSV ({error}); give a .npz panel, a .csv or a .csv.gz") from error


def _wide(path: Path, header: list[str], rows: Iterable[list[str]]) -> Panel:
    times, cells, names, begin = [], [], header[1:], 2
    if _is_time(header[0]):
        rows, names, begin = chain([header], rows), [f"zone-{number}" for number in range(1, len(header))], 1
    for line, row in enumerate(rows, start=begin):
        if len(row) != len(header):
            raise PanelError(
                f"{path}, line {line}: {len(row)} cells where the first line has {len(header)}; complete it"
            )
        times.append(_seconds(path, line, row[0]))
        cells.append([_number(path, line, cell, _LONG) for cell in row[1:]])
    values = np.array(cells, dtype=np.float32).reshape(len(times), len(names), 1)
    return Panel(values, ("users",), tuple(names), timestamps=np.array(times), source=str(path))


def _is_time(cell: str) -> bool:
    try:
        parse_time(cell)
    except ValueError:
        return False
    return True


def _long(path: Path, header: Sequence[str], rows: Iterator[list[str]], columns: LongColumns, cut: Cut) -> Panel:
    for name in (columns.time, columns.name, *columns.features):
        if name not in header:
            raise UnknownNameError(f"column of {path}", name, header)
    time, zone = header.index(columns.time), header.index(columns.name)
    measured = [header.index(name) for name in columns.features]
    found: dict[tuple[float, str], list[float]] = {}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise PanelError(f"{path}, line {line}: {len(row)} cells where the header has {len(header)}; complete it")
        seconds = _seconds(path, line, row[time])
        found[seconds, row[zone]] = [_number(path, line, row[column]) for column in measured]
    if found and not any(cut.holds(seconds) for seconds, _ in found):
        raise cut.nothing(str(path), np.array(sorted({seconds for seconds, _ in found})))
    found = {(cut.place(seconds), name): cells for (seconds, name), cells in found.items() if cut.holds(seconds)}
    times, names = sorted({place for place, _ in found}), sorted({name for _, name in found})
    if len(times) * len(names) * len(measured) > MOST_CELLS:
        raise PanelError(
            f"{path}: {len(times)} times x {len(names)} zones x {len(measured)} features are more than {MOST_CELLS} "
            "cells; give fewer features, or --step-s so that rows of different zones share a time"
        )
    row_of, column_of = {t: i for i, t in enumerate(times)}, {n: i for i, n in enumerate(names)}
    values = np.full((len(times), len(names), len(measured)), np.nan, dtype=np.float32)
    for (seconds, name), cells in found.items():
        values[row_of[seconds], column_of[name]] = cells
    return Panel(values, columns.features, tuple(names), timestamps=np.array(times), source=str(path))


def _seconds(path: Path, line: int, cell: str) -> float:
    try:
        return parse_time(cell)
    except ValueError:
        raise PanelError(f"{path}, line {line}: {cell[:40]!r} is no time; write ISO 8601 or Unix seconds") from None


def _number(path: Path, line: int, cell: str, hint: str = "") -> float:
    if not cell.strip():
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        raise PanelError(
            f"{path}, line {line}: {cell[:40]!r} is no number; leave a cell blank if unknown{hint}"
        ) from None
    if math.isinf(value):
        raise PanelError(f"{path}, line {line}: {cell!r} is not finite; leave a cell blank if unknown")
    return value
