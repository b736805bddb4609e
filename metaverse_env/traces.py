"""Traces: users per zone over time, perhaps with what they demanded, read from a file and replayed as they were.

A trace is data, so nothing is added to it. A gap in the record splits it into segments and an episode never crosses
one; no sample is interpolated. The only change is one printed factor that brings the numbers to the size of the
simulated world. A file of requests is called a proxy for users wherever it is shown.

Formats: users as CSV, optionally gzipped: first a time (ISO 8601, without offset UTC, or Unix seconds), then one column
per zone; with or without a header line. A blank cell is a missing sample: its row is dropped and splits the trace. Or
telemetry as a panel (:mod:`metaverse_env.panels`); :mod:`metaverse_env.trace_panel` says what of it is replayed.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import TraceError, UnknownNameError
from metaverse_env.panels import Panel, load_panel
from metaverse_env.trace_file import read_table
from metaverse_env.trace_panel import read_columns

GAP_SPACINGS: Final = 1.5
"""A spacing beyond this many median spacings is a gap [choice]: halfway to one lost sample."""
MAX_MEAN_USERS: Final = 1e6
"""Most users per zone that a trace can be scaled to; the limit of ``workload.mean_users_per_zone``."""
SHOWN_NAMES: Final = 5


class Gap(NamedTuple):
    """A hole in the record, between two samples that exist."""

    before_s: float
    after_s: float
    missing: int
    """Samples that the median spacing would have had in between; at least 1."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Users of ``Z`` zones at ``T`` times. Made by :func:`load_trace`.

    >>> times, users = np.array([0.0, 60.0, 120.0, 300.0]), np.ones((4, 1), np.float32)
    >>> trace = Trace(("lobby",), times, users, 60.0, ((0, 3), (3, 4)), "example", "users")
    >>> trace.gaps
    [Gap(before_s=120.0, after_s=300.0, missing=2)]
    >>> trace.episode_starts(2)
    array([0, 1])
    """

    names: tuple[str, ...]
    times_s: NDArray[np.float64]
    """``[T]`` Unix seconds, UTC, strictly increasing."""
    users: NDArray[np.float32]
    """``[T, Z]`` column x scale; float32, so counts above 16.7 million are rounded."""
    step_s: float
    """Median spacing of the file's rows, s."""
    segments: tuple[tuple[int, int], ...]
    """``(start, stop)`` ranges of samples without a gap; together they are all ``T`` samples, in order."""
    source: str
    quantity: str
    """``"users"``, or what stands in for them, such as ``"requests/min (proxy for users)"``."""
    scale: float = 1.0
    """Users over the file's column."""
    blank_rows: int = 0
    """Rows of the file that were dropped because a cell was blank."""
    demand: NDArray[np.float32] | None = None
    """``[T, Z, 3]`` recorded cores, MB in use and Mbps, times the scale; NaN for a resource that was not recorded, and
    ``None`` for a trace of users alone."""
    notes: tuple[str, ...] = ()
    """Sentences on what was recorded and is not replayed, or is replayed and was not recorded."""

    @property
    def gaps(self) -> list[Gap]:
        """The holes between the segments, in order."""
        return [self._gap(stop - 1, stop) for _, stop in self.segments[:-1]]

    @property
    def longest_segment(self) -> tuple[int, int]:
        """``(start, stop)`` of the longest segment; the first of several."""
        return max(self.segments, key=lambda segment: segment[1] - segment[0])

    def episode_starts(self, ticks: int) -> NDArray[np.int64]:
        """Return every index ``[M]`` from which ``ticks`` consecutive samples lie within one segment.

        Raises:
            TraceError: ``ticks`` is below 1, or no segment is that long.
        """
        longest = self.longest_segment[1] - self.longest_segment[0]
        if not 1 <= ticks <= longest:
            raise TraceError(
                f"an episode of {ticks} samples does not fit trace {self.source}: its longest segment "
                f"without a gap has {longest} samples. Ask for 1 to {longest} ticks, or give a trace with fewer gaps."
            )
        fitting = (np.arange(start, stop - ticks + 1, dtype=np.int64) for start, stop in self.segments)
        return np.concatenate(list(fitting))

    def select(self, *names: str) -> "Trace":
        """Return the trace of some zones alone, in the order in which they are named.

        Raises:
            UnknownNameError: No column has such a name.
            TraceError: No name, or one twice.
        """
        for name in names:
            if name not in self.names:
                raise UnknownNameError("zone of the trace", name, self.names)
        if len(set(names)) < max(len(names), 1):
            raise TraceError(f"select needs different zones of trace {self.source}, at least one; got {names}.")
        columns = [self.names.index(name) for name in names]
        demand = None if self.demand is None else np.ascontiguousarray(self.demand[:, columns])
        return replace(self, names=names, users=np.ascontiguousarray(self.users[:, columns]), demand=demand)

    def scaled(self, mean_users: float) -> "Trace":
        """Return the trace times one factor that makes the mean over all samples and zones ``mean_users``.

        One factor for all zones keeps their popularity as it was.

        Raises:
            TraceError: ``mean_users`` is not within (0, 1e6] users per zone, or the trace has no users at all.
        """
        if not 0 < mean_users <= MAX_MEAN_USERS:
            raise TraceError(
                f"cannot scale to a mean of {mean_users} users per zone; it must be in (0, {MAX_MEAN_USERS:g}]."
            )
        mean = float(self.users.mean(dtype=np.float64))
        if mean == 0:
            raise TraceError(
                f"trace {self.source} has no users at any time, so that no scale gives {mean_users:g} per zone."
            )
        return self.times(mean_users / mean)

    def times(self, factor: float) -> "Trace":
        """Return the trace with users, and what they demanded, times a factor."""
        users = (self.users * np.float64(factor)).astype(np.float32)
        demand = None if self.demand is None else (self.demand * np.float64(factor)).astype(np.float32)
        return replace(self, users=users, demand=demand, scale=self.scale * factor)

    def describe(self) -> str:
        """Return one paragraph for people: what it holds, its spacing, segments, gaps and scale."""
        first, last = self.longest_segment
        sentences = (
            f"Trace {self.source}: {len(self.times_s)} samples of {self.quantity} in {_listed(self.names)}, "
            f"every {self.step_s:.6g} s (median), from {_utc(self.times_s[0])} to {_utc(self.times_s[-1])}.",
            f"Segments: {len(self.segments)}, the longest with {last - first} samples.",
            self._describe_gaps(),
            f"Users{' and demand' * (self.demand is not None)} are the file's numbers times {self.scale:.6g}.",
            *self.notes,
        )
        return " ".join(sentences)

    def _gap(self, before: int, after: int) -> Gap:
        before_s, after_s = float(self.times_s[before]), float(self.times_s[after])
        return Gap(before_s, after_s, max(1, round((after_s - before_s) / self.step_s) - 1))

    def _describe_gaps(self) -> str:
        gaps = self.gaps
        dropped = f" Rows dropped for a blank cell: {self.blank_rows}." if self.blank_rows else ""
        if not gaps:
            return f"No gaps.{dropped}"
        longest = max(gaps, key=lambda gap: gap.after_s - gap.before_s)
        return (
            f"Gaps: {len(gaps)} with {sum(gap.missing for gap in gaps)} samples missing, the longest from "
            f"{_utc(longest.before_s)} to {_utc(longest.after_s)}; gaps split episodes; they are never filled.{dropped}"
        )


def load_trace(source: str | os.PathLike[str] | Panel) -> Trace:
    """Read a trace; the formats are in the module's docstring. A panel in memory is as good as one in an ``.npz`` file.

    Raises:
        TraceError: The file is missing, unreadable, larger than 512 MiB unpacked, breaks the format, or has nothing to
            replay. The message names file, place, value and remedy.
        PanelError: An ``.npz`` file that is no panel.
        UnknownNameError: A panel's feature looks like a misspelt one.
    """
    if isinstance(source, Panel):
        return _of_panel(source)
    if Path(source).suffix.lower() == ".npz":
        return _of_panel(load_panel(source))
    table = read_table(Path(source))
    return _trace(str(source), table.names, table.times_s, table.complete, table.counts, _quantity(table.names))


def _of_panel(panel: Panel) -> Trace:
    columns = read_columns(panel)
    trace = _trace(panel.source, panel.names, columns.times_s, columns.complete, columns.users, columns.quantity)
    return replace(trace, demand=columns.demand, notes=columns.notes)


def _trace(
    source: str,
    names: tuple[str, ...],
    times_s: NDArray[np.float64],
    complete: NDArray[np.bool_],
    users: NDArray[np.float32],
    quantity: str,
) -> Trace:
    """Split what was read at gaps in time and at rows that are not complete; ``users`` has the complete ones only."""
    rows = np.flatnonzero(complete)
    step_s = float(np.median(np.diff(times_s)))
    split_after = (np.diff(times_s[rows]) > GAP_SPACINGS * step_s) | (np.diff(rows) > 1)
    inner = (np.flatnonzero(split_after) + 1).tolist()
    segments = tuple(zip([0, *inner], [*inner, len(rows)], strict=True))
    dropped = len(complete) - len(rows)
    return Trace(names, times_s[rows], users, step_s, segments, source, quantity, blank_rows=dropped)


def _quantity(names: Sequence[str]) -> str:
    """Name what the columns count; a column called ``req…`` counts requests."""
    for name in names:
        if found := re.search(r"(?:^|[^a-z])req(?:[a-z]*[_ /]per[_ ]([a-z]+))?", name.lower()):
            return f"requests{f'/{found[1]}' if found[1] else ''} (proxy for users)"
    return "users"


def _listed(names: tuple[str, ...]) -> str:
    more = ", …" if len(names) > SHOWN_NAMES else ""
    return f"{len(names)} zone{'s' if len(names) > 1 else ''} ({', '.join(names[:SHOWN_NAMES])}{more})"


def _utc(time_s: float) -> str:
    moment = datetime(1970, 1, 1) + timedelta(seconds=float(time_s))
    return f"{moment.isoformat(' ', 'seconds')} UTC"
