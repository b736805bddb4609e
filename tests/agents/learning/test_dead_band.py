"""Changes not worth their charge."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.learning.dead_band import DeadBand
from metaverse_env.scenario.infrastructure import CostSpec

ACTIONS = arrays(np.float32, (5, 4), elements=st.floats(-1, 1, width=32))


@given(ACTIONS)
def test_a_zone_does_all_or_nothing(actions: np.ndarray) -> None:
    steady = DeadBand(0.1, 0.3).apply(actions, np.ones((5, 3)))
    for given_, kept in zip(actions, steady, strict=True):
        worth = (given_[:3] >= np.float32(0.1)).any() or (given_[:3] <= np.float32(-0.3)).any()
        np.testing.assert_array_equal(kept[:3], given_[:3] if worth else 0.0)
        assert kept[3] == given_[3]


@given(ACTIONS)
def test_without_a_band_everything_passes(actions: np.ndarray) -> None:
    np.testing.assert_array_equal(DeadBand(0.0, 0.0).apply(actions, np.ones((5, 3))), actions)


def test_shrinking_has_to_earn_back_its_charge_and_growing_does_not() -> None:
    """Half of 0.5 cores saves 0.01 EUR/h, which is one charge of 0.0001 EUR in 36 s."""
    band = DeadBand.of(CostSpec())
    for cores, kept in ((0.49, False), (0.51, True)):
        halved = np.array([[-1.0, 0.0, 0.0]])
        assert (band.apply(halved, np.array([[cores, 0.0, 0.0]])) == halved).all() == kept
        doubled = np.array([[1.0, 0.0, 0.0]])
        np.testing.assert_array_equal(band.apply(doubled, np.array([[cores, 0.0, 0.0]])), doubled)
    together = np.array([[-1.0, -1.0, -1.0]])  # 0.25 cores, 0.5 GB and 6.3 Mbps less save 0.01 + 0.0025 + 0.0025 EUR/h
    np.testing.assert_array_equal(band.apply(together, np.array([[0.25, 1000.0, 6.3 * 2]])), together)


def test_where_changes_are_free_any_shrinking_is_worth_one() -> None:
    assert DeadBand.of(CostSpec(change_eur=0.0)) == DeadBand()
