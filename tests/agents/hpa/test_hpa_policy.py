"""The autoscaler as a controller: decisions computed by hand, and what must hold whatever it sees."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agents
from agents.baselines.hpa.policy import Hpa
from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import load_scenario
from metaverse_env.testing import check_policy
from tests.agents.views import GRAPH, LIMITS, decide, make_view

POD = np.array([0.5, 1024.0, 100.0], dtype=np.float32)


def fresh(**parameters: Any) -> Hpa:
    policy = Hpa(**parameters)
    policy.reset(GRAPH, 1)
    return policy


def test_sizes_each_resource_in_shares_of_the_least_allocation() -> None:
    # 0.9 of 2 cores with a target of 0.5: ceil(0.9 / 0.5 x 20 shares of 0.1) = 36 shares. Memory and egress: on target.
    view = make_view(usage=(1.8, 819.2, 20.0), allocation=(2.0, 1024.0, 40.0))
    assert decide(fresh(), view) == pytest.approx([3.6, 1024.0, 40.0])


def test_has_one_number_of_whole_pods_where_pods_have_one_size() -> None:
    # 4 pods: CPU 0.9 wants ceil(1.8 x 4) = 8, memory 0.4 wants 2, egress 0.6 wants 5: 8 pods it is.
    view = make_view(usage=(1.8, 1638.4, 240.0), allocation=4 * POD, pod_size=POD)
    assert decide(fresh(), view) == pytest.approx(list(8 * POD))


def test_pods_on_their_way_count_as_idle_on_the_way_up() -> None:
    # 4 of 6 pods are ready, at 0.9: 0.9 x 4 / 6 = 0.6 of six, so ceil(1.2 x 6) = 8, not one more for the pending two.
    view = make_view(usage=(1.8, 2800.0, 150.0), allocation=4 * POD, pending=6 * POD, pod_size=POD)
    assert decide(fresh(), view) == pytest.approx(list(8 * POD))


def test_stays_where_pods_on_their_way_are_enough() -> None:
    # 0.6 of 4 wants more, but 0.6 x 4 / 8 = 0.3 of eight would want less: the direction turns, nothing is done.
    view = make_view(usage=(1.2, 2800.0, 150.0), allocation=4 * POD, pending=8 * POD, pod_size=POD)
    assert decide(fresh(), view) == pytest.approx(list(8 * POD))


def test_at_most_doubles_or_adds_four_in_a_sync() -> None:
    view = make_view(usage=(2.0, 819.2, 20.0), allocation=(2.0, 1024.0, 40.0))
    assert decide(fresh(cpu_target=0.1), view)[0] == pytest.approx(4.0)  # wants 20, 20 shares may become 40
    view = make_view(usage=(0.2, 819.2, 20.0), allocation=(0.2, 1024.0, 40.0))
    assert decide(fresh(cpu_target=0.1), view)[0] == pytest.approx(0.6)  # wants 2, 2 shares may become 6


def test_shrinks_only_when_the_window_agrees() -> None:
    policy = fresh(down_window_s=45.0)
    idle = make_view(usage=(0.5, 819.2, 20.0), allocation=(2.0, 1024.0, 40.0))
    assert [decide(policy, idle)[0] for _ in range(4)] == pytest.approx([2.0, 2.0, 2.0, 1.0])


@pytest.mark.parametrize("columns", [{"ready": 0.0}, {"observed": 0.0}, {"age_s": 61.0}])
def test_holds_what_it_cannot_see(columns: dict[str, float]) -> None:
    view = make_view(usage=(1.9, 1000.0, 39.0), allocation=(2.0, 1024.0, 40.0), **columns)
    assert decide(fresh(), view) == [2.0, 1024.0, 40.0]


def test_distrusts_the_cpu_of_a_zone_that_has_just_started() -> None:
    policy, full = fresh(), {"usage": (2.0, 1024.0, 20.0), "allocation": (2.0, 1024.0, 40.0)}
    decide(policy, make_view(**full, ready=0.0))
    young = make_view(**full, age_s=20.0)  # measured over 15 s that ended 20 s ago: not after its start
    assert [decide(policy, young)[0] for _ in range(3)] == pytest.approx([2.0, 2.0, 4.0])  # 15, 30 and 45 s old
    decide(policy, make_view(**full, ready=0.0))
    assert decide(policy, young)[1] == pytest.approx(1280.0)  # ceil(1.25 x 4 shares): memory has no start-up peak


def test_is_a_policy_in_both_kinds_of_world() -> None:
    for scaling in ("vertical", "horizontal"):
        check_policy(agents.load("hpa"), load_scenario("complex").with_changes(scaling=scaling))


@pytest.mark.parametrize("wrong", [{"cpu_target": 0.0}, {"tolerance_up": -0.1}, {"down_percent": 101.0}])
def test_refuses_impossible_parameters(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        Hpa(**wrong)


usages = st.floats(0.0, 8.0)


@given(low=usages, more=usages, allocation=st.integers(1, 80))
def test_never_asks_for_less_when_more_is_used(low: float, more: float, allocation: int) -> None:
    size = (0.1 * allocation, 1024.0, 40.0)
    asked = [
        decide(fresh(down_window_s=0.0), make_view(usage=(used, 500.0, 20.0), allocation=size))[0]
        for used in (low, low + more)
    ]
    assert asked[0] <= asked[1] + 1e-6


@given(st.lists(st.floats(0.0, 40.0), min_size=1, max_size=30), st.sampled_from([0.0, 60.0, 300.0]))
def test_keeps_to_the_limits_and_does_not_turn_within_its_window(usage: list[float], window_s: float) -> None:
    policy, size, changes = fresh(down_window_s=window_s), 2.0, []
    for tick, used in enumerate(usage):
        view = make_view(usage=(used, 819.2, 20.0), allocation=(size, 1024.0, 40.0))
        new = decide(policy, view)[0]
        assert LIMITS[0, 0] - 1e-6 <= new <= LIMITS[1, 0] + 1e-6
        changes.append((tick * 15.0, np.sign(round(new - size, 6))))
        size = new
    last_up_s = -np.inf
    for time_s, direction in changes:
        last_up_s = time_s if direction > 0 else last_up_s
        assert direction >= 0 or time_s - last_up_s >= window_s or window_s == 0.0
