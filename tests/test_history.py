"""The recent past: a window that is always one view, per world cleared and rewritten."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.history import HISTORY_FEATURES, TICKS, History
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.records import TELEMETRY, WEATHER
from metaverse_env.telemetry import Telemetry
from metaverse_env.zones import ZoneGraph, build_graph

EMBEDDING = 3


@pytest.fixture(scope="module")
def graph() -> ZoneGraph:
    base = load_scenario("multi_zone")
    return build_graph(base.with_changes(layout=base.layout.model_copy(update={"zones": 2})))


def telemetry(number: float, worlds: int = 2, **fields: Any) -> Telemetry:
    """Return telemetry in which the number of users tells which tick it was."""
    zones, weather = np.zeros((worlds, 2), dtype=TELEMETRY), np.zeros(worlds, dtype=WEATHER)
    zones["users"], weather["time_s"] = number, 15.0 * number
    for name, value in fields.items():
        zones[name] = value
    return Telemetry(zones, weather, np.full((worlds, 2, EMBEDDING), -number, dtype=np.float32))


def users(history: History) -> list[float]:
    """Return what the first zone of the first world remembers."""
    return history.values[:, 0, 0, 0].tolist()


@given(ticks=st.integers(0, 40))
def test_the_window_holds_the_last_ticks_oldest_first(graph: ZoneGraph, ticks: int) -> None:
    history = History(2, graph, EMBEDDING)
    for tick in range(1, ticks + 1):
        history.append(telemetry(tick))
    remembered = list(range(max(1, ticks - TICKS + 1), ticks + 1))
    assert users(history) == [0.0] * (TICKS - len(remembered)) + remembered
    assert history.time_s[:, 1].tolist() == [15.0 * tick for tick in users(history)]
    assert history.length == len(remembered)


def test_it_is_one_view_and_never_a_copy(graph: ZoneGraph) -> None:
    history = History(2, graph, EMBEDDING)
    for tick in range(30):
        history.append(telemetry(tick))
        assert history.values.base is not None
        assert history.values.flags.c_contiguous
        assert history.values.shape == (TICKS, 2, 2, len(HISTORY_FEATURES) + EMBEDDING)


def test_every_feature_in_its_place(graph: ZoneGraph) -> None:
    history = History(2, graph, EMBEDDING)
    history.append(
        telemetry(
            7.0,
            usage=(1.0, 2.0, 3.0),
            latency_ms=4.0,
            allocation=(5.0, 6.0, 8.0),
            age_s=20.0,
            observed=1.0,
            signals=9.0,
        )
    )
    row = history.values[-1, 1, 1]
    named = dict(zip(HISTORY_FEATURES, row.tolist(), strict=False))
    assert named == {
        "users": 7.0,
        "cpu_cores": 1.0,
        "memory_mb": 2.0,
        "bandwidth_mbps": 3.0,
        "latency_ms": 4.0,
        "allocated_cpu_cores": 5.0,
        "allocated_memory_mb": 6.0,
        "allocated_bandwidth_mbps": 8.0,
        "age_s": 20.0,
        "observed": 1.0,
        "signals": 9.0,
    }
    assert row[len(HISTORY_FEATURES) :].tolist() == [-7.0] * EMBEDDING


def test_one_world_is_cleared_and_starts_anew_within_a_tick(graph: ZoneGraph) -> None:
    history = History(2, graph, EMBEDDING)
    for tick in range(1, 16):
        history.append(telemetry(tick))
    history.clear(np.array([False, True]))
    fresh = telemetry(15.0)
    fresh.zones["users"][1], fresh.weather["time_s"][1] = 99.0, 5.0
    history.rewrite(fresh)
    assert users(history) == list(range(4, 16))
    assert history.values[:, 1, 0, 0].tolist() == [0.0] * (TICKS - 1) + [99.0]
    assert history.time_s[:, 1].tolist() == [0.0] * (TICKS - 1) + [5.0]
    alone = History(1, graph, EMBEDDING)
    alone.append(Telemetry(fresh.zones[1:], fresh.weather[1:], fresh.intents[1:]))
    assert np.array_equal(history.values[:, 1], alone.values[:, 0])
    assert np.array_equal(history.time_s[:, 1], alone.time_s[:, 0])


def test_everything_can_be_forgotten(graph: ZoneGraph) -> None:
    history = History(2, graph, EMBEDDING)
    for tick in range(1, 5):
        history.append(telemetry(tick))
    history.clear()
    assert not history.values.any()
    assert not history.time_s.any()
    assert history.length == 0


def test_intents_can_be_left_out_and_the_window_chosen(graph: ZoneGraph) -> None:
    history = History(1, graph, ticks=3)
    assert history.values.shape == (3, 1, 2, len(HISTORY_FEATURES))
    assert history.graph is graph
