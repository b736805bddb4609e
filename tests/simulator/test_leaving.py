"""Who leaves: how many, who of them moves on and where to, and when they arrive."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.scenario import Scenario
from metaverse_env.simulator import leaving
from metaverse_env.simulator.constants import Constants, hyperexponential
from metaverse_env.simulator.records import ZONE_STATE
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick

Change = Callable[..., Scenario]
LIMIT = 4.0
PLENTY = (8.0, 8192.0, 2000.0)


def run(world: SimulatedWorld, ticks: int, allocation: Any = PLENTY) -> list[Tick]:
    world.reset(seeds=range(world.worlds))
    command = Command.of(np.broadcast_to(np.asarray(allocation), (world.worlds, len(world.zones), 3)))
    return [world.step(command) for _ in range(ticks)]


def column(ticks: list[Tick], name: str) -> np.ndarray:
    """Return one field of the outcome, ``[ticks, W, Z]``."""
    return np.array([tick.outcome.zones[name] for tick in ticks])


def test_a_traveller_arrives_after_the_time_of_the_way(scenario: Change) -> None:
    world = SimulatedWorld(scenario(layout={"zones": 2}, workload={"migration_per_h": 30.0}), 3)
    delay = int(world.zones.travel_ticks[0, 0])
    assert delay == world.zones.travel_ticks[1, 0] >= 2
    ticks = run(world, 40)
    left, came = column(ticks, "moved_out"), column(ticks, "moved_in")
    assert left.sum() > 100
    assert (came[:delay] == 0).all()
    assert (came[delay:] == left[:-delay, :, ::-1]).all()


def test_nobody_moves_where_migration_is_switched_off(scenario: Change) -> None:
    ticks = run(SimulatedWorld(scenario(workload={"migration_per_h": 0.0})), 40)
    assert column(ticks, "moved_out").sum() == 0


def test_the_share_of_users_that_move_is_the_rate(calm: Change) -> None:
    world = SimulatedWorld(calm(workload={"migration_per_h": 6.0, "mean_users_per_zone": 500.0}), 4)
    ticks = run(world, 40)
    left, hours = column(ticks, "moved_out").sum(), 15.0 / 3600.0
    expected = 6.0 * hours * column(ticks, "users").sum()
    assert abs(left - expected) < LIMIT * math.sqrt(expected)


@compiled
def send_many(index: int, count: int, zones: Any, travelling: Any, edges: Any) -> None:
    """Send users on long sessions out of a zone, in the tick that has the slot 3."""
    for number in range(count):
        leaving.send(index, 1, number, 3, zones, travelling, edges)


def test_travellers_choose_by_weight_and_attraction(constants: Constants) -> None:
    zones, movers, index = np.zeros(30, dtype=ZONE_STATE), 30_000, 7
    zones["attraction"], zones["user_key"] = 1.0 + np.arange(30) % 4, 7
    travelling, edges = np.zeros((8, 30, 2), dtype=np.int32), constants.edges[index]
    send_many(index, movers, zones, travelling, constants.edges)
    pull = edges["weight"] * zones["attraction"][edges["zone"]]
    for edge, expected in zip(edges, movers * pull / pull.sum(), strict=True):
        sent = travelling[(3 + edge["travel_ticks"]) % 8, edge["zone"], 1]
        assert abs(sent - expected) < LIMIT * math.sqrt(expected)
    assert travelling.sum() == movers


def test_a_corner_has_no_way_where_there_is_no_neighbour(constants: Constants) -> None:
    zones, travelling = np.zeros(30, dtype=ZONE_STATE), np.zeros((8, 30, 2), dtype=np.int32)
    zones["attraction"] = 1.0
    send_many(0, 1000, zones, travelling, constants.edges)
    neighbours = constants.edges[0]["zone"]
    assert (neighbours < 0).any()
    assert set(np.flatnonzero(travelling.sum(axis=(0, 2)))) == set(neighbours[neighbours >= 0])


def test_who_leaves_a_zone_without_neighbours_goes_home(scenario: Change) -> None:
    world = SimulatedWorld(scenario("single_zone", workload={"migration_per_h": 20.0}), 50)
    ticks = run(world, 5)
    assert column(ticks, "moved_out").sum() == world.state.travelling.sum() == 0
    assert column(ticks, "departures").sum() > 100


def test_many_zones_and_many_leavers_are_counted_alike(calm: Change) -> None:
    """More zones than a row holds, and zones in which more leave than are listed one by one."""
    world = SimulatedWorld(calm(layout={"zones": 70}, workload={"migration_per_h": 6.0}), 6)
    world.reset(seeds=range(6))
    users = np.resize([3, 40, 900, 5000], 70)
    world.state.zones["users"][:] = users[:, None]
    zones = world.step(Command.of(np.tile(PLENTY, (6, 70, 1)))).outcome.zones
    _, short_rate, long_rate = hyperexponential(1200.0, 3.0)
    moving = 6.0 / 3600.0
    for kind in (3, 40, 900, 5000):
        here = users == kind
        expected = sum(6 * here.sum() * kind * -math.expm1(-15.0 * (rate + moving)) for rate in (short_rate, long_rate))
        left = (zones["departures"] + zones["moved_out"])[:, here].sum()
        assert abs(left - expected) < LIMIT * math.sqrt(expected)


@pytest.mark.parametrize(
    ("latency_ms", "factor"), [(0.0, 1.0), (100.0, 1.0), (200.0, 3.0), (400.0, 5.0), (1600.0, 9.0), (9999.0, 9.0)]
)
def test_users_leave_faster_with_each_doubling_of_latency(latency_ms: float, factor: float) -> None:
    assert leaving.churn_factor(latency_ms, 100.0, 2.0) == pytest.approx(factor)


def test_bad_latency_drives_users_away(calm: Change) -> None:
    departures = []
    for churn in (0.0, 2.0):
        ticks = run(SimulatedWorld(calm(workload={"qoe_churn": churn}), 2), 60, allocation=(0.2, 8192.0, 2000.0))
        assert column(ticks, "felt_latency_ms").mean() > 800.0
        departures.append(column(ticks[2:], "departures").sum() / column(ticks[2:], "users").sum())
    assert departures[1] / departures[0] > 3.0


def test_watching_tells_where_travellers_come_from_and_changes_nothing(calm: Change) -> None:
    scenario = calm(workload={"migration_per_h": 20.0})
    plain, watched = SimulatedWorld(scenario, 2), SimulatedWorld(scenario, 2)
    watched.watch()
    watched.watch()  # nothing more
    a, b = run(plain, 12), run(watched, 12)
    for one, other in zip(a, b, strict=True):
        assert one.outcome.zones.tobytes() == other.outcome.zones.tobytes()
    due = watched.state.travelling
    assert (due[..., :2] == plain.state.travelling).all()
    assert due[..., :2].sum() > 100
    # every traveller comes from exactly one neighbour
    assert (due[..., 2:].sum(axis=3) == due[..., :2].sum(axis=3)).all()


def test_the_origins_of_travellers_are_those_of_who_left(calm: Change) -> None:
    """Who set out in the last tick is due as many ticks later as the way is long; nobody else is on it so early."""
    world = SimulatedWorld(calm(workload={"migration_per_h": 20.0}))
    world.watch()
    outcome = run(world, 12)[-1].outcome.zones[0]
    graph, due, tick = world.zones, world.state.travelling[0], int(world.state.worlds["tick"][0])
    left = np.zeros(len(graph))
    for goal, way in zip(*np.nonzero(graph.neighbours >= 0), strict=True):
        slot = (tick + graph.travel_ticks[goal, way]) % len(due)
        left[graph.neighbours[goal, way]] += due[slot, goal, 2 + way]
    assert left.sum() > 30
    assert (left == outcome["moved_out"]).all()


def test_watching_from_now_on_knows_nothing_of_who_is_on_the_way(calm: Change) -> None:
    world = SimulatedWorld(calm(workload={"migration_per_h": 20.0}))
    run(world, 12)
    world.watch()
    due = world.state.travelling
    assert due[..., :2].sum() > 10
    assert due[..., 2:].sum() == 0
