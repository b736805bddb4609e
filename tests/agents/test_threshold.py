"""The threshold rule, held against decisions computed by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.baselines.threshold import Threshold, recommend
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Command
from tests.agents.views import GRAPH, decide, make_view


def fresh(**parameters: Any) -> Threshold:
    policy = Threshold(**{"cpu_target": 0.5, "memory_target": 0.8, "bandwidth_target": 0.5, **parameters})
    policy.reset(GRAPH, 1)
    return policy


def test_grows_at_once_by_utilisation_over_target() -> None:
    # 0.9 of 2 cores, 900 of 1000 MB, 30 of 40 Mbps; wanted are 0.5, 0.8 and 0.5 of what is allocated.
    view = make_view(usage=(1.8, 900.0, 30.0), allocation=(2.0, 1000.0, 40.0))
    assert decide(fresh(), view) == pytest.approx([1.8 / 0.5, 900.0 / 0.8, 30.0 / 0.5])


def test_leaves_alone_what_is_within_the_tolerance() -> None:
    # 0.54, 0.75 and 0.46 are 8 %, 6 % and 8 % off their targets.
    view = make_view(usage=(1.08, 750.0, 18.4), allocation=(2.0, 1000.0, 40.0))
    assert decide(fresh(), view) == pytest.approx([2.0, 1000.0, 40.0])


def test_acts_just_outside_the_tolerance() -> None:
    view = make_view(usage=(1.12, 750.0, 18.4), allocation=(2.0, 1000.0, 40.0))
    assert decide(fresh(), view) == pytest.approx([2.24, 1000.0, 40.0])


def test_recommends_from_what_is_in_effect_and_keeps_what_is_pending() -> None:
    # 4 cores are on their way while 2 still serve: 0.9 of 2 wants 3.6 in all, and 4 is more than that.
    view = make_view(usage=(1.8, 750.0, 18.4), allocation=(2.0, 1000.0, 40.0), pending=(4.0, 1000.0, 40.0))
    assert decide(fresh(), view) == pytest.approx([4.0, 1000.0, 40.0])


def test_shrinks_only_to_the_highest_wish_of_the_window() -> None:
    policy = fresh(stabilisation_s=60.0)  # four ticks back and this one
    cores: list[float] = []
    for usage in (0.95, 0.6, 0.4, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3):
        pending = cores[-1] if cores else 2.0
        view = make_view(usage=(usage, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0), pending=(pending, 1000.0, 40.0))
        cores.append(decide(policy, view)[0])
    # Wishes are usage / 0.5: 1.9 (0.95 of 2 cores is within 10 %: stays 2), 1.2, .8, 1, .6 ... The first 2.0 and the 2.0
    # that were there before count until they are more than 60 s old; then 1.2, twice 1.0, and so on.
    assert cores == pytest.approx([2.0, 2.0, 2.0, 2.0, 2.0, 1.2, 1.0, 1.0, 0.6, 0.6])


def test_window_is_300_s_by_default() -> None:
    policy = fresh()
    held = [decide(policy, make_view(usage=(0.2, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0)))[0] for _ in range(22)]
    # The size at the start is remembered through 20 decisions, 15 to 300 s after it.
    assert held[:20] == pytest.approx([2.0] * 20)
    assert held[20:] == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize(("tick_s", "decisions"), [(5.0, 12), (15.0, 4), (60.0, 1)])
def test_the_window_is_in_seconds_however_long_a_tick_is(tick_s: float, decisions: int) -> None:
    policy = fresh(stabilisation_s=60.0)
    idle = make_view(usage=(0.2, 100.0, 4.0), allocation=(2.0, 1000.0, 40.0), tick_s=tick_s)
    held = [decide(policy, idle)[0] == 2.0 for _ in range(decisions + 1)]
    assert held == [True] * decisions + [False]


def test_grows_again_within_the_window() -> None:
    policy = fresh()
    decide(policy, make_view(usage=(0.2, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0)))
    grown = decide(policy, make_view(usage=(1.9, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0)))
    assert grown[0] == pytest.approx(3.8)


@pytest.mark.parametrize(
    "trouble", [{"observed": 0.0}, {"age_s": 61.0}, {"ready": 0.0}], ids=["missing", "stale", "not ready"]
)
def test_holds_what_is_pending_where_nothing_is_known(trouble: dict[str, float]) -> None:
    view = make_view(usage=(1.9, 990.0, 39.0), allocation=(2.0, 1000.0, 40.0), pending=(3.0, 1200.0, 50.0), **trouble)
    assert decide(fresh(), view) == pytest.approx([3.0, 1200.0, 50.0])


def test_a_zone_that_was_down_is_not_shrunk_for_its_silence() -> None:
    policy = fresh(stabilisation_s=0.0)
    down = make_view(usage=(0.0, 0.0, 0.0), allocation=(2.0, 1000.0, 40.0), ready=0.0)
    assert decide(policy, down) == pytest.approx([2.0, 1000.0, 40.0])


def test_memory_never_falls_below_usage_times_margin() -> None:
    policy = fresh(memory_target=1.0, memory_margin=1.3, stabilisation_s=0.0)
    view = make_view(usage=(1.0, 950.0, 20.0), allocation=(2.0, 1000.0, 40.0))
    assert decide(policy, view)[1] == pytest.approx(1.3 * 950.0)


def test_keeps_to_the_limits() -> None:
    view = make_view(usage=(15.9, 32000.0, 0.1), allocation=(16.0, 32768.0, 40.0))
    policy = fresh(stabilisation_s=0.0)
    assert decide(policy, view) == pytest.approx([16.0, 32768.0, 2.0])


def test_never_hands_over() -> None:
    view = make_view(usage=(1.0, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0))
    assert not fresh().act(view).handover.any()


def test_reset_forgets_the_window() -> None:
    policy = fresh()
    decide(policy, make_view(usage=(7.0, 800.0, 20.0), allocation=(8.0, 1000.0, 40.0)))
    policy.reset(GRAPH, 1)
    low = make_view(usage=(0.2, 800.0, 20.0), allocation=(2.0, 1000.0, 40.0))
    assert decide(policy, low)[0] == pytest.approx(2.0)  # the 14 cores of before would be higher, if they were known


@pytest.mark.parametrize(
    "wrong",
    [{"cpu_target": 0.0}, {"memory_target": 1.1}, {"tolerance": -0.1}, {"memory_margin": 0.9}],
)
def test_refuses_impossible_parameters(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        Threshold(**wrong)


@given(
    utilisation=st.floats(0.0, 1.0),
    allocation=st.floats(0.1, 100.0),
    target=st.floats(0.1, 1.0),
    tolerance=st.floats(0.0, 0.5),
)
def test_a_recommendation_brings_utilisation_to_its_target_or_within_the_tolerance(
    utilisation: float, allocation: float, target: float, tolerance: float
) -> None:
    size = np.array(allocation)
    wish = float(recommend(np.array(utilisation), size, size, np.array(target), tolerance))
    used = utilisation * allocation
    assert abs(used - wish * target) <= tolerance * target * max(allocation, wish) + 1e-9


def test_decides_each_world_and_zone_for_itself() -> None:
    usage = np.array([[[1.8, 900.0, 30.0], [0.2, 100.0, 3.0]], [[1.0, 800.0, 20.0], [1.9, 950.0, 39.0]]])
    allocation = np.broadcast_to([2.0, 1000.0, 40.0], usage.shape)
    policy = fresh(stabilisation_s=0.0)
    together = policy.act(make_view(usage=usage, allocation=allocation)).allocation
    for world in range(2):
        for zone in range(2):
            policy.reset(GRAPH, 1)
            alone = policy.act(make_view(usage=usage[world, zone], allocation=(2.0, 1000.0, 40.0)))
            np.testing.assert_array_equal(alone.allocation[0, 0], together[world, zone])
    assert isinstance(policy.act(make_view(usage=usage[0, 0], allocation=(2.0, 1000.0, 40.0))), Command)
