"""Reading a file of users over time, one row at a time, into checked columns.

The file comes from somebody else, so nothing in it is trusted: it is read as a stream with a limit on the line and on
the whole, which keeps a small compressed file that unpacks to gigabytes out of memory, and every cell is checked where
its line number is still known. What the columns mean (spacing, gaps, segments) is the business of
:mod:`metaverse_env.traces`.
"""

import csv
import gzip
import zlib
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import TraceError

MAX_BYTES: Final = 512 * 2**20
"""Most bytes of text, after decompression."""
MAX_LINE_BYTES: Final = 2**20
"""Most bytes of one line; 10,000 zones of a hundred characters each."""
MAX_COUNT: Final = float(np.finfo(np.float32).max)
LONG: Final = " Of a long table, a row per zone and time, metaverse forecast panel makes a panel."
TIME_FORMS: Final = "ISO 8601 such as 2024-01-31T18:00:00Z (without offset: UTC) or Unix seconds"
UNREADABLE: Final = (OSError, EOFError, zlib.error)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_FIRST_S: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) / _SECOND
_LAST_S: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) / _SECOND


class Table(NamedTuple):
    """The columns of a trace file of ``R`` rows, ``T`` of them complete, and ``Z`` zones."""

    names: tuple[str, ...]
    times_s: NDArray[np.float64]
    """``[R]`` Unix seconds, strictly increasing."""
    complete: NDArray[np.bool_]
    """``[R]`` whether the row has no blank cell."""
    counts: NDArray[np.float32]
    """``[T, Z]`` the complete rows only."""


def read_table(path: Path) -> Table:
    """Read and check a CSV file, gzipped if its name ends in ``.gz``.

    Raises:
        TraceError: The file cannot be read or breaks the format; says file, line, column, value and remedy.
    """
    try:
        with _opened(path) as stream:
            return _parse(path, _lines(path, stream))
    except FileNotFoundError as error:
        raise TraceError(f"trace {path} does not exist. Give the path of a .csv or .csv.gz file.") from error
    except UNREADABLE as error:
        raise TraceError(
            f"trace {path} cannot be read: {error}. Give a readable .csv, or an intact .csv.gz."
        ) from error


def _opened(path: Path) -> BufferedReader:
    # BufferedReader finds the lines of a gzip stream in C, which GzipFile.readline does not.
    return BufferedReader(gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _lines(path: Path, stream: BufferedReader) -> Iterator[str]:
    """Yield decoded lines, never holding more than one of them."""
    total, number = 0, 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        total, number = total + len(raw), number + 1
        if len(raw) > MAX_LINE_BYTES:
            _refuse(path, number, f"longer than {MAX_LINE_BYTES} bytes", "Give a CSV file with one line per time.")
        if total > MAX_BYTES:
            _refuse(path, number, f"more than {MAX_BYTES // 2**20} MiB of text", "Split the trace into shorter files.")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            _refuse(path, number, "not UTF-8 text", "Save it as UTF-8; the name of a gzipped file must end in .gz.")


def _parse(path: Path, lines: Iterator[str]) -> Table:
    """Split the header from the rows and collect them."""
    reader = csv.reader(lines, strict=True)
    try:
        first = next(filter(None, reader), None)
        if first is None:
            raise TraceError(f"trace {path} is empty. Give a time and one column per zone in each line.")
        columns = _Columns(path, reader.line_num, first)
        for row in filter(None, reader if columns.has_header else chain([first], reader)):
            columns.add(reader.line_num, row)
    except csv.Error as error:
        _refuse(path, reader.line_num, f"not a CSV record ({error})", "Check its quotes and line ends.")
    return columns.table()


class _Columns:
    """Compact columns that grow by checked rows."""

    def __init__(self, path: Path, line: int, first: list[str]) -> None:
        self.path, self.has_header = path, _is_header(first)
        self.names = self._names(line, first)
        self.times, self.counts, self.complete = array("d"), array("f"), bytearray()
        self.read_time: Callable[[str], float] | None = None

    def add(self, line: int, row: list[str]) -> None:
        """Append one row, or say what is wrong with it."""
        if len(row) != 1 + len(self.names):
            expected = f"Every line needs {1 + len(self.names)}, as the first has."
            _refuse(self.path, line, f"{len(row)} columns", expected)
        self.times.append(self._time(line, row[0]))
        counts = [self._count(line, zone, cell) for zone, cell in enumerate(row[1:]) if not _is_blank(cell)]
        self.complete.append(len(counts) == len(self.names))
        if self.complete[-1]:
            self.counts.extend(counts)

    def table(self) -> Table:
        """Return the columns as arrays; two complete rows are the least that has a spacing."""
        complete = np.frombuffer(self.complete, dtype=np.bool_)
        if complete.sum() < 2:
            raise TraceError(
                f"trace {self.path} has {len(complete)} rows of data, {complete.sum()} of them without a blank cell; "
                f"at least 2 such rows are needed. Add rows, or leave out the zone that is blank."
            )
        counts = np.frombuffer(self.counts, dtype=np.float32).reshape(-1, len(self.names))
        return Table(self.names, np.frombuffer(self.times, dtype=np.float64), complete, counts)

    def _names(self, line: int, first: list[str]) -> tuple[str, ...]:
        if len(first) < 2:
            remedy = "Separate a time and one column per zone by commas."
            _refuse(self.path, line, f"one column only, {_short(first[0])}", remedy)
        if not self.has_header:
            return tuple(f"zone-{number}" for number in range(1, len(first)))
        names = dict.fromkeys([""])
        for column, name in enumerate(map(str.strip, first[1:]), start=2):
            if name in names:
                fault = f"column {column}: {f'the name {_short(name)} again' if name else 'a blank name'}"
                _refuse(self.path, line, fault, "Give each zone a name of its own.")
            names[name] = None
        return tuple(names)[1:]

    def _time(self, line: int, cell: str) -> float:
        self.read_time = self.read_time or _time_form(cell)
        try:
            time_s = self.read_time(cell)
        except ValueError:
            forms = f"Give {TIME_FORMS}, the same form in every row; divide milliseconds by 1000."
            _refuse(self.path, line, f"column 1: {_short(cell)} is no time", forms)
        if self.times and time_s <= self.times[-1]:
            fault, remedy = "earlier than the row before", "Sort the rows by time."
            if time_s == self.times[-1]:
                fault = "the same as in the row before"
                remedy = f"Keep one row per time; times without offset are UTC.{LONG}"
            _refuse(self.path, line, f"column 1: the time {_short(cell)} is {fault}", remedy)
        return time_s

    def _count(self, line: int, zone: int, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= MAX_COUNT:
            fault = f"column {zone + 2} (zone {_short(self.names[zone])}): {_short(cell)} is no count of users"
            remedy = f"Give a finite number of at least 0, or leave the cell blank if it is missing.{LONG}"
            _refuse(self.path, line, fault, remedy)
        return value


def _is_header(row: list[str]) -> bool:
    """A header starts with a word; a first cell that starts like a number is a time, if perhaps an unreadable one."""
    return not row[0].strip().lstrip("+-.")[:1].isdigit()


def _is_blank(cell: str) -> bool:
    return not cell or cell.isspace()


def _time_form(cell: str) -> Callable[[str], float]:
    try:
        float(cell)
    except ValueError:
        return _iso_s
    return _unix_s


def _unix_s(cell: str) -> float:
    time_s = float(cell)
    if not _FIRST_S <= time_s <= _LAST_S:
        raise ValueError("outside the years 1 to 9999")
    return time_s


def _iso_s(cell: str) -> float:
    moment = datetime.fromisoformat(cell.strip())
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) / _SECOND


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _refuse(path: Path, line: int, fault: str, remedy: str) -> NoReturn:
    raise TraceError(f"trace {path}, line {line}: {fault}. {remedy}") from None
