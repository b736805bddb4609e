"""What a server remembers: ticks that pass, zones that come, are silent and are forgotten; a fake clock, no sockets."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metaverse_env.history import HISTORY_FEATURES, TICKS
from metaverse_env.scenario import load_scenario
from metaverse_env.zones import NO_ZONE, build_graph
from predictors.server.graphs import NO_ZONES, joined, neighbour_names
from predictors.server.live import FullError, LiveZones, steady_clock
from predictors.server.observing import past, time_of_week_s
from predictors.server.requests import Allocation, Observation, Usage

TICK_S = 15.0
COLUMN = {name: index for index, name in enumerate(HISTORY_FEATURES)}
GRAPH = build_graph(load_scenario("multi_zone"))


class Clock:
    """A time that only a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000_000 * TICK_S + 1.0

    def __call__(self) -> float:
        return self.now_s

    def ticks(self, count: int) -> None:
        self.now_s += count * TICK_S


def live(clock: Clock, graph: object = NO_ZONES, most: int = 50) -> LiveZones:
    return LiveZones(graph, TICK_S, most, clock)  # type: ignore[arg-type]


def users(count: float, embedding: list[float] | None = None) -> Observation:
    return Observation(active_users=count, embedding=embedding)


def column(zones: LiveZones, name: str, feature: str, past_ticks: int = TICKS) -> list[float]:
    """Return what the history holds of a zone, oldest first."""
    zone = zones.history.graph.names.index(name)
    return zones.history.values[-past_ticks:, 0, zone, COLUMN[feature]].tolist()  # type: ignore[no-any-return]


def test_a_report_is_the_current_tick_and_the_last_one_counts() -> None:
    zones = live(Clock())
    zones.report("plaza", users(5, [1.0] * 32))
    zones.report("plaza", users(8))
    assert column(zones, "plaza", "users") == [0.0] * 11 + [8.0]
    assert column(zones, "plaza", "observed") == [0.0] * 11 + [1.0]
    assert column(zones, "plaza", "signals") == [0.0] * 12
    assert not zones.history.values[..., len(HISTORY_FEATURES) :].any()  # the intent went with the report that had it


def test_who_is_silent_is_held_grows_older_and_is_marked() -> None:
    clock = Clock()
    zones = live(clock)
    zones.report("plaza", users(5, [1.0] * 32))
    zones.report("arena", users(1))
    clock.ticks(3)
    assert zones.advance() == []
    zones.report("arena", users(2))
    assert column(zones, "plaza", "users", 4) == [5.0] * 4
    assert column(zones, "plaza", "age_s", 4) == [0.0, 15.0, 30.0, 45.0]
    assert column(zones, "plaza", "observed", 4) == [1.0, 0.0, 0.0, 0.0]
    assert column(zones, "plaza", "signals", 4) == [1.0, 0.0, 0.0, 0.0]
    assert zones.history.values[-4:, 0, 0, -1].tolist() == [1.0, 0.0, 0.0, 0.0]  # an intent is of its tick
    assert column(zones, "arena", "users", 4) == [1.0, 1.0, 1.0, 2.0]
    assert column(zones, "arena", "age_s", 4) == [0.0, 15.0, 30.0, 0.0]


def test_what_is_not_known_is_zero_and_what_is_known_is_there() -> None:
    zones = live(Clock())
    usage = Usage(cpu_cores=1.5, memory_mb=700, bandwidth_mbps=9, latency_ms=33)
    given_ = Allocation(cpu_cores=2, memory_mb=1000, bandwidth_mbps=20)
    zones.report("known", Observation(active_users=5, usage=usage, allocation=given_))
    zones.report("unknown", users(5))
    names = HISTORY_FEATURES[1:8]
    assert [column(zones, "known", name, 1)[0] for name in names] == [1.5, 700, 9, 33, 2, 1000, 20]
    assert [column(zones, "unknown", name, 1)[0] for name in names] == [0.0] * 7


def test_usage_and_allocation_that_are_left_out_are_held_and_the_age_is_that_of_the_usage() -> None:
    clock = Clock()
    zones = live(clock)
    usage = Usage(cpu_cores=1.5, memory_mb=700, bandwidth_mbps=9, latency_ms=33)
    allocated = Allocation(cpu_cores=2, memory_mb=1000, bandwidth_mbps=20)
    zones.report("plaza", Observation(active_users=5, usage=usage, allocation=allocated))
    zones.report("plaza", users(6))
    assert column(zones, "plaza", "cpu_cores", 1) == [1.5]
    for count in (7, 8):
        clock.ticks(1)
        zones.advance()
        zones.report("plaza", users(count))
    assert column(zones, "plaza", "users", 3) == [6.0, 7.0, 8.0]
    assert column(zones, "plaza", "latency_ms", 3) == [33.0] * 3
    assert column(zones, "plaza", "allocated_memory_mb", 3) == [1000.0] * 3
    assert column(zones, "plaza", "age_s", 3) == [0.0, 15.0, 30.0]
    assert column(zones, "plaza", "observed", 3) == [1.0] * 3
    zones.report("plaza", Observation(active_users=9, usage=usage.model_copy(update={"cpu_cores": 3.0})))
    assert column(zones, "plaza", "cpu_cores", 2) == [1.5, 3.0]
    assert column(zones, "plaza", "age_s", 2) == [15.0, 0.0]


def test_a_usage_as_old_as_the_history_is_unknown_again() -> None:
    clock = Clock()
    zones = live(clock)
    usage = Usage(cpu_cores=1.5, memory_mb=700, bandwidth_mbps=9, latency_ms=33)
    zones.report("plaza", Observation(active_users=5, usage=usage))
    for count in range(TICKS):
        clock.ticks(1)
        zones.advance()
        zones.report("plaza", users(count))
    assert column(zones, "plaza", "cpu_cores", 2) == [1.5, 0.0]
    assert column(zones, "plaza", "latency_ms", 2) == [33.0, 0.0]
    assert column(zones, "plaza", "age_s", 2) == [165.0, 0.0]
    assert column(zones, "plaza", "users", 2) == [10.0, 11.0]


def test_a_zone_that_joins_was_never_observed_before() -> None:
    clock = Clock()
    zones = live(clock)
    zones.report("plaza", users(5))
    clock.ticks(1)
    zones.advance()
    zones.report("arena", users(7))
    assert column(zones, "arena", "users", 2) == [0.0, 7.0]
    assert column(zones, "arena", "age_s", 2) == [0.0, 0.0]
    assert column(zones, "plaza", "users", 2) == [5.0, 5.0]


@pytest.mark.parametrize("silence", [TICKS, TICKS + 1, 5 * TICKS])
def test_who_was_silent_as_long_as_the_history_reaches_is_forgotten(silence: int) -> None:
    clock = Clock()
    zones = live(clock)
    zones.report("plaza", users(5))
    clock.ticks(TICKS - 1)
    assert zones.advance() == []
    assert column(zones, "plaza", "observed") == [1.0] + [0.0] * 11
    clock.ticks(silence - TICKS + 1)
    assert zones.advance() == ["plaza"]
    assert len(zones) == 0
    zones.report("plaza", users(6))
    assert column(zones, "plaza", "users") == [0.0] * 11 + [6.0]


def test_zones_of_the_scenario_stay_in_their_places_as_if_never_observed() -> None:
    clock = Clock()
    zones = live(clock, GRAPH)
    zones.report("newcomer", users(1))
    zones.report("zone-3", users(5))
    assert zones.history.graph.names == (*GRAPH.names, "newcomer")
    assert zones.forget(["zone-3", "newcomer", "nobody"]) == ["zone-3", "newcomer"]
    assert zones.history.graph.names == GRAPH.names
    assert not zones.history.values.any()
    assert zones.forget(["zone-3"]) == []


def test_forgetting_one_leaves_the_others_as_they_were() -> None:
    clock = Clock()
    zones = live(clock)
    for count, name in enumerate("abc", start=1):
        zones.report(name, users(count))
        clock.ticks(1)
        zones.advance()
    before = {name: column(zones, name, "users") for name in "ac"}
    zones.forget(["b"])
    assert {name: column(zones, name, "users") for name in "ac"} == before
    zones.report("d", users(9))
    assert zones.history.graph.names == ("a", "c", "d")
    assert column(zones, "c", "users") == before["c"]


def test_there_is_room_for_so_many() -> None:
    zones = live(Clock(), most=2)
    zones.report("a", users(1))
    zones.report("b", users(1))
    with pytest.raises(FullError):
        zones.report("c", users(1))
    zones.report("a", users(2))
    zones.forget(["a"])
    zones.report("c", users(3))
    assert zones.history.graph.names == ("b", "c")


def test_the_time_of_a_tick_is_its_end_in_the_week() -> None:
    clock = Clock()
    zones = live(clock)
    zones.report("a", users(1))
    clock.ticks(2)
    zones.advance()
    end_s = 1_000_001 * TICK_S
    expected = [time_of_week_s(end_s + tick * TICK_S) for tick in range(3)]
    assert zones.history.time_s[-3:, 0].tolist() == expected


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 50), st.booleans(), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_a_forecast_from_the_same_past_reads_the_same_history(calls: list[tuple[int, str, int, bool, bool]]) -> None:
    """What ``/forecast`` makes of a past is what reports would have left, tick by tick."""
    clock = Clock()
    zones = live(clock)
    spoken: dict[str, dict[int, Observation]] = {}
    tick = 0
    for wait, name, count, announces, measures in calls:
        clock.ticks(wait)
        tick += wait
        for gone in zones.advance():
            del spoken[gone]
        assume(tick not in spoken.get(name, {}))  # a past has one observation a tick
        said = users(count, [count / 50.0] * 32 if announces else None)
        if measures:
            said.usage = Usage(cpu_cores=count, memory_mb=count, bandwidth_mbps=count, latency_ms=count + 1)
        zones.report(name, said)
        spoken.setdefault(name, {})[tick] = said
    order = {name: spoken[name] for name in zones.history.graph.names}
    first = min(min(ticks) for ticks in order.values())
    first = max(first, tick - TICKS + 1)
    # what was said before the window is held within it; such a past cannot be told, so only others are compared
    assume(all(min(ticks) >= first for ticks in order.values()))
    told = {name: [ticks.get(then) for then in range(first, tick + 1)] for name, ticks in order.items()}
    end_s = (1_000_000 + tick + 1) * TICK_S
    again = past(joined(NO_ZONES, list(order)), told, end_s, TICK_S)
    np.testing.assert_array_equal(again.values, zones.history.values)


def test_pasts_of_different_lengths_end_together() -> None:
    graph = joined(NO_ZONES, ["long", "short"])
    history = past(graph, {"long": [users(1), None, users(3)], "short": [users(9)]}, 300.0, TICK_S)
    assert history.values[-3:, 0, :, COLUMN["users"]].tolist() == [[1.0, 0.0], [1.0, 0.0], [3.0, 9.0]]
    assert history.values[-3:, 0, :, COLUMN["age_s"]].tolist() == [[0.0, 0.0], [15.0, 0.0], [0.0, 0.0]]
    assert history.time_s[-3:, 0].tolist() == [time_of_week_s(then) for then in (270.0, 285.0, 300.0)]


def test_joined_zones_have_no_neighbours_and_leave_the_others_theirs() -> None:
    graph = joined(GRAPH, ["a", "b"])
    assert (graph.neighbours[:30] == GRAPH.neighbours).all()
    assert (graph.neighbours[30:] == NO_ZONE).all()
    assert not graph.weights[30:].any()
    assert len(graph) == len(graph.position) == len(graph.node) == 32
    assert neighbour_names(graph, 31) == []
    assert neighbour_names(graph, 0) == [GRAPH.names[zone] for zone in GRAPH.neighbours[0] if zone != NO_ZONE]


def test_the_clock_goes_on_from_the_systems() -> None:
    clock = steady_clock()
    first, second = clock(), clock()
    assert 0.0 <= second - first < 1.0
    assert first > 1.7e9
