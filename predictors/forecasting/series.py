"""A panel as forecasts need it: on a regular grid of times, cut into three parts, with the seasons it can show.

Rows that the panel lacks are put in as unobserved, so that a lag is always the same time; nothing is filled in. The
parts are chronological, and a forecast belongs to the part that its *target* lies in: so every horizon is judged on the
same targets, and a panel shorter than window and horizon together can be judged at all.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel
from predictors.forecasting.scaling import Floats
from predictors.forecasting.seasons import calendar_seasons, find_season
from predictors.forecasting.times import described, jump

MOST_ROWS: Final = 5_000_000
"""Of the regular grid; a panel with a hole of years would need more."""
MOST_SPARSE: Final = 10
"""Rows of the grid for each sample: beyond, a wrong clock is likelier than so much that lacks [choice]."""
_MOST_JITTER: Final = 0.45
"""Of a step: how far from its place on the grid a time may lie."""
_MOST_DRIFT: Final = 0.1
"""How far the mean step may be from the median one, as a share."""
_EXACT: Final = 1e-6
"""Of a spacing, within which another is its multiple."""
_OFTEN: Final = 0.25
"""Share of all spacings that the least one must have to be a step, and not a row too many [choice]."""


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

    @property
    def step_s(self) -> float | None:
        """Spacing of the grid, s; ``None`` without times, or with one alone."""
        return None if self.seconds is None or len(self.seconds) < 2 else float(self.seconds[1] - self.seconds[0])

    @property
    def described(self) -> str:
        """A sentence about size, seasons and parts, for the user."""
        ticks, zones, features = self.shape
        known = 100.0 * float(np.isfinite(self.values).mean())
        seasons = f"seasons of {', '.join(map(str, self.seasons))} ticks" if self.seasons else "no seasons"
        inserted = f" ({self.inserted} put in as missing)" if self.inserted else ""
        times = "" if self.panel.timestamps is None else f" {described(self.panel.timestamps)};"
        return (
            f"{self.panel.source}: {ticks} ticks{inserted}, {zones} zones, {features} features, "
            f"{known:.1f} % observed, {seasons};{times} training to tick {self.train_end}, validation to tick "
            f"{self.validation_end}, then test"
        )


def make_series(panel: Panel, split: tuple[float, float, float] = (0.7, 0.1, 0.2)) -> Series:
    """Put a panel on its grid and cut it.

    Args:
        panel: Of at least 5 times.
        split: Shares of training, validation and test.

    Raises:
        PanelError: Too few times, nothing observed to learn from or to test on, times that jump, or too many rows.

    >>> hours = 3600.0 * np.array([0, 1, 2, 4, 5, 6, 7, 8, 9])
    >>> panel = Panel(np.ones((9, 1, 1), np.float32), ("users",), ("lobby",), timestamps=hours)
    >>> series = make_series(panel)
    >>> series.shape, series.inserted, (series.train_end, series.validation_end)
    ((10, 1, 1), 1, (7, 8))
    """
    whole = on_grid(panel)
    train_end, validation_end = _ends(len(whole.values), split)
    _check_parts(whole.values, train_end, validation_end, panel.source)
    known = () if whole.step_s is None else calendar_seasons(whole.step_s, train_end)
    seasons = known or find_season(whole.values[:train_end])
    return replace(whole, train_end=train_end, validation_end=validation_end, seasons=seasons)


def on_grid(panel: Panel) -> Series:
    """Put a panel on its grid; all of it is training, and it has no seasons.

    Raises:
        PanelError: Its times are not on a grid, they jump, or the grid has too many rows.
    """
    places, seconds = _grid(panel)
    ticks = int(places[-1]) + 1
    values = np.full((ticks, *panel.values.shape[1:]), np.nan, dtype=np.float32)
    values[places] = np.where(panel.observed, panel.values, np.nan)
    intents = None
    if panel.intents is not None:
        intents = np.full((ticks, *panel.intents.shape[1:]), np.nan, dtype=np.float32)
        intents[places] = panel.intents
    return Series(values, ticks, ticks, (), seconds, ticks - len(places), panel, intents)


def _grid(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Return the row of each sample on the grid, and the grid's times; without times rows are samples."""
    if panel.timestamps is None:
        return np.arange(len(panel.values)), None
    if len(panel.timestamps) == 1:
        return np.zeros(1, dtype=np.int64), panel.timestamps
    spacings, since = np.diff(panel.timestamps), panel.timestamps - panel.timestamps[0]
    median = _usual_spacing(spacings)
    places = np.append(0, np.cumsum(np.round(spacings / median)).astype(np.int64))
    step = float(since[-1]) / max(int(places[-1]), 1)  # of all times, so that jitter does not add up
    regular = abs(step / median - 1.0) < _MOST_DRIFT and np.abs(since / step - places).max() < _MOST_JITTER
    if not regular or np.any(np.diff(places) < 1):
        raise PanelError(
            f"panel {panel.source}: times are not on a grid; their median spacing is {median:g} s. "
            "Put them on a grid by --step-s of 'metaverse forecast evaluate' and 'panel'"
        )
    if places[-1] + 1 > MOST_SPARSE * len(places):
        raise PanelError(
            f"panel {panel.source}: {len(places)} times would become {int(places[-1]) + 1} rows, one every {step:g} s: "
            f"{jump(panel.timestamps)}"
        )
    if places[-1] >= MOST_ROWS:
        raise PanelError(
            f"panel {panel.source}: at one row every {step:g} s it would have {int(places[-1]) + 1} rows; "
            f"at most {MOST_ROWS} are possible; cut it at its gaps"
        )
    return places, panel.timestamps[0] + step * np.arange(places[-1] + 1)


def _usual_spacing(spacings: NDArray[np.float64]) -> float:
    """Return the median spacing; where many are the least one, and all its multiples, that: half may lack a row.

    >>> _usual_spacing(np.array([300.0, 600.0, 300.0, 600.0])), _usual_spacing(np.array([59.0, 60.0, 61.0]))
    (300.0, 60.0)
    """
    multiples = spacings / spacings.min()
    exact = np.abs(multiples - np.round(multiples)).max() < _EXACT
    often = np.mean(np.round(multiples) == 1) >= _OFTEN
    return float(spacings.min() if exact and often else np.median(spacings))


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
