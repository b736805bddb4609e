"""The planner, held against every plan there is, and against decisions computed by hand."""

import itertools
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.baselines.mpc.plan import first_level
from agents.baselines.mpc.policy import LEVELS, Mpc
from agents.baselines.mpc.surrogate import chance_short, spread
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Forecast
from tests.agents.views import GRAPH, LIMITS, decide, make_view


@given(arrays(np.float64, (3, 4), elements=st.floats(0.0, 10.0)), st.floats(0.0, 5.0))
def test_takes_the_first_step_of_the_cheapest_of_all_plans(stages: np.ndarray, change: float) -> None:
    def cost(plan: tuple[int, ...]) -> float:
        changes = sum(a != b for a, b in itertools.pairwise((0, *plan)))
        return float(sum(stages[stage, level] for stage, level in enumerate(plan)) + change * changes)

    plans = list(itertools.product(range(4), repeat=3))
    chosen = int(first_level(stages, change))
    best = min(cost(plan) for plan in plans)
    assert min(cost(plan) for plan in plans if plan[0] == chosen) == pytest.approx(best)


def test_the_surrogate_is_the_tail_of_a_log_normal() -> None:
    median, sigma = spread(np.array([2.0, 2.0 * np.exp(0.3 * 1.2815516), 9.0]), 0.05)
    assert float(sigma) == pytest.approx(0.3)
    exact = 1.0 - NormalDist(float(median), 0.3).cdf(np.log(2.5))
    assert float(chance_short(median, sigma, np.array(2.5))) == pytest.approx(exact, abs=0.01)


def forecast(median: float, p90: float) -> Forecast:
    values = np.ones((1, 1, 4, 4, 3), dtype=np.float32) * np.array([800.0, 810.0, 820.0], dtype=np.float32)
    values[..., 0, :] = median, p90, p90**2 / median
    values[..., 2, :] = 20.0, 21.0, 22.0
    return Forecast(values, (1, 4, 8, 16))


def cores(median: float, p90: float, has: float = 2.0, users: float = 100.0, **parameters: Any) -> float:
    policy = Mpc(**{"cpu_knee": 0.8, "bandwidth_knee": 0.8, **parameters})
    policy.reset(GRAPH, 1)
    zone = {"users": users, "forecast": forecast(median, p90)}
    view = make_view((1.0, 800.0, 20.0), (has, 1000.0, 40.0), **zone)
    view.telemetry.weather["price_factor"] = 1.0
    return decide(policy, view)[0]


def test_asks_for_the_level_at_which_a_little_more_costs_what_it_saves() -> None:
    asked = cores(1.0, 1.5, change_eur=0.0)
    sigma = np.log(1.5) / 1.2815516
    grid = LEVELS / 0.8
    score = np.log(grid * 0.8) / sigma
    expected = 0.04 * grid + 0.5 * 100.0 / (1.0 + np.exp(1.702 * score))
    assert asked == pytest.approx(grid[expected.argmin()])


def test_memory_in_use_is_kept_whatever_is_expected_of_it() -> None:
    policy = Mpc(memory_knee=0.9)
    view = make_view((1.0, 1800.0, 20.0), (2.0, 2500.0, 40.0), users=10.0, forecast=forecast(1.0, 1.1))
    view.telemetry.weather["price_factor"] = 10.0
    assert decide(policy, view)[1] == pytest.approx(2000.0)  # the forecast says 800 MB


def test_a_dear_change_is_not_made() -> None:
    assert cores(1.0, 1.1, has=2.0, change_eur=100.0) == pytest.approx(2.0)


def test_uncertainty_users_and_caution_ask_for_more() -> None:
    base = cores(1.0, 1.3)
    assert cores(1.0, 2.0) > base
    assert cores(1.0, 1.3, users=1000.0) >= base
    assert cores(1.0, 1.3, caution=100.0) > base


@given(st.floats(0.01, 40.0), st.floats(1.0, 3.0))
def test_keeps_to_the_limits(median: float, factor: float) -> None:
    assert LIMITS[0, 0] * 0.999 <= cores(median, median * factor) <= LIMITS[1, 0] * 1.001


def test_refuses_impossible_parameters_and_a_view_without_forecast() -> None:
    with pytest.raises(ConfigurationError, match="cpu_knee"):
        Mpc(cpu_knee=1.5)
    with pytest.raises(ConfigurationError, match="forecaster"):
        Mpc().act(make_view((1.0, 800.0, 20.0), (2.0, 1000.0, 40.0)))
