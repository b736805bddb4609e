"""The scaler on users, held against decisions computed by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agents
from agents.baselines.keda import Keda
from metaverse_env.errors import ConfigurationError
from metaverse_env.testing import check_policy
from tests.agents.views import GRAPH, LIMITS, decide, make_view

POD = np.array([0.5, 1024.0, 100.0])
SIX: dict[str, Any] = {"usage": (1.0, 3000.0, 300.0), "allocation": 6 * POD, "pod_size": POD}


def fresh(**parameters: Any) -> Keda:
    policy = Keda(**{"users_per_replica": 10.0, "polling_s": 15.0, "least_replicas": 2.0, **parameters})
    policy.reset(GRAPH, 1)
    return policy


def pods(policy: Keda, *views: dict[str, float]) -> list[float]:
    """Return the pods after each view, of a zone that starts with six and gets what is asked for."""
    size, asked = np.array(SIX["allocation"]), []
    for columns in views:
        size = np.array(decide(policy, make_view(**{**SIX, "allocation": size, **columns})))
        asked.append(float(size[0]) / 0.5)
    return asked


def of(*users: float) -> list[dict[str, float]]:
    return [{"users": count} for count in users]


def test_gives_a_replica_to_so_many_users() -> None:
    assert pods(fresh(), *of(71.0)) == pytest.approx([8.0])  # ceil(71 / 10)
    assert pods(fresh(), *of(65.0)) == pytest.approx([6.0])  # 65 / 60 is within a tenth


def test_shrinks_when_the_window_agrees_and_never_below_the_least() -> None:
    assert pods(fresh(down_window_s=45.0), *of(1.0, 1.0, 1.0, 1.0)) == pytest.approx([6.0, 6.0, 6.0, 2.0])


def test_looks_only_when_it_polls() -> None:
    assert pods(fresh(polling_s=45.0), *of(60.0, 99.0, 99.0, 99.0)) == pytest.approx([6.0, 6.0, 6.0, 10.0])


def test_falls_back_only_after_more_failed_polls_than_the_threshold() -> None:
    policy, failed = fresh(failure_threshold=2.0, fallback_replicas=9.0), {"observed": 0.0}
    asked = pods(policy, {"users": 60.0}, failed, failed, failed, failed, {"users": 120.0})
    assert asked == pytest.approx([6.0, 6.0, 6.0, 9.0, 9.0, 12.0])


def test_an_empty_zone_goes_idle_after_the_cooldown_and_comes_back() -> None:
    policy = fresh(cooldown_s=60.0, down_window_s=0.0, idle_replicas=1.0)
    asked = pods(policy, *of(60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 60.0))
    assert asked == pytest.approx([6.0, 2.0, 2.0, 2.0, 2.0, 1.0, 5.0, 6.0])  # up by four in 15 s


def test_sizes_a_replica_by_its_parameters_where_there_are_no_pods() -> None:
    policy = fresh(replica_cpu_cores=0.2, replica_memory_mb=300.0, replica_bandwidth_mbps=40.0)
    view = make_view(usage=(0.5, 800.0, 50.0), allocation=(1.0, 1500.0, 200.0), users=80.0)
    assert decide(policy, view) == pytest.approx([1.6, 2400.0, 320.0])


def test_is_a_policy_that_refuses_impossible_parameters() -> None:
    check_policy(agents.load("keda"))
    with pytest.raises(ConfigurationError, match="users_per_replica"):
        Keda(users_per_replica=0.0)


@given(st.lists(st.floats(0.0, 5000.0), min_size=1, max_size=20))
def test_keeps_to_the_limits_and_grows_with_users(users: list[float]) -> None:
    policy = fresh()
    for count in users:
        asked = decide(policy, make_view(**{**SIX, "users": count}))
        assert (np.array(asked) <= LIMITS[1] * 1.001).all()
    few, many = (pods(fresh(down_window_s=0.0), *of(count)) for count in (min(users), max(users)))
    assert few <= many
