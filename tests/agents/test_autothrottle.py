"""Captains and tower, held against decisions computed by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agents
from agents.baselines.autothrottle.captain import Captains, decided, started, throttled_share
from agents.baselines.autothrottle.policy import Autothrottle
from agents.baselines.autothrottle.tower import LADDER, Tower
from metaverse_env.errors import ConfigurationError
from metaverse_env.testing import check_policy

YES = np.array(True)


def captain(limit: float, before: float | None = None, margin: float = 0.0, usage: tuple[float, ...] = ()) -> Captains:
    return Captains(np.array(limit), np.array(before or limit), np.array(margin), np.array([np.nan, *usage]))


def step(state: Captains, usage: float, throttled: float, target: float = 0.1) -> Captains:
    return decided(state, np.array(usage), np.array(throttled), np.array(target), YES)


def test_raises_by_what_exceeds_three_times_the_target() -> None:
    assert float(step(captain(2.0), 1.9, throttled=0.5).limit) == pytest.approx(2.0 * 1.2)


def test_lowers_to_the_highest_usage_and_a_margin() -> None:
    state = step(captain(2.0, margin=0.2, usage=(1.0, 1.2)), 1.1, throttled=0.1)  # window 1.0, 1.2, 1.1; margin stays
    assert float(state.limit) == pytest.approx(1.2 + 0.2 * np.std([1.0, 1.2, 1.1]))


def test_lowers_by_half_at_most_and_not_for_less_than_a_tenth() -> None:
    assert float(step(captain(2.0, usage=(0.1, 0.1)), 0.1, throttled=0.0).limit) == pytest.approx(1.0)
    assert float(step(captain(2.0, usage=(1.85, 1.0)), 1.0, throttled=0.0).limit) == pytest.approx(2.0)


def test_takes_a_wrong_step_down_back_twice_over() -> None:
    # From 2.0 to 1.2, and throttled: 2 x 2.0 - 1.2 = 2.8, which is more than 1.2 x 1.05.
    assert float(step(captain(1.2, before=2.0), 1.2, throttled=0.35).limit) == pytest.approx(2.8)


def test_the_margin_gathers_what_was_throttled_too_much() -> None:
    state = step(step(captain(2.0), 1.0, throttled=0.25), 1.0, throttled=0.2)
    assert float(state.margin) == pytest.approx(0.15 + 0.1)
    assert float(step(state, 1.0, throttled=0.0, target=1.0).margin) == 0.0


def test_stands_still_without_metrics() -> None:
    state = started(np.array([2.0]), 3)
    same = decided(state, np.array([9.0]), np.array([1.0]), np.array([0.0]), np.array([False]))
    assert same.limit == state.limit
    assert same.margin == state.margin
    assert np.isnan(same.usage).all()


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_throttling_grows_with_utilisation(a: float, b: float) -> None:
    low, high = throttled_share(np.array([min(a, b), max(a, b)]), 0.3)
    assert 0.0 <= low <= high <= 1.0


def test_the_tower_goes_where_it_is_cheaper_and_explores_neighbours_only() -> None:
    tower, group = Tower(1, first=4, explore_every=2, learning_rate=0.5), np.zeros((1, 1), dtype=np.int64)
    seen = []
    for _ in range(60):
        rung = int(tower.rung[0, 0])
        seen.append(rung)
        tower.learn(np.array([[abs(rung - 6) / 10.0]]), group)  # rung 6 is the cheapest
    assert max(abs(a - b) for a, b in pairwise(seen)) <= 2
    assert {5, 6, 7} >= set(seen[-6:])
    assert float(tower.targets(group)[0, 0]) in LADDER


def test_is_a_policy_that_refuses_impossible_parameters() -> None:
    check_policy(agents.load("autothrottle"))
    with pytest.raises(ConfigurationError, match="first_rung"):
        Autothrottle(first_rung=99.0)
