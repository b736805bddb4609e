"""The PID controllers, held against steps computed by hand and against a zone whose usage stands still."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agents
from agents.baselines.pid import Pid
from metaverse_env.errors import ConfigurationError
from metaverse_env.testing import check_policy
from tests.agents.views import GRAPH, LIMITS, decide, make_view

TARGETS = {"cpu_target": 0.5, "memory_target": 0.8, "bandwidth_target": 0.5}
ON_TARGET = (1.0, 800.0, 20.0), (2.0, 1000.0, 40.0)


def fresh(**parameters: Any) -> Pid:
    policy = Pid(**{**TARGETS, "dead_band": 0.0, **parameters})
    policy.reset(GRAPH, 1)
    return policy


def test_on_target_nothing_moves() -> None:
    policy = fresh()
    for _ in range(5):
        assert decide(policy, make_view(*ON_TARGET)) == pytest.approx([2.0, 1000.0, 40.0])


def test_the_terms_add_up() -> None:
    policy = fresh(proportional=0.5, integral_per_min=1.0, derivative_min=0.2, filter_s=15.0)
    decide(policy, make_view(*ON_TARGET))
    e = math.log(0.75 / 0.5)  # after 15 s, a quarter of a minute; the filter passes half of the slope
    expected = 2.0 * math.exp(0.25 * e + 0.5 * e + 0.2 * 0.5 * e / 0.25)
    assert decide(policy, make_view((1.5, 800.0, 20.0), (2.0, 1000.0, 40.0)))[0] == pytest.approx(expected)


def test_an_error_below_zero_counts_less() -> None:
    policy = fresh(proportional=0.0, derivative_min=0.0, down_factor=0.2)
    expected = 2.0 * math.exp(0.25 * 0.2 * math.log(0.25 / 0.5))
    assert decide(policy, make_view((0.5, 800.0, 20.0), (2.0, 1000.0, 40.0)))[0] == pytest.approx(expected)


def test_does_not_wind_up_at_the_limit() -> None:
    policy, most = fresh(derivative_min=0.0), float(LIMITS[1, 0])
    for _ in range(200):
        assert decide(policy, make_view((most, 800.0, 20.0), (most, 1000.0, 40.0)))[0] == pytest.approx(most)
    assert decide(policy, make_view((0.3 * most, 800.0, 20.0), (most, 1000.0, 40.0)))[0] < most


def test_holds_and_stands_still_without_metrics() -> None:
    policy = fresh()
    for _ in range(10):
        view = make_view((1.9, 990.0, 39.0), (2.0, 1000.0, 40.0), observed=0.0)
        assert decide(policy, view) == pytest.approx([2.0, 1000.0, 40.0])
    assert decide(policy, make_view(*ON_TARGET)) == pytest.approx([2.0, 1000.0, 40.0])


def test_memory_keeps_a_margin_over_its_usage() -> None:
    view = make_view((1.0, 990.0, 20.0), (2.0, 1000.0, 40.0))
    assert decide(fresh(memory_target=1.0, memory_margin=1.2), view)[1] == pytest.approx(1188.0)


def test_is_a_policy_that_refuses_impossible_parameters() -> None:
    check_policy(agents.load("pid"))
    with pytest.raises(ConfigurationError, match="filter_s"):
        Pid(filter_s=-1.0)


@given(used=st.floats(0.05, 6.0), start=st.floats(0.2, 14.0))
def test_brings_a_steady_zone_to_its_target(used: float, start: float) -> None:
    policy, size = fresh(down_factor=1.0), start
    for _ in range(80):
        size = decide(policy, make_view((min(used, size), 800.0, 20.0), (size, 1000.0, 40.0)))[0]
        assert LIMITS[0, 0] * 0.999 <= size <= LIMITS[1, 0] * 1.001
    assert size == pytest.approx(used / 0.5, rel=0.02)
