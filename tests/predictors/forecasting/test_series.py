"""The grid of times, its parts, and the seasons that are found or taken from the calendar."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel
from predictors.forecasting.series import Series, make_series

HOUR = 3600.0


def panel(values: np.ndarray, **more: object) -> Panel:
    values = np.asarray(values, dtype=np.float32).reshape(len(values), -1, 1)
    return Panel(values, ("users",), tuple(f"zone-{n}" for n in range(values.shape[1])), **more)  # type: ignore[arg-type]


def series_of(values: np.ndarray, step_s: float | None = None) -> Series:
    return make_series(panel(values, timestamps=None if step_s is None else step_s * np.arange(len(values))))


# --- the grid ---


def test_rows_that_lack_are_put_in_as_missing() -> None:
    minutes = np.array([0.0, 1.0, 2.1, 4.9, 6.0, 7.0, 8.0])  # 3 and 4 lack; two times are a little off
    values = np.arange(7.0)
    found = make_series(panel(values, timestamps=60.0 * minutes, intents=np.ones((7, 1, 2), np.float32)))
    assert found.inserted == 2
    np.testing.assert_array_equal(found.values[:, 0, 0], [0, 1, 2, np.nan, np.nan, 3, 4, 5, 6])
    np.testing.assert_array_equal(found.seconds, 60.0 * np.arange(9))
    assert found.intents is not None
    np.testing.assert_array_equal(np.isfinite(found.intents[:, 0, 0]), np.isfinite(found.values[:, 0, 0]))


def test_a_mask_hides_values() -> None:
    mask = np.ones((10, 1), dtype=bool)
    mask[4] = False
    found = make_series(panel(np.arange(10.0), mask=mask))
    assert np.flatnonzero(np.isnan(found.values[:, 0, 0])).tolist() == [4]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 7.0, 8.0], "not on a grid; their median spacing is 1 s"),
        ([0.0, 1.0, 2.0, 2.4, 3.4, 4.4, 5.4], "not on a grid; their median spacing is 1 s"),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 120.0], "7 times would become 121 rows.*jump from 1970-01-01 00:00:05"),
    ],
)
def test_times_off_the_grid_are_refused(times: list[float], said: str) -> None:
    with pytest.raises(PanelError, match=said):
        make_series(panel(np.arange(float(len(times))), timestamps=np.array(times)))


def test_where_every_second_row_lacks_the_step_is_the_least_spacing() -> None:
    found = make_series(panel(np.arange(21.0), timestamps=300.0 * np.cumsum([0, *[1, 2] * 10])))
    assert found.step_s == 300.0
    assert (found.shape[0], found.inserted) == (31, 10)


def test_a_grid_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictors.forecasting.series.MOST_ROWS", 20)
    with pytest.raises(PanelError, match="at most 20 are possible"):
        make_series(panel(np.arange(30.0), timestamps=np.arange(30.0)))


# --- the parts ---


@given(st.integers(5, 400), st.lists(st.floats(0.05, 5.0), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_parts_are_of_the_shares_asked_for(ticks: int, split: list[float], random: object) -> None:
    del random
    shares = np.array(split) / sum(split)
    try:
        found = make_series(panel(np.ones(ticks)), (split[0], split[1], split[2]))
    except PanelError:
        assert min(shares) * ticks < 2.0, "only a part of less than two ticks can be empty"
        return
    parts = np.diff([0, found.train_end, found.validation_end, ticks])
    assert (np.abs(parts - shares * ticks) <= 1.0).all()
    assert parts.min() >= 1


@pytest.mark.parametrize("hidden", ["training", "validation", "test"])
def test_a_part_without_values_is_refused(hidden: str) -> None:
    values = np.ones(20)
    values[{"training": slice(0, 14), "validation": slice(14, 16), "test": slice(16, 20)}[hidden]] = np.nan
    with pytest.raises(PanelError, match=f"its {hidden} part has .* no observed value"):
        series_of(values)


def test_a_series_says_what_it_is() -> None:
    minutes = np.arange(11.0)
    found = make_series(panel(np.ones(10), timestamps=60.0 * np.delete(minutes, 5)))
    assert found.described == (
        "in memory: 11 ticks (1 put in as missing), 1 zones, 1 features, 90.9 % observed, no seasons; "
        "from 1970-01-01 00:00:00 to 1970-01-01 00:10:00 UTC, every 60 s, longest gap 120 s after 1970-01-01 00:04:00; "
        "training to tick 7, validation to tick 8, then test"
    )


# --- seasons ---


def sine(ticks: int, period: float, zones: int = 1, noise: float = 1.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    phases = random.uniform(0.0, 6.0, zones)
    return 5.0 * np.sin(2.0 * np.pi * np.arange(ticks)[:, None] / period + phases) + random.normal(
        0.0, noise, (ticks, zones)
    )


@pytest.mark.parametrize(("period", "ticks"), [(24, 300), (7, 120), (168, 1000)])
@pytest.mark.parametrize("zones", [1, 12])
def test_a_noisy_season_is_found(period: int, ticks: int, zones: int) -> None:
    assert series_of(sine(ticks, period, zones, noise=1.0 if period < 100 else 0.1)).seasons == (period,)


def test_a_season_is_found_though_a_third_is_missing() -> None:
    values = sine(300, 24, zones=18)
    values[np.random.default_rng(1).random(values.shape) < 0.3] = np.nan
    assert series_of(values).seasons == (24,)


@pytest.mark.parametrize("ticks", [20, 35, 200, 2000])
@pytest.mark.parametrize("zones", [1, 9])
def test_noise_has_no_season(ticks: int, zones: int) -> None:
    """Neither white noise nor a random walk; of 20 draws each one may look like it has."""
    found = 0
    for seed in range(10):
        noise = np.random.default_rng([seed, zones]).normal(size=(ticks, zones))
        found += bool(series_of(noise).seasons) + bool(series_of(noise.cumsum(axis=0)).seasons)
    assert found <= 1


@pytest.mark.parametrize("values", [np.ones(40), np.where(np.arange(40) == 20, 1.0, 0.0), np.arange(40.0)])
def test_what_hardly_moves_has_no_season(values: np.ndarray) -> None:
    assert series_of(values).seasons == ()


@pytest.mark.parametrize(
    ("step_s", "ticks", "seasons"),
    [
        (HOUR, 1000, (24, 168)),
        (HOUR, 200, (24,)),  # training holds a week less than twice
        (HOUR, 60, ()),  # and here a day
        (60.0, 6000, (1440,)),
        (86_400.0, 100, (7,)),
        (7.0 * 60.0, 5000, (1440,)),  # a day is no whole number of such steps, a week is
        (50_000.0, 100, ()),
    ],
)
def test_day_and_week_come_from_the_calendar(step_s: float, ticks: int, seasons: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).normal(size=ticks)
    assert series_of(noise, step_s).seasons == seasons


def test_without_day_and_week_a_season_is_searched() -> None:
    assert series_of(sine(300, 24), step_s=15.0).seasons == (24,)
