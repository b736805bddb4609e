"""Figures of merit by hand."""

import math

import numpy as np
import pytest

from metaverse_env.panels import Panel
from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.margins import error_margins, with_margins, zone_deviation
from predictors.forecasting.merit import figures
from predictors.forecasting.series import Series, make_series

nan = np.nan


def series_of(values: np.ndarray, **more: object) -> Series:
    values = np.asarray(values, dtype=np.float32).reshape(len(values), -1, 1) if np.ndim(values) < 3 else values
    names = [tuple(f"{kind}{n}" for n in range(size)) for kind, size in zip("zf", values.shape[1:], strict=True)]
    return make_series(Panel(values, names[1], names[0], **more))  # type: ignore[arg-type]


def test_by_hand_over_what_was_observed() -> None:
    """Truth of the test part: 1, missing, 3, masked; forecasts of 2, 2, 2, 2 with quantiles 2.5 and 4."""
    values = np.array([0.0] * 16 + [1.0, nan, 3.0, 99.0])
    mask = np.arange(20)[:, None] < 19
    series = series_of(values, mask=mask)
    assert series.validation_end == 16
    same = np.full((1, 4, 1, 1), 2.0, np.float32)
    upper = np.stack([np.full_like(same, 2.5), np.full_like(same, 4.0)])
    (found,) = figures(Forecasts(same, same + 1.0, upper), series, (6,)).values()
    losses = [0.5 * 1.0, 0.5 * 1.0, 0.1 * 1.5, 0.9 * 0.5, 0.01 * 3.0, 0.01 * 1.0]
    assert found == pytest.approx(
        {
            "mae": 1.0,
            "mse": (2.0**2 + 0.0) / 2,
            "rmse": math.sqrt(2.0),
            "quantile_loss": sum(losses) / 6,
            "coverage_50": 0.5,
            "coverage_90": 0.5,
            "coverage_99": 1.0,
            "count": 2,
        }
    )


def test_several_features_have_their_own_and_plain_means() -> None:
    values = np.zeros((20, 1, 3), np.float32)
    values[16:, 0] = [1.0, 5.0, nan]
    zeros = np.zeros((1, 4, 1, 3), np.float32)
    found = figures(Forecasts(zeros, zeros, np.stack([zeros, zeros])), series_of(values), (1,))["1"]
    assert found["features"]["f0"]["mae"] == 1.0
    assert found["features"]["f1"]["mse"] == 25.0
    assert found["features"]["f2"] == {"count": 0}
    assert (found["mae"], found["mse"], found["rmse"], found["count"]) == (3.0, 13.0, 3.0, 8)


def test_horizons_are_the_keys() -> None:
    zeros = np.zeros((2, 4, 1, 1), np.float32)
    found = figures(Forecasts(zeros, zeros, np.stack([zeros, zeros])), series_of(np.ones(20)), (3, 12))
    assert list(found) == ["3", "12"]


# --- margins ---


def test_margins_are_quantiles_of_validation_errors() -> None:
    """Two zones, one ten times as large: its errors, too, are over its deviation, and put back onto it."""
    training = np.tile([-1.0, 1.0], 70)
    errors = np.linspace(-1.0, 1.0, 21)[:20]
    zone = np.concatenate([training, errors, np.zeros(40)])
    series = series_of(np.stack([zone, 10.0 * zone], axis=1))
    assert (series.train_end, series.validation_end) == (140, 160)
    np.testing.assert_allclose(zone_deviation(series)[:, 0], [1.0, 10.0])
    median = np.full((1, 60, 2, 1), 3.0, np.float32)
    found = with_margins(median, median + np.arange(60.0, dtype=np.float32)[:, None, None], series)
    assert found.median.shape == (1, 40, 2, 1)
    assert found.mean[0, :, 0, 0].tolist() == [23.0 + tick for tick in range(40)]
    expected = np.quantile(np.concatenate([errors - 3.0, errors - 0.3]), [0.9, 0.99])
    np.testing.assert_allclose(
        found.upper[:, 0, 0, :, 0], 3.0 + np.maximum(expected, 0.0)[:, None] * [1.0, 10.0], rtol=1e-5
    )


def test_margins_of_nothing_are_0() -> None:
    assert error_margins(np.array([nan, nan])).tolist() == [0.0, 0.0]
    assert error_margins(np.array([-1.0, -2.0])).tolist() == [0.0, 0.0]
    assert zone_deviation(series_of(np.ones(20)))[0, 0] == 1.0
