"""Provisioning for a forecast, held against decisions computed by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.baselines.believing import quantile_of, within_lead
from agents.baselines.forecast import ForecastDriven
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Forecast
from tests.agents.views import GRAPH, LIMITS, decide, make_view


def forecast(*medians: float, spread: float = 1.0) -> Forecast:
    """Return a forecast of CPU at ticks 1, 4, 8, …; quantiles are the median, and twice and three times ``spread`` it."""
    values = np.zeros((1, 1, len(medians), 4, 3), dtype=np.float32)
    values[..., 1, :], values[..., 2, :] = 800.0, 20.0
    for place, median in enumerate(medians):
        values[0, 0, place, 0] = np.array([1.0, spread, spread**2]) * median
    return Forecast(values, (1, 4, 8, 16)[: len(medians)])


def fresh(**parameters: Any) -> ForecastDriven:
    targets = {"cpu_target": 0.5, "memory_target": 0.8, "bandwidth_target": 0.5, "quantile": 0.9}
    policy = ForecastDriven(**{**targets, "lead_s": 60.0, "window_s": 30.0, **parameters})
    policy.reset(GRAPH, 1)
    return policy


def cores(policy: ForecastDriven, belief: Forecast, used: float = 1.0, has: float = 2.0, **columns: Any) -> float:
    return decide(policy, make_view((used, 800.0, 20.0), (has, 1000.0, 40.0), forecast=belief, **columns))[0]


def test_covers_the_highest_quantile_within_the_lead() -> None:
    belief = forecast(1.0, 1.2, 9.0, spread=1.5)  # ticks 1 and 4 lie within 60 s
    assert cores(fresh(), belief) == pytest.approx(1.2 * 1.5 / 0.5)
    assert cores(fresh(quantile=0.5), belief) == pytest.approx(1.2 / 0.5)


def test_covers_what_is_used_whatever_is_believed() -> None:
    assert cores(fresh(), forecast(0.1, 0.1), used=1.5) == pytest.approx(3.0)


def test_shrinks_when_the_window_agrees() -> None:
    policy, low = fresh(), forecast(0.5, 0.5)
    assert [cores(policy, low, used=0.5) for _ in range(3)] == pytest.approx([2.0, 2.0, 1.0])


def test_without_metrics_it_grows_by_its_belief_and_never_shrinks() -> None:
    assert cores(fresh(window_s=0.0), forecast(3.0), observed=0.0) == pytest.approx(6.0)
    assert cores(fresh(window_s=0.0), forecast(0.1), observed=0.0) == pytest.approx(2.0)


def test_says_that_it_needs_a_forecast() -> None:
    with pytest.raises(ConfigurationError, match="forecaster"):
        fresh().act(make_view((1.0, 800.0, 20.0), (2.0, 1000.0, 40.0)))


def test_a_quantile_between_two_is_linear_in_the_normal_score() -> None:
    values = np.array([10.0, 20.0, 30.0])
    scores = {0.5: 0.0, 0.9: 1.2815516, 0.99: 2.3263479}
    assert float(quantile_of(values, 0.8)) == pytest.approx(10.0 + 10.0 * 0.8416212 / scores[0.9])
    share = (1.6448536 - scores[0.9]) / (scores[0.99] - scores[0.9])
    assert float(quantile_of(values, 0.95)) == pytest.approx(20.0 + 10.0 * share)


def test_a_lead_holds_at_least_the_first_tick() -> None:
    assert within_lead(forecast(1.0, 1.0, 1.0), 0.0, 15.0) == slice(0, 1)
    assert within_lead(forecast(1.0, 1.0, 1.0), 120.0, 15.0) == slice(0, 3)


@given(st.floats(0.01, 50.0), st.floats(1.0, 3.0), st.floats(0.5, 0.98), st.floats(0.0, 0.01))
def test_asks_for_more_when_it_expects_more_and_keeps_to_the_limits(
    median: float, spread: float, quantile: float, more: float
) -> None:
    less, greater = (
        cores(fresh(quantile=share, window_s=0.0, dead_band=0.0), forecast(median, spread=spread))
        for share in (quantile, quantile + more)
    )
    assert LIMITS[0, 0] * 0.999 <= less <= greater * 1.0001 <= LIMITS[1, 0] * 1.001
