"""How commands take effect: delays, order, whole pods, and memory that a node has or has not. All by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import actuation
from metaverse_env.simulator.records import COMMAND, ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]
BITS = np.uint64(3)
OLD, NEW = np.array([1.0, 1000.0, 100.0]), np.array([3.0, 2000.0, 200.0])
NOTHING_UNDER_WAY = -1.0
ROOM_MB = 1e6


class Zone:
    """A zone's allocation, advanced tick by tick with delays that are no longer random."""

    def __init__(self, rules: Any, blank: Any, delay_s: float, rollout: bool = False) -> None:
        self.rules, rules["resize_sigma"], rules["rollout_sigma"] = rules, 0.0, 0.0
        rules["resize_median_s"], rules["rollout_mode"] = delay_s, float(rollout)
        rules["rollout_floor_s"], rules["rollout_median_s"] = 0.0, delay_s
        self.record = blank(ZONE_STATE, current=OLD, wanted=OLD, arrival_s=NOTHING_UNDER_WAY)

    def want(self, allocation: Any) -> None:
        self.record["wanted"] = allocation

    def tick(self, memory_free_mb: float = ROOM_MB) -> np.ndarray:
        """Let a tick pass; return the allocation that it had, weighted by time."""
        effective = np.full(3, 99.0, dtype=np.float32)
        delay_s = actuation.actuation_delay_s(BITS, self.rules)
        actuation.advance_allocation(self.record, delay_s, memory_free_mb, effective, self.rules)
        return effective

    @property
    def current(self) -> np.ndarray:
        return self.record["current"]


def weighted(share: float) -> Any:
    """Return the allocation of a tick that had the new one for a share of its time."""
    return pytest.approx(OLD + share * (NEW - OLD), rel=1e-5)


def test_without_a_wish_nothing_changes(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    assert zone.tick() == weighted(0.0)
    assert zone.record["arrival_s"] == NOTHING_UNDER_WAY


def test_a_resize_within_the_tick_is_weighted_by_time(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    zone.want(NEW)
    assert zone.tick() == weighted(12.0 / 15.0)
    assert zone.current == weighted(1.0)
    assert zone.tick() == weighted(1.0)


def test_a_delay_goes_on_over_ticks(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 36.0)
    zone.want(NEW)
    assert [zone.tick() for _ in range(4)] == [weighted(0.0), weighted(0.0), weighted(9.0 / 15.0), weighted(1.0)]


def test_a_delay_of_whole_ticks_lands_at_the_start_of_the_next(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 15.0)
    zone.want(NEW)
    assert zone.tick() == weighted(0.0)
    assert zone.current == weighted(0.0)
    assert zone.tick() == weighted(1.0)


def test_a_rollout_is_finished_before_the_next_starts(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 20.0, rollout=True)
    zone.want(NEW)
    zone.tick()
    later = 2.0 * NEW
    zone.want(later)
    # Lands 5 s into the second tick; the next one starts then and lands 10 s into the third.
    assert zone.tick() == weighted(10.0 / 15.0)
    assert zone.current == weighted(1.0)
    assert zone.tick() == pytest.approx(NEW + (later - NEW) * 5.0 / 15.0, rel=1e-5)
    assert zone.current == pytest.approx(later)


def test_two_resizes_fit_into_a_tick(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 18.0)
    zone.want(NEW)
    zone.tick()
    rules["resize_median_s"] = 6.0
    zone.want(2.0 * NEW)
    # The first lands after 3 s, the second 6 s later.
    assert zone.tick() == pytest.approx((3.0 * OLD + 6.0 * NEW + 6.0 * 2.0 * NEW) / 15.0, rel=1e-5)


def test_a_wish_that_is_taken_back_while_under_way_is_undone_afterwards(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 20.0, rollout=True)
    zone.want(NEW)
    zone.tick()
    zone.want(OLD)
    for _ in range(4):
        zone.tick()
    assert zone.current == weighted(0.0)
    assert zone.record["arrival_s"] == NOTHING_UNDER_WAY


def test_a_wish_for_less_than_one_in_ten_thousand_starts_nothing(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    zone.want(OLD * (1.0 + 5e-5))
    assert zone.tick() == weighted(0.0)


def test_memory_that_the_node_does_not_have_is_refused_and_asked_for_again(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    zone.want(NEW)
    zone.tick(memory_free_mb=300.0)
    assert zone.current == pytest.approx([3.0, 1300.0, 200.0])
    zone.tick(memory_free_mb=0.0)
    assert zone.current == pytest.approx([3.0, 1300.0, 200.0])
    zone.tick(memory_free_mb=5000.0)
    assert zone.current == pytest.approx(NEW)


def test_an_overcommitted_node_takes_no_memory_back_and_gives_none(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    zone.want(NEW)
    zone.tick(memory_free_mb=-500.0)
    assert zone.current == pytest.approx([3.0, 1000.0, 200.0])


def test_less_memory_is_never_refused(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0)
    zone.want(0.5 * OLD)
    zone.tick(memory_free_mb=-500.0)
    assert zone.current == pytest.approx(0.5 * OLD)


def test_two_changes_in_a_tick_do_not_take_the_same_memory_twice(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 18.0)
    zone.want((1.0, 1400.0, 100.0))
    zone.tick()
    rules["resize_median_s"] = 6.0
    zone.want((1.0, 1900.0, 100.0))
    zone.tick(memory_free_mb=500.0)
    assert zone.current[1] == pytest.approx(1500.0)


def test_pods_for_which_the_node_has_no_memory_are_not_started(rules: Any, blank: Any) -> None:
    zone = Zone(rules, blank, 3.0, rollout=True)
    rules["horizontal"], rules["pod_size"], rules["rollout_limits_s"] = 1.0, (0.5, 1000.0, 50.0), (0.0, 90.0)
    zone.record["current"] = zone.record["wanted"] = (1.0, 2000.0, 100.0)
    zone.want((3.0, 6000.0, 300.0))
    zone.tick(memory_free_mb=2500.0)
    assert zone.current == pytest.approx([2.0, 4000.0, 200.0])


@pytest.mark.parametrize(
    ("median_s", "floor_s", "limits_s", "delay_s"),
    [(8.0, 3.0, (5.0, 90.0), 11.0), (0.5, 1.0, (5.0, 90.0), 5.0), (200.0, 3.0, (5.0, 90.0), 90.0)],
)
def test_a_rollout_takes_its_floor_and_more_within_limits(
    rules: Any, median_s: float, floor_s: float, limits_s: tuple[float, float], delay_s: float
) -> None:
    rules["rollout_mode"], rules["rollout_sigma"], rules["rollout_median_s"] = 1.0, 0.0, median_s
    rules["rollout_floor_s"], rules["rollout_limits_s"] = floor_s, limits_s
    assert actuation.actuation_delay_s(BITS, rules) == pytest.approx(delay_s)


def test_resizes_are_lognormal_about_two_seconds(rules: Any) -> None:
    draws = np.random.default_rng(0).integers(2**64 - 1, size=4000, dtype=np.uint64)
    delays_s = [actuation.actuation_delay_s(bits, rules) for bits in draws]
    logs = np.log(delays_s)
    assert np.median(logs) == pytest.approx(math.log(2.0), abs=0.04)
    assert logs.std() == pytest.approx(0.5, abs=0.03)


# Commands


def accept(rules: Any, blank: Any, allocation: Any, handover: float = 0.0) -> tuple[bool, Any]:
    zone = blank(ZONE_STATE, wanted=OLD)
    return actuation.accept(zone, blank(COMMAND, allocation=allocation, handover=handover), rules), zone


def test_a_command_becomes_the_wish_within_limits(rules: Any, blank: Any) -> None:
    rules["allocation_min"], rules["allocation_max"] = (0.5, 500.0, 10.0), (2.0, 5000.0, 400.0)
    changed, zone = accept(rules, blank, (9.0, 100.0, 300.0), 0.25)
    assert changed
    assert zone["wanted"] == pytest.approx([2.0, 500.0, 300.0])
    assert zone["handover"] == np.float32(0.25)


def test_the_same_command_changes_nothing(rules: Any, blank: Any) -> None:
    changed, _ = accept(rules, blank, OLD, 0.5)
    assert not changed


def test_a_horizontal_command_becomes_whole_pods(rules: Any, blank: Any) -> None:
    rules["horizontal"], rules["pod_size"] = 1.0, (0.5, 1024.0, 100.0)
    _, zone = accept(rules, blank, (1.1, 1000.0, 450.0))
    assert zone["wanted"] == pytest.approx([2.5, 5120.0, 500.0])
    rules["allocation_max"] = (8.0, 4100.0, 1000.0)
    _, zone = accept(rules, blank, (4.0, 1000.0, 450.0))
    assert zone["wanted"] == pytest.approx([2.0, 4096.0, 400.0])


@given(cores=st.floats(0.0, 50.0), megabytes=st.floats(0.0, 1e5), mbps=st.floats(0.0, 1e4), pods=st.integers(1, 40))
def test_replicas_are_the_least_that_suffice(cores: float, megabytes: float, mbps: float, pods: int) -> None:
    pod = np.array([0.5, 1024.0, 100.0])
    asked = np.array([cores, megabytes, mbps])
    count = actuation.replicas_for(asked, pod)
    assert count >= 1.0
    assert (count * pod >= asked - 1e-4 * pod - 1e-9).all()
    assert count == 1.0 or ((count - 1.0) * pod < asked).any()
    assert actuation.replicas_for(pods * pod, pod) == pods


def test_pods_stay_whole_in_a_world(scenario: Change) -> None:
    world = SimulatedWorld(scenario(scaling="horizontal"), 3)
    telemetry, random = world.reset(seeds=range(3)), np.random.default_rng(0)
    for _ in range(60):
        pods = telemetry.allocation / np.array([0.5, 1024.0, 100.0])
        assert pods == pytest.approx(np.round(pods), abs=1e-4)
        assert (pods == pods[..., :1]).all()
        assert pods.min() >= 1.0
        telemetry = world.step(Command.of(telemetry.allocation * random.uniform(0.5, 2.2, (3, 30, 1)))).telemetry


def test_the_wish_is_what_telemetry_calls_pending(scenario: Change) -> None:
    world = SimulatedWorld(scenario(actuation={"mode": "rollout", "rollout_limits_s": (60.0, 90.0)}))
    first = world.reset(seeds=[0])
    telemetry = world.step(Command.of(1.5 * first.allocation, 0.1)).telemetry
    assert telemetry.zones["pending"] == pytest.approx(1.5 * first.allocation, rel=1e-6)
    assert telemetry.allocation == pytest.approx(first.allocation)
    assert (telemetry.zones["handover"] == np.float32(0.1)).all()
