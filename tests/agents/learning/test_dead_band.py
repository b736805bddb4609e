"""Changes not worth their charge."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.learning.dead_band import DeadBand

ACTIONS = arrays(np.float32, (5, 4), elements=st.floats(-1, 1, width=32))


@given(ACTIONS)
def test_a_zone_does_all_or_nothing(actions: np.ndarray) -> None:
    steady = DeadBand(0.1, 0.3).apply(actions)
    for given_, kept in zip(actions, steady, strict=True):
        worth = (given_[:3] >= np.float32(0.1)).any() or (given_[:3] <= np.float32(-0.3)).any()
        np.testing.assert_array_equal(kept[:3], given_[:3] if worth else 0.0)
        assert kept[3] == given_[3]


@given(ACTIONS)
def test_without_a_band_everything_passes(actions: np.ndarray) -> None:
    np.testing.assert_array_equal(DeadBand(0.0, 0.0).apply(actions), actions)
