"""A panel as forecasts need it: on a regular grid of times, cut into three parts, with the seasons it can show.

Rows that the panel lacks are put in as unobserved, so that a lag is always the same time; nothing is filled in. The
parts are chronological, and a forecast belongs to the part that its *target* lies in: so every horizon is judged on the
same targets, and a panel shorter than window and horizon together can be judged at all.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

Floats = NDArray[np.float32]

MOST_ROWS: Final = 5_000_000
"""Of the regular grid; a panel with a hole of years would need more."""
LEAST_SEASONS: Final = 2
"""A season is one if the training part holds it this often."""
LEAST_CORRELATION: Final = 0.15
"""Autocorrelation of changes at which a season is believed in a panel without times [E]."""
NEARLY: Final = 0.8
"""Of the highest correlation: how much the first of its equals has [E]."""
LEAST_PERIOD: Final = 4
LEAST_SEARCHED: Final = 8
"""Changes in which a season can be searched."""
MOST_SEARCHED: Final = 256
"""Series that are searched."""
_MOST_JITTER: Final = 0.45
"""Of a step: how far from its place on the grid a time may lie."""
_WHOLE: Final = 0.01
"""Of a step: how far from a whole number of steps a season may be."""


@dataclass(frozen=True, eq=False)
class Series:
    """``F`` features of ``N`` zones at ``T`` equally spaced times.

    Attributes:
        values: ``float32 [T, N, F]``, NaN where unobserved.
        train_end: Targets before it are learnt from.
        validation_end: Targets from ``train_end`` up to it decide when to stop; those after it are the test.
        seasons: Periods, ticks, ascending.
        seconds: ``float64 [T]``, Unix time, or ``None``.
        inserted: Rows that the panel lacked.
        panel: What it was made of: names, edges.
        intents: ``float32 [T, N, D]``, NaN where unknown, or ``None``.
    """

    values: Floats
    train_end: int
    validation_end: int
    seasons: tuple[int, ...]
    seconds: NDArray[np.float64] | None
    inserted: int
    panel: Panel
    intents: Floats | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, N, F)``."""
        ticks, zones, features = self.values.shape
        return ticks, zones, features


def make_series(panel: Panel, split: tuple[float, float, float] = (0.7, 0.1, 0.2)) -> Series:
    """Put a panel on its grid and cut it.

    Args:
        panel: Of at least 5 times.
        split: Shares of training, validation and test.

    Raises:
        PanelError: Too few times, nothing observed to learn from or to test on, or a grid of too many rows.

    >>> hours = 3600.0 * np.array([0, 1, 2, 4, 5, 6, 7, 8, 9])
    >>> panel = Panel(np.ones((9, 1, 1), np.float32), ("users",), ("lobby",), timestamps=hours)
    >>> series = make_series(panel)
    >>> series.shape, series.inserted, (series.train_end, series.validation_end)
    ((10, 1, 1), 1, (7, 8))
    """
    observed = np.where(panel.observed, panel.values, np.nan).astype(np.float32)
    places, seconds = _grid(panel)
    ticks = int(places[-1]) + 1
    values = np.full((ticks, *observed.shape[1:]), np.nan, dtype=np.float32)
    values[places] = observed
    intents = None
    if panel.intents is not None:
        intents = np.full((ticks, *panel.intents.shape[1:]), np.nan, dtype=np.float32)
        intents[places] = panel.intents
    train_end, validation_end = _ends(ticks, split)
    _check_parts(values, train_end, validation_end, panel.source)
    seasons = _calendar_seasons(seconds, train_end) if seconds is not None else _found_seasons(values[:train_end])
    return Series(values, train_end, validation_end, seasons, seconds, ticks - len(observed), panel, intents)


def _grid(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Return the row of each sample on the grid, and the grid's times; without times rows are samples."""
    if panel.timestamps is None:
        return np.arange(len(panel.values)), None
    spacings = np.diff(panel.timestamps)
    step = float(np.median(spacings)) if len(spacings) else 1.0
    exact = (panel.timestamps - panel.timestamps[0]) / step
    places = np.round(exact).astype(np.int64)
    if np.any(np.diff(places) < 1) or np.abs(exact - places).max() > _MOST_JITTER:
        raise PanelError(
            f"panel {panel.source}: times are not on a grid of {step:g} s, their median spacing; "
            "resample it to equal spacing"
        )
    if places[-1] >= MOST_ROWS:
        raise PanelError(
            f"panel {panel.source}: at one row every {step:g} s it would have {int(places[-1]) + 1} rows, "
            f"at most {MOST_ROWS} are possible; cut it at its gaps"
        )
    return places, panel.timestamps[0] + step * np.arange(places[-1] + 1)


def _ends(ticks: int, split: tuple[float, float, float]) -> tuple[int, int]:
    """Return where training and validation end.

    >>> _ends(35, (0.7, 0.1, 0.2))
    (24, 28)
    """
    share = 1e-9 + np.array(split) / sum(split)
    return int(share[0] * ticks), int((share[0] + share[1]) * ticks)


def _check_parts(values: Floats, train_end: int, validation_end: int, source: str) -> None:
    parts = {
        "training": values[:train_end],
        "validation": values[train_end:validation_end],
        "test": values[validation_end:],
    }
    for name, part in parts.items():
        if not np.isfinite(part).any():
            raise PanelError(
                f"panel {source}: its {name} part has {len(part)} of {len(values)} times and no observed value; "
                "give a longer panel or another --split"
            )


def _calendar_seasons(seconds: NDArray[np.float64], train_end: int) -> tuple[int, ...]:
    step = float(seconds[1] - seconds[0]) if len(seconds) > 1 else SECONDS_PER_WEEK
    periods = (SECONDS_PER_DAY / step, SECONDS_PER_WEEK / step)
    whole = [round(period) for period in periods if period >= 2.0 and abs(period - round(period)) < _WHOLE]
    return tuple(period for period in whole if train_end >= LEAST_SEASONS * period)


def _found_seasons(values: Floats) -> tuple[int, ...]:
    """Return the period at which changes repeat themselves most, on the mean over zones and features, if they do."""
    ticks = len(values)
    changes = np.nan_to_num(np.diff(values.reshape(ticks, -1)[:, :MOST_SEARCHED], axis=0))
    changes = changes[:, changes.std(axis=0) > 0.0]
    if len(changes) < LEAST_SEARCHED or not changes.shape[1]:
        return ()
    changes = (changes - changes.mean(axis=0)) / changes.std(axis=0)
    power = np.abs(np.fft.rfft(changes, 2 * len(changes), axis=0)) ** 2
    pairs = len(changes) - np.arange(len(changes))
    correlation = np.fft.irfft(power.mean(axis=1))[: len(changes)] / pairs
    candidates = range(LEAST_PERIOD, len(changes) // LEAST_SEASONS)
    peaks = [lag for lag in candidates if correlation[lag] >= correlation[lag - 2 : lag + 3].max()]
    highest = max((float(correlation[lag]) for lag in peaks), default=0.0)
    if highest < LEAST_CORRELATION:
        return ()
    # A season also shows at its multiples: of nearly equal peaks the first is meant.
    return (next(lag for lag in peaks if correlation[lag] > NEARLY * highest),)
