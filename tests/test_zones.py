"""Zones and their neighbourhood: what the tables say, for grids and rings of any size."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import load_scenario
from metaverse_env.zones import NO_ZONE, ZoneGraph, build_graph


def graph(zones: int, topology: str = "grid", **layout: Any) -> ZoneGraph:
    base = load_scenario("multi_zone")
    changed = base.layout.model_copy(update={"zones": zones, "topology": topology, **layout})
    return build_graph(base.with_changes(layout=changed))


def neighbours(built: ZoneGraph) -> list[list[int]]:
    return [[int(other) for other in row if other != NO_ZONE] for row in built.neighbours]


def test_a_grid_of_six() -> None:
    # 0 1 2
    # 3 4 5
    assert neighbours(graph(6)) == [[1, 3], [0, 2, 4], [1, 5], [0, 4], [1, 3, 5], [2, 4]]


def test_a_grid_that_is_not_full() -> None:
    # 0 1 2
    # 3 4
    assert neighbours(graph(5)) == [[1, 3], [0, 2, 4], [1], [0, 4], [1, 3]]


@pytest.mark.parametrize(
    ("zones", "expected"),
    [(1, [[]]), (2, [[1], [0]]), (3, [[1, 2], [0, 2], [0, 1]]), (4, [[1, 3], [0, 2], [1, 3], [0, 2]])],
)
def test_rings(zones: int, expected: list[list[int]]) -> None:
    assert neighbours(graph(zones, "ring")) == expected


@settings(max_examples=40, deadline=None)
@given(zones=st.integers(1, 150), topology=st.sampled_from(["grid", "ring"]), per_node=st.integers(1, 9))
def test_every_graph_is_a_neighbourhood(zones: int, topology: str, per_node: int) -> None:
    built = graph(zones, topology, zones_per_node=per_node)
    lists = neighbours(built)
    assert len(built) == len(set(built.names)) == zones
    for zone, others in enumerate(lists):
        assert zone not in others
        assert len(set(others)) == len(others)
        assert all(zone in lists[other] for other in others)
    present = built.neighbours != NO_ZONE
    assert built.weights.sum(axis=1) == pytest.approx(np.array([float(bool(others)) for others in lists]), abs=1e-5)
    assert (built.weights[~present] == 0.0).all()
    assert (built.extra_rtt_ms[~present] == 0.0).all()
    assert ((built.extra_rtt_ms[present] >= 5.0) & (built.extra_rtt_ms[present] <= 15.0)).all()
    assert ((built.travel_ticks[present] >= 2) & (built.travel_ticks[present] <= 5)).all()
    assert built.node.tolist() == [zone // per_node for zone in range(zones)]
    assert built.nodes == -(-zones // per_node)
    assert ((built.position >= 0.0) & (built.position <= 1.0)).all()
    assert len(np.unique(built.position, axis=0)) == zones
    assert connected(lists)


def connected(lists: list[list[int]]) -> bool:
    reached, frontier = {0}, [0]
    while frontier:
        frontier = [other for other in lists[frontier.pop()] if other not in reached] + frontier
        reached.update(frontier)
    return len(reached) == len(lists)


def test_the_same_scenario_gives_the_same_graph_and_another_seed_another() -> None:
    one, two, other = graph(30), graph(30), graph(30, seed=1)
    assert np.array_equal(one.weights, two.weights)
    assert not np.array_equal(one.weights, other.weights)
    assert np.array_equal(one.neighbours, other.neighbours)


def test_edges_are_in_the_order_of_torch_geometric() -> None:
    built = graph(5)
    assert built.edge_index.dtype == np.int64
    assert built.edge_index.T.tolist() == [
        [1, 0], [3, 0], [0, 1], [2, 1], [4, 1], [1, 2], [0, 3], [4, 3], [1, 4], [3, 4],
    ]  # fmt: skip
    assert built.edge_weight.shape == (10,)
    received = np.zeros(5)
    np.add.at(received, built.edge_index[1], built.edge_weight)
    assert received == pytest.approx(np.ones(5))


def test_zones_are_found_by_name() -> None:
    built = graph(3, names=("plaza", "arena", "market"))
    assert [built.index(name) for name in ("market", "plaza")] == [2, 0]
    with pytest.raises(ConfigurationError, match="no zone 'zone-1'; the zones are plaza, arena, market"):
        built.index("zone-1")
    with pytest.raises(ConfigurationError, match="zone-8, …"):
        graph(9).index("nowhere")


def test_ten_thousand_zones_take_a_narrow_table() -> None:
    built = graph(10_000)
    assert built.neighbours.shape == (10_000, 4)
    assert built.edge_index.shape[1] > 39_000
