"""Times in words: read from cells and options, written into sentences."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel

_GAP_SPACINGS: Final = 1.5
"""Median spacings beyond which a spacing is a gap [choice]."""
_EPOCH: Final = datetime(1970, 1, 1)


class Cut(NamedTuple):
    """Which rows of a panel are wanted: times in ``[first_s, until_s)``, Unix seconds, put on a grid.

    Attributes:
        first_s: ``-inf`` for all.
        until_s: ``inf`` for all.
        step_s: Times are put on the multiples of it, s, the last row of each counts; ``None`` takes them as they are.
    """

    first_s: float = -math.inf
    until_s: float = math.inf
    step_s: float | None = None

    def place(self, seconds: float) -> float:
        """Return the time on the grid.

        >>> Cut(step_s=300.0).place(1000.0)
        900.0
        """
        return seconds if self.step_s is None else self.step_s * round(seconds / self.step_s)

    def holds(self, seconds: float) -> bool:
        """Say whether a time is wanted."""
        return self.first_s <= seconds < self.until_s

    def of(self, panel: Panel) -> Panel:
        """Return the wanted rows of a panel.

        Raises:
            PanelError: It has no times, or none that is wanted.
        """
        if self == Cut():
            return panel
        if panel.timestamps is None:
            raise PanelError(f"panel {panel.source} has no times to cut or put on a grid by; add timestamps")
        last = {self.place(t): row for row, t in enumerate(panel.timestamps.tolist()) if self.holds(t)}
        if not last:
            raise self.nothing(panel.source, panel.timestamps)
        rows = np.array(list(last.values()))
        return Panel(
            panel.values[rows], panel.feature_names, panel.names, timestamps=np.array(list(last)),
            mask=None if panel.mask is None else panel.mask[rows], edge_index=panel.edge_index,
            edge_weight=panel.edge_weight, intents=None if panel.intents is None else panel.intents[rows],
            source=panel.source,
        )  # fmt: skip

    def nothing(self, source: str, times: NDArray[np.float64]) -> PanelError:
        """Return the error of a cut that leaves nothing."""
        return PanelError(f"{source}: no row lies within --from and --until; it has times {described(times)}")


def parse_time(text: str) -> float:
    """Return Unix seconds of ISO 8601 (without offset: UTC) or of Unix seconds.

    Raises:
        ValueError: It is neither, or not finite.

    >>> parse_time("1970-01-02"), parse_time(" 60.5 "), parse_time("1970-01-01T01:00:00+01:00")
    (86400.0, 60.5, 0.0)
    """
    try:
        seconds = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError("not finite")
    return seconds


def utc(seconds: float) -> str:
    """Return a time in words.

    >>> utc(86_400.0)
    '1970-01-02 00:00:00'
    """
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat(" ", "seconds")
    except OverflowError:
        return f"{seconds:g} s"


def widest(times: NDArray[np.float64]) -> int:
    """Return after which of at least two times the longest gap is."""
    return int(np.diff(times).argmax())


def described(times: NDArray[np.float64]) -> str:
    """Return first and last time, median spacing and the longest gap, if there is one.

    >>> described(np.array([0.0, 60.0, 120.0, 300.0]))
    'from 1970-01-01 00:00:00 to 1970-01-01 00:05:00 UTC, every 60 s, longest gap 180 s after 1970-01-01 00:02:00'
    """
    span = f"from {utc(times[0])} to {utc(times[-1])} UTC"
    if len(times) < 2:
        return span
    spacings = np.diff(times)
    median, gap = float(np.median(spacings)), widest(times)
    words = f"{span}, every {median:.6g} s"
    if spacings[gap] <= _GAP_SPACINGS * median:
        return words
    return f"{words}, longest gap {spacings[gap]:.6g} s after {utc(times[gap])}"


def jump(times: NDArray[np.float64]) -> str:
    """Return between which times the longest gap lies, and what to do where it is a fault.

    >>> jump(np.array([0.0, 60.0, 6000.0]))[:58]
    'times jump from 1970-01-01 00:01:00 to 1970-01-01 01:40:00'
    """
    gap = widest(times)
    return (
        f"times jump from {utc(times[gap])} to {utc(times[gap + 1])} UTC; drop the rows on one side, "
        "by --from or --until of 'metaverse forecast evaluate' and 'panel'"
    )
