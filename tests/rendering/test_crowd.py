"""Dots: as many as users, where their zones are, and no one lost between two ticks."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.envs.shell import Shell
from metaverse_env.rendering.crowd import LEAST_SPACING_PX, MOST_DOTS, build_dots, crowding
from metaverse_env.rendering.dots import KINDS, NO_DOTS, Dots
from metaverse_env.rendering.layout import Layout, arrange
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.snapshot import Flow, Snapshot, Trail, ZoneSnapshot
from metaverse_env.rendering.streets import ways
from metaverse_env.rendering.walking import sampled
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.injecting import Injection
from metaverse_env.telemetry import Command
from metaverse_env.wrapping import simulated
from metaverse_env.zones import ZoneGraph

MakeZone = Callable[..., ZoneSnapshot]
MakeWorld = Callable[..., Snapshot]
MakeGraph = Callable[..., ZoneGraph]


def there(dots: Dots, phase: float) -> np.ndarray:
    """Return the places of dots that can be seen, ``[N, 2]``."""
    place, radius = dots.at(phase)
    return place[radius > 0.0]


def counted(dots: Dots, phase: float, world: Snapshot, layout: Layout) -> list[int]:
    """Return how many dots stand in each zone's crowd."""
    crowd = crowding(world, layout)
    middle = np.array([layout.middle(zone) for zone in range(len(world.zones))])
    place, radius = dots.at(phase)
    away = np.linalg.norm(place[:, None] - middle, axis=2)
    rim = np.array([crowd.radius(max(zone.users, zone.before or 0.0)) for zone in world.zones]) + 0.01
    return ((away <= rim) & (radius > 0.0)[:, None]).sum(axis=0).tolist()


@cache
def episode() -> tuple[tuple[Snapshot, ...], Layout]:
    """Return forty ticks of a small world in which much goes on."""
    base = load_scenario("multi_zone")
    users = base.workload.model_copy(update={"migration_per_h": 20.0, "mean_users_per_zone": 25.0})
    shell = Shell(base.with_changes(workload=users), dynamics="physics", forecaster="none", remember=True)
    world = simulated(shell.world)
    assert world is not None
    world.watch()
    shell.reset([3])
    shown, trail = [], Trail()
    for tick in range(40):
        if tick == 20:
            world.inject(Injection("node_failure", 1))
        allocation = np.array(shell.view.pending.allocation)
        allocation[0, 4, 1] = 300.0 if tick == 10 else 4000.0  # out of memory, once
        step = shell.command(Command.of(allocation))
        shown.append(read_shell(shell, step, trail.extended(step.reward)))
        trail = shown[-1].trail
    return tuple(shown), arrange(shell.world.zones)


def test_with_a_weight_of_one_every_zone_has_a_dot_for_each_user() -> None:
    shown, layout = episode()
    assert any(zone.out_of_memory for world in shown for zone in world.zones)
    for world in shown:
        dots = build_dots(world, layout)
        assert dots.weight == 1
        here = dots.size[:, 1] > 0.0
        walking = sum(flow.users for flow in world.flows)
        assert here.sum() == sum(zone.users for zone in world.zones) + walking
        on_the_way = (dots.kind == KINDS.index("travelling")) & (np.isclose(dots.size[:, 1], dots.size[:, 1].max()))
        assert on_the_way.sum() >= walking


def test_each_crowd_has_its_users_at_the_end_of_the_tick() -> None:
    shown, layout = episode()
    for world in shown[::5]:
        dots = build_dots(world, layout)
        streets = [flow for flow in world.flows if flow.ahead_ticks > 0]
        standing = Counter(dict(enumerate(counted(dots, 1.0, world, layout))))
        # walkers that just left or nearly arrived may stand within a rim; nobody else does
        near = Counter()
        for flow in streets:
            near[flow.source] += flow.users
            near[flow.goal] += flow.users
        for z, zone in enumerate(world.zones):
            assert zone.users <= standing[z] <= zone.users + near[z]


def test_nobody_jumps_between_two_ticks() -> None:
    """Where dots end in a tick, dots start in the next: every one but those of users whom no way accounts for."""
    shown, layout = episode()
    for world, following in pairwise(shown[8:]):
        end, start = there(build_dots(world, layout), 1.0), there(build_dots(following, layout), 0.0)
        assert len(end) == len(start)
        gap = np.abs(np.sort(end, axis=0) - np.sort(start, axis=0))
        # those who set out start at their place in the crowd; walkers at theirs on the street
        assert np.quantile(gap, 0.99) < 2.0


def test_at_the_start_of_a_tick_are_the_users_of_the_tick_before() -> None:
    shown, layout = episode()
    for world, following in pairwise(shown[8:]):
        before = [zone.users for zone in world.zones]
        assert [zone.before for zone in following.zones] == before
        dots = build_dots(following, layout)
        assert (dots.size[:, 0] > 0.0).sum() == sum(before) + sum(flow.users for flow in world.flows)


def test_who_is_on_the_way_is_drawn_on_the_way(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout = arrange(graph(2))
    flows = (Flow(0, 1, 4, 2, 3),)
    dots = build_dots(world(zone(users=0.0), zone(users=0.0), flows=flows), layout)
    assert dots.kind.tolist() == [KINDS.index("travelling")] * 3
    way = ways(layout)[0, 1]
    # 2 of 4 ticks are behind, and setting out takes one more: from 2/5 to 3/5 of the way
    for phase, share in ((0.0, 0.4), (1.0, 0.6)):
        place, _ = dots.at(phase)
        assert np.abs(place - way.at(share)).max() <= 2.5 * layout.unit


def test_arrivals_grow_from_outside_and_leavers_shrink_to_there(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    layout = arrange(graph(1))
    seen = world(zone(users=12.0, before=10.0, arrived=5.0, left=3.0))
    dots = build_dots(seen, layout)
    assert Counter(dots.kind.tolist()) == {
        KINDS.index("here"): 7,
        KINDS.index("arriving"): 5,
        KINDS.index("leaving"): 3,
    }
    assert (len(there(dots, 0.0)), len(there(dots, 0.5)), len(there(dots, 1.0))) == (10, 15, 12)
    middle = np.array(layout.middle(0))
    place_0, place_1 = dots.at(0.0)[0], dots.at(1.0)[0]
    coming, going = dots.kind == KINDS.index("arriving"), dots.kind == KINDS.index("leaving")
    away_0, away_1 = np.linalg.norm(place_0 - middle, axis=1), np.linalg.norm(place_1 - middle, axis=1)
    assert (away_0[coming] > away_1[coming]).all()
    assert (away_0[going] < away_1[going]).all()


def test_without_the_layer_movers_come_and_go_as_others(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout = arrange(graph(2))
    seen = world(zone(users=3.0, before=5.0, moved_out=2.0), zone(users=2.0, before=2.0), flows=(Flow(0, 1, 4, 4, 2),))
    kinds = [Counter(build_dots(seen, layout, travellers).kind.tolist()) for travellers in (True, False)]
    assert kinds[0] == {KINDS.index("here"): 5, KINDS.index("travelling"): 2}
    assert kinds[1] == {KINDS.index("here"): 5, KINDS.index("leaving"): 2}


@given(st.lists(st.floats(0.0, 1e5), min_size=1, max_size=30))
def test_any_number_of_users_is_drawn_by_few_dots(counts: list[float]) -> None:
    zones = [ZoneSnapshot(f"z{n}", round(users), 50.0, *((1.0, 1.0, 1.0),) * 3) for n, users in enumerate(counts)]
    seen = Snapshot("tiny", "", 0.0, 15.0, 100.0, (), tuple(zones), None, Trail())
    layout = arrange(_grid(len(counts)))
    crowd, dots = crowding(seen, layout), build_dots(seen, layout)
    assert len(dots) <= MOST_DOTS + len(counts)
    assert len(dots) == sum(crowd.dots(zone.users) for zone in zones)
    for zone in zones:
        assert abs(crowd.dots(zone.users) * crowd.weight - zone.users) <= max(crowd.weight / 2, crowd.weight - 1)
        assert (crowd.dots(zone.users) == 0) == (zone.users == 0)
        assert crowd.radius(zone.users) <= layout.radius + 2.0 * crowd.spacing
    assert str(crowd.weight).rstrip("0") in ("1", "2", "5")
    assert np.isfinite(dots.end).all()


@cache
def _grid(zones: int) -> ZoneGraph:
    from metaverse_env.scenario.root import LayoutSpec
    from metaverse_env.zones import build_graph

    return build_graph(load_scenario("multi_zone").with_changes(layout=LayoutSpec(zones=zones)))


def test_a_hundred_thousand_users_are_a_crowd_and_nobody_is_none(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    layout = arrange(graph(1))
    full = build_dots(world(zone(users=100_000.0)), layout)
    assert (full.weight, len(full)) == (50, 2000)
    assert len(build_dots(world(zone(users=0.0)), layout)) == 0


def test_dots_are_never_denser_than_can_be_seen(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    for zones in (1, 30, 300):
        seen = world(*(zone(users=float(100 * n)) for n in range(zones)))
        assert crowding(seen, arrange(graph(zones))).spacing >= 0.9 * LEAST_SPACING_PX


@pytest.mark.parametrize("weight", [1, 10, 50])
def test_walkers_who_left_together_are_as_many_all_the_way(weight: int) -> None:
    for users in (1, 7, 60):
        on_the_way = [sampled(Flow(3, 4, 5, ahead, users), weight, 20 + 5 - ahead) for ahead in range(5, -1, -1)]
        assert len(set(on_the_way)) == 1


def test_walkers_are_sampled_without_a_bias() -> None:
    drawn = [sampled(Flow(a, b, 5, 5, 3), 10, t) for a in range(10) for b in range(10) for t in range(100)]
    assert abs(np.mean(drawn) - 0.3) < 0.01


def test_points_show_no_dots(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    assert build_dots(world(*(zone() for _ in range(1500))), arrange(graph(1500))) is NO_DOTS
