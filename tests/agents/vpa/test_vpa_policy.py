"""The vertical autoscaler as a controller: decisions computed by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agents
from agents.baselines.vpa import Histogram, MemoryPeaks, exponential
from agents.baselines.vpa.policy import Vpa
from metaverse_env.errors import ConfigurationError
from metaverse_env.testing import check_policy
from tests.agents.views import GRAPH, LIMITS, decide, make_view

CPU = exponential(1000.0, 0.01, 1.05, 1e-4)


def fresh(**parameters: Any) -> Vpa:
    policy = Vpa(**parameters)
    policy.reset(GRAPH, 1)
    return policy


def test_raises_what_is_below_its_lower_bound_and_waits_a_minute_for_the_next() -> None:
    # One sample of 1.0 core: bucket 36, which ends at 1.016281 cores; and 15 %: 1016 + 152 = 1168 milli-cores.
    policy = fresh(confidence_s=60.0)
    low = make_view(usage=(1.0, 500.0, 20.0), allocation=(0.2, 2000.0, 400.0))
    asked = [decide(policy, low)[0] for _ in range(6)]
    assert asked == pytest.approx([0.2, 0.2, 0.2, 0.2, 1.168, 0.2])  # sure of nothing at first, then every 60 s


def test_leaves_alone_what_is_within_bounds() -> None:
    policy = fresh()
    inside = make_view(usage=(1.0, 500.0, 20.0), allocation=(2.0, 1000.0, 40.0))
    assert {tuple(decide(policy, inside)) for _ in range(40)} == {(2.0, 1000.0, 40.0)}


def test_updates_what_has_been_off_for_long() -> None:
    policy = fresh(in_bounds_s=120.0, recommend_every_s=15.0)
    inside = make_view(usage=(1.0, 500.0, 20.0), allocation=(2.0, 1000.0, 40.0))
    asked = [decide(policy, inside)[0] for _ in range(8)]
    assert asked == pytest.approx([2.0] * 7 + [1.168])


def test_a_kill_bumps_memory_by_a_fifth_of_what_the_zone_had() -> None:
    policy = fresh(recommend_every_s=15.0)
    zone: dict[str, Any] = {"usage": (0.1, 1000.0, 5.0), "allocation": (2.0, 1000.0, 40.0)}
    decide(policy, make_view(**zone))
    decide(policy, make_view(**zone, restarts=1.0))
    asked = decide(policy, make_view(**zone, restarts=2.0))[1]  # killed again, 15 s after
    needed = 1.2 * 1000.0
    assert needed * 1.15 <= asked <= needed * 1.15 * 1.06  # the margin, and the width of a bucket


def test_one_kill_does_not_raise_the_next_ones_estimate() -> None:
    histogram = Histogram(exponential(1e12, 1e7, 1.05, 1e-4), ())
    peaks = MemoryPeaks(histogram, 86_400.0)
    peaks.add(np.array(1e9), 0.0)
    for time_s in (10.0, 20.0, 30.0):
        peaks.add_kill(np.array(1e9), time_s, np.array(True))
    assert float(histogram.percentiles([1.0])[0]) == pytest.approx(1.2e9, rel=0.06)


def test_only_the_peak_of_an_interval_counts() -> None:
    histogram = Histogram(exponential(1e12, 1e7, 1.05, 1e-4), ())
    peaks = MemoryPeaks(histogram, 100.0)
    for time_s, used in ((0.0, 5e8), (10.0, 2e9), (20.0, 1e9), (110.0, 4e8)):
        peaks.add(np.array(used), time_s)
    assert float(histogram.total) == pytest.approx(2.0)
    assert float(histogram.percentiles([1.0])[0]) == pytest.approx(2e9, rel=0.06)
    assert float(histogram.percentiles([0.4])[0]) == pytest.approx(4e8, rel=0.06)


def test_is_a_policy() -> None:
    check_policy(agents.load("vpa"))


def test_refuses_impossible_parameters() -> None:
    with pytest.raises(ConfigurationError, match="half_life_s"):
        Vpa(half_life_s=0.0)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=20), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_percentile_grows_with_its_share_and_covers_its_samples(samples: list[float], a: float, b: float) -> None:
    histogram = Histogram(CPU)
    for sample in samples:
        histogram.add(sample, 1.0)
    low, high, top = (float(value) for value in histogram.percentiles((min(a, b), max(a, b), 1.0)))
    assert low <= high <= top
    assert max(samples) <= top <= max(0.01, 1.06 * max(samples) + 0.02)


@given(st.lists(st.tuples(st.floats(0.0, 16.0), st.floats(0.0, 6e4)), min_size=1, max_size=12))
def test_keeps_to_the_limits(usages: list[tuple[float, float]]) -> None:
    policy, size = fresh(recommend_every_s=15.0, in_bounds_s=0.0), [2.0, 1000.0, 40.0]
    for cores, memory_mb in usages:
        size = decide(policy, make_view(usage=(cores, memory_mb, 20.0), allocation=size))
        assert (np.array(size) >= LIMITS[0] * 0.999).all()
        assert (np.array(size) <= LIMITS[1] * 1.001).all()
