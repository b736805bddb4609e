"""What a trained network is worth: on seasons, with announcements, and of zones that it never saw."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from metaverse_env.panels import Panel
from predictors.forecasting.baselines import persistence
from predictors.forecasting.forecasts import Forecasts, Study
from predictors.forecasting.selection import best_linear
from predictors.forecasting.series import Series, make_series
from predictors.stgnn.panel.export import export_panel
from predictors.stgnn.panel.fitting import Fitting
from predictors.stgnn.panel.model import forecast_test
from predictors.stgnn.panel.run import PanelRun
from predictors.stgnn.panel.runtime import PanelForecaster

HORIZONS = (1, 3, 12)
QUICK = Fitting(members=1, steps=400, hidden=16)


def trained(series: Series, lags: int = 6, horizons: tuple[int, ...] = HORIZONS) -> Forecasts:
    linear = best_linear(series, lags, horizons)
    return forecast_test(PanelRun(linear, QUICK).fit(), linear.windows)


def errors(forecasts: Forecasts, series: Series) -> np.ndarray:
    """Return mean absolute errors ``[H, F]`` on the test part."""
    truth = series.values[series.validation_end :]
    return np.nanmean(np.abs(forecasts.median - truth), axis=(1, 2))


def test_of_a_season_it_beats_persistence(make_panel: Callable[..., Panel]) -> None:
    series = make_series(make_panel(ticks=600))
    held = errors(persistence(Study(series, 6, HORIZONS)), series)
    assert (errors(trained(series), series) < 0.9 * held).all()


LEAD = 6
"""Ticks from an announcement to its jump."""


def announced(honest: bool) -> Series:
    """Return jumps of random size that intents announce some ticks before, or intents of other jumps."""
    random = np.random.default_rng(0)
    ticks, zones = 1500, 6
    jumps = random.normal(0.0, 3.0, (ticks, zones)) * (random.random((ticks, zones)) < 0.05)
    values = np.zeros((ticks, zones))
    for tick in range(1, ticks):
        values[tick] = 0.95 * values[tick - 1] + jumps[tick] + 0.2 * random.normal(size=zones)
    told = np.zeros_like(jumps)
    told[:-LEAD] = jumps[LEAD:]
    if not honest:
        told = told[random.permutation(ticks)]
    names = tuple(f"zone-{n}" for n in range(zones))
    return make_series(
        Panel(values[..., None].astype(np.float32), ("load",), names, intents=told[..., None].astype(np.float32))
    )


def test_announcements_lower_the_error_within_their_lead() -> None:
    """A jump told six ticks before is known three ticks and six ticks ahead; shuffled intents are worth nothing."""
    gains = {}
    for honest in (True, False):
        series = announced(honest)
        ours, blind = (errors(trained(each, 4, (3, 6)), series) for each in (series, replace(series, intents=None)))
        gains[honest] = ours / blind
    assert gains[True][0, 0] < 0.98, "means over four ticks tell only roughly when"
    assert gains[True][1, 0] < 0.7
    assert (gains[False] > 0.97).all(), gains


def test_zones_never_seen_are_forecast(make_panel: Callable[..., Panel], tmp_path: object) -> None:
    """Trained on six zones, it forecasts two others, a thousand times as large, better than persistence."""
    panel = make_panel(ticks=600, zones=8, features=1, graph=False, intents=0, missing=0.0)
    seen = panel.select(*panel.names[:6])
    linear = best_linear(make_series(seen), 6, (6,))
    export_panel(PanelRun(linear, QUICK).fit(), linear.windows, tmp_path / "net")  # type: ignore[operator]
    forecaster = PanelForecaster(tmp_path / "net")  # type: ignore[operator]
    new = panel.select(*panel.names[6:])
    ours, held = [], []  # factors that forecasts are off by, as logarithms, since values multiply
    for origin in range(480, 590, 4):
        rows = slice(origin - 200, origin + 1)
        assert new.timestamps is not None
        recent = replace(new, values=new.values[rows], timestamps=new.timestamps[rows])
        truth = new.values[origin + 6, :, 0]
        ours.append(np.abs(np.log(np.maximum(forecaster.forecast(recent)[:, 0, 0, 0], 1e-3) / truth)))
        held.append(np.abs(np.log(new.values[origin, :, 0] / truth)))
    assert np.mean(ours) < 0.8 * np.mean(held), f"{np.mean(ours)} against {np.mean(held)}"
