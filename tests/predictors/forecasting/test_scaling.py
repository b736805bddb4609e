"""From values to levels and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from predictors.forecasting.scaling import (
    MOST_EXPONENT,
    fit_scaling,
    may_be_logarithmic,
    moments,
    training_mean,
)

nan = np.nan


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None, None]


NO, YES = np.array([False]), np.array([True])


@given(
    arrays.arrays(np.float32, (6, 3, 2), elements=st.floats(0.0, 1e6, width=32)),
    arrays.arrays(np.bool_, (6, 3, 2)),
    arrays.arrays(np.bool_, 2),
)
def test_values_come_back(values: np.ndarray, hidden: np.ndarray, logarithmic: np.ndarray) -> None:
    values[hidden] = nan
    scaling = fit_scaling(values, logarithmic)
    back = scaling.values(scaling.levels(values))
    np.testing.assert_array_equal(np.isnan(back), hidden)
    size = np.nanmax(np.abs(values), initial=1.0)
    np.testing.assert_allclose(back, values, rtol=1e-4, atol=2e-6 * size)
    for f in range(2):
        np.testing.assert_array_equal(scaling.feature_values(scaling.levels(values)[..., f], f), back[..., f])


@given(arrays.arrays(np.float32, (5, 2, 1), elements=st.floats(-1e6, 1e6, width=32)))
def test_training_levels_have_mean_0_and_deviation_1(values: np.ndarray) -> None:
    scaling = fit_scaling(values, NO)
    mean, deviation = moments(scaling.levels(values))
    for zone in range(2):
        spread = values[:, zone].std(dtype=np.float64)
        if spread > max(1e-9, 1e-3 * np.abs(values[:, zone]).max()):
            np.testing.assert_allclose([mean[zone, 0], deviation[zone, 0]], [0.0, 1.0], atol=1e-3)


def test_by_hand() -> None:
    plain = fit_scaling(column(2.0, 4.0, nan, 6.0), NO)
    assert plain.centre == 4.0
    assert plain.deviation == pytest.approx(np.sqrt(8.0 / 3.0))
    np.testing.assert_allclose(plain.levels(column(4.0 + np.sqrt(8.0 / 3.0))), column(1.0), rtol=1e-6)
    logs = fit_scaling(column(0.0, 1.0, 3.0), YES)
    assert logs.offset == 1.0, "the low quantile of the positive values"
    assert logs.centre == pytest.approx(np.log(np.array([1.0, 2.0, 4.0])).mean())


def test_a_zone_never_observed_is_scaled_like_the_mean_of_the_others() -> None:
    values = np.stack([[1.0, 3.0], [10.0, 30.0], [nan, nan]], axis=1)[..., None].astype(np.float32)
    scaling = fit_scaling(values, NO)
    assert scaling.centre[:, 0].tolist() == [2.0, 20.0, 11.0]
    assert scaling.deviation[:, 0].tolist() == [1.0, 10.0, 5.5]
    assert training_mean(values)[:, 0].tolist() == [2.0, 20.0, 11.0]
    for logarithmic in (NO, YES):
        nothing = fit_scaling(np.full((4, 2, 1), nan, np.float32), logarithmic)
        assert (nothing.offset == 1.0).all()
        assert (nothing.deviation == 1.0).all()
        assert (nothing.centre == 0.0).all()


@pytest.mark.parametrize("logarithmic", [NO, YES])
def test_a_constant_zone_is_scaled_by_the_deviation_of_the_others(logarithmic: np.ndarray) -> None:
    values = np.stack([[7.0, 7.0, 7.0], [1.0, 2.0, 4.0]], axis=1)[..., None].astype(np.float32)
    scaling = fit_scaling(values, logarithmic)
    assert scaling.deviation[0] == scaling.deviation[1]
    assert (scaling.levels(values)[:, 0] == 0.0).all()
    alone = fit_scaling(values[:, :1], logarithmic)
    assert alone.deviation == 1.0
    np.testing.assert_array_equal(alone.values(alone.levels(values[:, :1])), values[:, :1])


def test_a_logarithm_has_an_end() -> None:
    scaling = fit_scaling(column(1.0, 2.0, 4.0), YES)
    largest = scaling.values(column(1e9))
    assert np.isfinite(largest).all()
    assert largest == pytest.approx(2.0 * np.exp(MOST_EXPONENT), rel=0.7)
    assert scaling.values(column(-1e9)) == -scaling.offset


def test_what_can_have_a_logarithm() -> None:
    values = np.array([[[0.0, -1.0, 0.0, nan, 1.0]], [[2.0, 5.0, 0.0, nan, nan]]], dtype=np.float32)
    assert may_be_logarithmic(values).tolist() == [True, False, False, False, True]


def test_moments_of_nothing_are_nan() -> None:
    mean, deviation = moments(np.array([[[nan], [3.0], [1.0]], [[nan], [nan], [5.0]]]))
    np.testing.assert_array_equal(mean[:, 0], [nan, 3.0, 3.0])
    np.testing.assert_array_equal(deviation[:, 0], [nan, nan, 2.0])
