"""What is known when a forecast is made: by hand, and never anything that comes later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.panels import Panel
from predictors.forecasting.scaling import Scaling, fit_scaling
from predictors.forecasting.series import Series, make_series
from predictors.forecasting.windows import Inputs, Windows, hold, make_windows, repeated_season

nan = np.nan
TICKS, ZONES, FEATURES = 60, 3, 2
HORIZONS = (1, 4, 9)
NAMES = tuple(f"zone-{n}" for n in range(ZONES))


def as_they_are(zones: int, features: int) -> Scaling:
    """Return a scaling whose levels are the values."""
    zeros = np.zeros((zones, features), np.float32)
    return Scaling(np.zeros(features, bool), zeros + 1.0, zeros, zeros + 1.0)


def series_of(values: np.ndarray, seasons: tuple[int, ...] = (), **more: object) -> Series:
    """Return a series of one zone and one feature, if nothing else is said."""
    values = np.asarray(values, dtype=np.float32).reshape(len(values), -1, 1)
    names = tuple(f"zone-{n}" for n in range(values.shape[1]))
    return replace(make_series(Panel(values, ("users",), names, **more)), seasons=seasons)  # type: ignore[arg-type]


def one(array: np.ndarray) -> list[float]:
    return [round(float(value), 6) for value in array.ravel()]


# --- by hand ---


def test_lags_are_relative_to_the_last_level_and_say_what_was_observed() -> None:
    values = np.array([1.0, 2.0, nan, 5.0, nan, 9.0, 9.0, 9.0, 9.0, 9.0])
    windows = make_windows(series_of(values), as_they_are(1, 1), 4, (1,))
    found = windows.inputs(np.array([4, 0]))
    assert one(found.last) == [5.0, 1.0]
    assert one(found.lags[0]) == [0.0, -3.0, -3.0], "5, 2 held, 2 before 5 held"
    assert one(found.observed[0]) == [0.0, 1.0, 0.0, 1.0]
    assert one(found.lags[1]) == [0.0, 0.0, 0.0], "nothing is known before the first tick"
    assert one(found.observed[1]) == [1.0, 0.0, 0.0, 0.0]


def test_one_lag_is_the_present_alone() -> None:
    windows = make_windows(series_of(np.arange(10.0)), as_they_are(1, 1), 1, (1,))
    found = windows.inputs(np.array([3, 4]))
    assert found.lags.shape == (2, 1, 1, 0)
    assert found.observed.shape == (2, 1, 1, 1)


def test_seasonal_inputs_are_aligned_with_the_target() -> None:
    values = np.arange(40.0) ** 2
    windows = make_windows(series_of(values, seasons=(10,)), as_they_are(1, 1), 3, (1, 10, 11))
    windows = replace(windows, profile=None)
    found = windows.inputs(np.array([25, 4])).seasonal
    assert found.shape == (3, 2, 1, 1, 2)
    assert one(found[0, 0]) == [16.0**2 - 15.0**2, 25.0**2 - 15.0**2]
    assert one(found[1, 0]) == [25.0**2 - 15.0**2, 25.0**2 - 15.0**2], "the target's season ago is now"
    assert one(found[2, 0]) == [16.0**2 - 5.0**2, 25.0**2 - 5.0**2], "a season later two seasons are gone back"
    assert one(found[0, 1]) == [0.0, 16.0], "before the first season nothing is known of it"


def test_the_profile_is_the_mean_training_season() -> None:
    values = np.arange(40.0)
    values[10] = nan
    windows = make_windows(series_of(values, seasons=(7,)), as_they_are(1, 1), 3, (2,))
    assert windows.series.train_end == 28
    assert windows.profile is not None
    assert one(windows.profile) == pytest.approx([10.5, 11.5, 12.5, (3 + 17 + 24) / 3, 14.5, 15.5, 16.5])
    found = windows.inputs(np.array([29])).seasonal[0, 0, 0, 0]
    assert one(found[2:]) == pytest.approx([(3 + 17 + 24) / 3 - 11.5, 29.0 - 11.5], abs=1e-5)


def test_a_profile_needs_three_seasons() -> None:
    assert repeated_season((24, 168), 504) == 168
    assert repeated_season((24, 168), 503) == 24
    assert repeated_season((24, 168), 71) is None
    assert repeated_season((), 1000) is None


def test_calendar_is_utc() -> None:
    thursday_6_am = 6 * 3600.0  # 1 January 1970 was a Thursday
    windows = make_windows(
        series_of(np.ones(10), timestamps=thursday_6_am + 3600.0 * np.arange(10)), as_they_are(1, 1), 1, (1,)
    )
    (row,) = windows.inputs(np.array([0])).calendar
    np.testing.assert_allclose(row[:6], [1.0, 0.0, -1.0, 0.0, -1.0, 0.0], atol=1e-6)
    assert row[6:].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert not make_windows(series_of(np.ones(10)), as_they_are(1, 1), 1, (1,)).inputs(np.array([0])).calendar.any()


def test_intents_are_means_of_the_last_ticks_and_those_before() -> None:
    intents = np.arange(20.0, dtype=np.float32)[:, None, None]
    intents[9] = nan
    windows = make_windows(series_of(np.ones(20), intents=intents), as_they_are(1, 1), 1, (1,))
    found = windows.inputs(np.array([11, 1])).intents
    assert one(found[0]) == [(11 + 10 + 0 + 8) / 4, (7 + 6 + 5 + 4) / 4], "unknown counts as none"
    assert one(found[1]) == [1 / 4, 0.0]


def test_targets_beyond_a_part_weigh_nothing() -> None:
    values = np.arange(10.0)
    values[6] = nan
    windows = make_windows(series_of(values), as_they_are(1, 1), 1, (1, 3))
    levels, weights = windows.targets(np.array([3, 5, 8]), 4, 8)
    assert one(levels) == [4.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert one(weights) == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], "4; 6 is missing, 9 beyond; 6 missing, 8 and 11 beyond"


def test_every_target_of_a_part_has_an_origin() -> None:
    windows = make_windows(series_of(np.arange(40.0)), as_they_are(1, 1), 1, HORIZONS)
    for first, end in ((0, 28), (28, 32), (32, 40)):
        _, weights = windows.targets(windows.origins(first, end), first, end)
        counts = weights.sum(axis=(1, 2, 3))
        possible = [end - max(first, horizon) for horizon in HORIZONS]
        assert counts.tolist() == possible


def test_held_is_the_value_before() -> None:
    values = np.array([nan, 3.0, nan, nan, 4.0], dtype=np.float32)[:, None, None]
    assert one(hold(values)) == [0.0, 3.0, 3.0, 3.0, 4.0]
    assert one(hold(values, np.array([[8.0]]))) == [8.0, 3.0, 3.0, 3.0, 4.0]


# --- nothing that comes later ---


def restless_series(values: np.ndarray, intents: np.ndarray) -> Series:
    panel = Panel(values, tuple("ab"), NAMES, timestamps=43_200.0 * np.arange(TICKS, dtype=float), intents=intents)
    return make_series(panel)


def random_values(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    values = random.lognormal(size=(TICKS, ZONES, FEATURES)).astype(np.float32)
    values[random.random(values.shape) < 0.2] = nan
    values[0] = 1.0
    return values, random.normal(size=(TICKS, ZONES, 2)).astype(np.float32)


def same_inputs(one: Inputs, other: Inputs) -> None:
    for name, mine, theirs in zip(Inputs._fields, one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


@given(st.integers(0, 10_000), st.integers(0, TICKS - 2), st.booleans())
def test_inputs_know_nothing_of_what_comes_after_their_origin(seed: int, origin: int, missing: bool) -> None:
    """With what was fitted to the training part given, not one input at a tick changes with any value after it."""
    values, intents = random_values(seed)
    other_values, other_intents = random_values(seed + 1)
    if missing:
        other_values[origin + 1 :] = nan
    other_values[: origin + 1], other_intents[: origin + 1] = values[: origin + 1], intents[: origin + 1]
    series = restless_series(values, intents)
    assert series.seasons == (2, 14)
    windows = make_windows(series, fit_scaling(series.values[: series.train_end], np.array([True, False])), 5, HORIZONS)
    changed = replace(series, values=other_values, intents=other_intents)
    levels = windows.scaling.levels(other_values)
    same = Windows(changed, windows.scaling, 5, HORIZONS, levels, hold(levels), windows.profile)
    same_inputs(windows.inputs(np.array([origin])), same.inputs(np.array([origin])))


@given(st.integers(0, 10_000))
def test_what_is_fitted_knows_the_training_part_alone(seed: int) -> None:
    values, intents = random_values(seed)
    series = restless_series(values, intents)
    other_values, other_intents = random_values(seed + 1)
    other_values[: series.train_end], other_intents[: series.train_end] = (
        values[: series.train_end],
        intents[: series.train_end],
    )
    other = restless_series(other_values, other_intents)
    made = [
        make_windows(each, fit_scaling(each.values[: each.train_end], np.array([True, False])), 5, HORIZONS)
        for each in (series, other)
    ]
    for field in ("offset", "centre", "deviation"):
        np.testing.assert_array_equal(getattr(made[0].scaling, field), getattr(made[1].scaling, field))
    np.testing.assert_array_equal(made[0].profile, made[1].profile)
    last = np.array([series.train_end - 1])
    same_inputs(made[0].inputs(last), made[1].inputs(last))
