"""Baselines by hand."""

from dataclasses import replace

import numpy as np
import pytest

from metaverse_env.errors import MissingDependencyError, PanelError, UnknownNameError
from metaverse_env.panels import Panel
from predictors.forecasting.baselines import persistence, place_targets, ridge, seasonal_deviation, seasonal_naive
from predictors.forecasting.boosting import LEAST_ROUNDS, ROUNDS, lightgbm, most_rounds
from predictors.forecasting.forecasts import MODELS, Forecasts, Study, load_model
from predictors.forecasting.series import Series, make_series

nan = np.nan


def study_of(
    values: np.ndarray, horizons: tuple[int, ...], seasons: tuple[int, ...] = (), lags: int = 4, **more: float
) -> Study:
    values = np.asarray(values, dtype=np.float32)
    values = values.reshape(*values.shape, *[1] * (3 - values.ndim))
    names = [tuple(f"{kind}{n}" for n in range(size)) for kind, size in zip("zf", values.shape[1:], strict=True)]
    series: Series = replace(make_series(Panel(values, names[1], names[0])), seasons=seasons)
    return Study(series, lags, horizons, **more)  # type: ignore[arg-type]


def medians(forecasts: Forecasts, zone: int = 0) -> list[list[float]]:
    return [[float(value) for value in row] for row in forecasts.median[:, :, zone, 0]]


def test_persistence_is_the_last_value_observed() -> None:
    values = np.arange(20.0)
    values[15] = nan
    found = medians(persistence(study_of(values, (1, 3))))
    assert found == [[14.0, 16.0, 17.0, 18.0], [13.0, 14.0, 14.0, 16.0]], "targets 16 to 19; 15 is held at 14"


def test_what_was_never_observed_is_the_training_mean() -> None:
    """Of the zone, or of the others where it has none."""
    values = np.full((20, 2), nan)
    values[:, 0] = 7.0
    values[18:, 1] = 3.0
    assert medians(persistence(study_of(values, (1,))), zone=1) == [[7.0, 7.0, 7.0, 3.0]]


def test_persistence_keeps_large_numbers_as_they_are() -> None:
    values = np.float32(3e9) + 512.0 * np.arange(20.0)
    assert medians(persistence(study_of(values, (1,)))) == [[float(np.float32(value)) for value in values[15:19]]]


def test_seasonal_naive_goes_back_whole_seasons() -> None:
    values = np.arange(100.0)
    found = medians(seasonal_naive(study_of(values, (1, 10, 11), seasons=(5, 10))))
    assert [row[0] for row in found] == [70.0, 70.0, 60.0], "of target 80: one season of 10, one, two"
    assert found[0] == [70.0 + tick for tick in range(20)]


def test_seasonal_deviation_persists() -> None:
    """The deviation from the mean training season, forecast to stay."""
    season = np.array([0.0, 5.0, 2.0, -3.0])
    values = np.tile(season, 25)
    values[70:] += 100.0
    found = medians(seasonal_deviation(study_of(values, (2,), seasons=(4,))))
    np.testing.assert_allclose(found, [values[80:]], rtol=1e-5)


@pytest.mark.parametrize("model", [seasonal_naive, seasonal_deviation])
def test_without_a_season_it_is_persistence(model: object) -> None:
    study = study_of(np.random.default_rng(0).normal(size=40), (1, 2))
    assert medians(model(study)) == medians(persistence(study))  # type: ignore[operator]


def test_ridge_forecasts_what_is_linear() -> None:
    """``x'' = 2 cos(w) x' - x``, exactly."""
    values = 10.0 + 3.0 * np.sin(0.4 * np.arange(400.0))
    found = medians(ridge(study_of(values, (1, 5), lags=3)))
    np.testing.assert_allclose(found, np.tile(values[320:], (2, 1)), atol=0.1)


def test_targets_stand_where_they_belong() -> None:
    result = np.zeros((2, 4, 1, 1), np.float32)
    found = np.arange(6.0, dtype=np.float32).reshape(2, 3, 1, 1)
    place_targets(result, np.array([8, 9, 12]), (1, 3), 10, found)
    assert result[:, :, 0, 0].tolist() == [[1.0, 0.0, 0.0, 2.0], [0.0, 3.0, 4.0, 0.0]]


@pytest.mark.parametrize("name", ["persistence", "seasonal_naive", "seasonal_deviation", "ridge", "lightgbm"])
def test_no_forecast_knows_what_comes_after_its_origin(name: str) -> None:
    """Whatever comes in the last ticks of the test part, forecasts of targets up to a horizon later stay as they are."""
    values = np.random.default_rng(0).normal(size=(120, 2)).cumsum(axis=0)
    other = values.copy()
    other[110:] = nan
    other[110] = 1e4
    made = [load_model(name)(study_of(each, (1, 6), seasons=(8,))) for each in (values, other)]
    for h, horizon in enumerate((1, 6)):
        known = 110 + horizon - 96
        for part in range(2):
            np.testing.assert_array_equal(made[0][part][h, :known], made[1][part][h, :known])
        np.testing.assert_array_equal(made[0].upper[:, h, :known], made[1].upper[:, h, :known])


# --- LightGBM ---


def test_trees_learn_what_is_not_linear() -> None:
    """Chaos of the logistic map: neighbouring values are not correlated, and yet each follows from the one before."""
    values = np.full((3000, 1), 0.3)
    for tick in range(1, 3000):
        values[tick] = 4.0 * values[tick - 1] * (1.0 - values[tick - 1])
    study = study_of(values, (1,))
    truth = study.series.values[study.series.validation_end :]
    errors = {model: np.abs(model(study).median[0] - truth).mean() for model in (lightgbm, ridge)}
    assert errors[lightgbm] < 0.2 * errors[ridge]


def test_trees_of_a_feature_never_observed_forecast_no_change() -> None:
    values = np.random.default_rng(0).normal(size=(60, 2, 2)).astype(np.float32)
    values[..., 1] = nan
    found = lightgbm(study_of(values, (1,)))
    assert (found.median[..., 1] == 0.0).all()
    assert np.isfinite(found.upper).all()


def test_rounds_are_what_time_allows() -> None:
    small, large = study_of(np.ones((50, 2)), (1,)), study_of(np.ones((5000, 100)), (1, 2), minutes=0.2)
    assert most_rounds(small) == ROUNDS
    assert LEAST_ROUNDS < most_rounds(large) < ROUNDS
    assert most_rounds(replace(large, minutes=1e-3)) == LEAST_ROUNDS


# --- the table of models ---


def test_models_are_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MODELS:
        assert callable(load_model(name))
    with pytest.raises(UnknownNameError, match="Did you mean 'persistence'"):
        load_model("persistance")
    monkeypatch.setitem(MODELS, "lightgbm", "no_such_module:lightgbm")
    with pytest.raises(MissingDependencyError, match=r"pip install 'metaverse-env\[boosting\]'"):
        load_model("lightgbm")


def test_a_horizon_as_long_as_the_training_part_is_refused() -> None:
    study_of(np.ones(20), (13,))
    with pytest.raises(
        PanelError, match="14 ticks cannot be learnt from a training part of 14 ticks; ask for at most 13"
    ):
        study_of(np.ones(20), (1, 14))
