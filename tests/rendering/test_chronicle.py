"""What is remembered: curves, the past of zones, and what happened, told once and forgotten in time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from metaverse_env.rendering.around import Flow, NodeSnapshot
from metaverse_env.rendering.chronicle import COLUMNS, MOST_EVENTS, ROWS, Trail
from metaverse_env.rendering.snapshot import ZoneSnapshot
from metaverse_env.reward import Reward
from metaverse_env.simulator.records import REWARD, WORLD_REWARD

MakeZone = Callable[..., ZoneSnapshot]
NODE = NodeSnapshot("node-1", (0,), (0.5, 0.5, 0.5))


def seen(trail: Trail, *zones: ZoneSnapshot, node: NodeSnapshot = NODE, flows: tuple[Flow, ...] = ()) -> Trail:
    """Return the trail after another tick in which these zones were seen."""
    after = trail.extended(None)
    return after.seeing(zones, (node,), flows, 15.0 * after.tick)


def reward(cost: float) -> Reward:
    worlds = np.zeros(1, dtype=WORLD_REWARD)
    worlds["resource_eur_per_h"], worlds["reward"] = cost, -cost
    return Reward(np.zeros((1, 1), dtype=REWARD), worlds)


def test_a_reward_extends_the_curves_and_a_tick_without_one_does_not() -> None:
    trail = Trail().extended(reward(2.0)).extended(reward(3.0)).extended(None)
    assert (trail.costs, trail.rewards, trail.tick) == ((2.0, 3.0), (-2.0, -3.0), 3)


def test_users_of_all_zones_are_remembered_tick_by_tick(zone: MakeZone) -> None:
    trail = seen(seen(Trail(), zone(users=3.0), zone(users=4.0)), zone(users=5.0), zone(users=6.0))
    assert trail.users == (7.0, 11.0)


def test_what_is_seen_twice_is_remembered_once(zone: MakeZone) -> None:
    once = seen(seen(Trail(), zone()), zone(down=True))
    assert [event.text for event in once.events] == ["is down"]
    assert once.seeing((zone(),), (NODE,), (), 30.0) is once


def test_the_first_sight_of_a_world_is_no_news(zone: MakeZone) -> None:
    assert seen(Trail(), zone(down=True, change=(2.0, 1.0, 1.0), announced="game")).events == ()


def test_what_is_new_is_told(zone: MakeZone) -> None:
    quiet = seen(Trail(), zone())
    for changes, kind, text in (
        ({"down": True}, "down", "is down"),
        ({"down": True, "out_of_memory": True}, "oom", "is out of memory and restarts"),
        ({"crowd": 1.6}, "crowd", "draws a crowd: arrivals grow"),
        ({"crowd_comes": True}, "crowd", "draws a crowd: arrivals grow"),
        ({"handover": 0.25}, "handover", "hands over 25 % of arrivals"),
        ({"change": (1.2, 1.0, 4.0)}, "more", "gets CPU +20 %, network ×4"),
        ({"change": (1.0, 0.8, 1.0)}, "less", "gives back memory −20 %"),
        ({"announced": "concert"}, "announced", "announces concert"),
    ):
        news = seen(quiet, zone(**changes)).events
        assert [(event.kind, event.zone, event.text, event.tick) for event in news] == [(kind, 0, text, 2)]
        if kind not in ("oom", "more", "less"):  # what goes on is not told again
            assert seen(seen(quiet, zone(**changes)), zone(**changes)).events == news


def test_the_end_of_trouble_is_told_too(zone: MakeZone) -> None:
    ill = seen(Trail(), zone(down=True), node=replace(NODE, lost=True))
    well = seen(ill, zone())
    assert [(event.kind, event.node, event.zone) for event in well.events] == [("node_back", 0, -1), ("up", -1, 0)]


def test_nodes_make_news(zone: MakeZone) -> None:
    quiet = seen(Trail(), zone())
    assert seen(quiet, zone(), node=replace(NODE, lost=True)).events[0].text == "is lost"
    assert seen(quiet, zone(), node=replace(NODE, slow_ms=40.0)).events[0].text == "has a slow network, +40 ms"


def test_news_stays_for_four_ticks(zone: MakeZone) -> None:
    trail = seen(seen(Trail(), zone()), zone(down=True))
    shown = []
    for _ in range(5):
        shown.append(len(trail.recent()))
        trail = seen(trail, zone(down=True))
    assert shown == [1, 1, 1, 1, 0]
    assert len(trail.events) == 1


def test_memory_has_an_end(zone: MakeZone) -> None:
    trail = Trail()
    for tick in range(MOST_EVENTS + 20):
        trail = seen(trail, zone(users=float(tick), change=(2.0, 1.0, 1.0)))
    assert len(trail.events) == MOST_EVENTS
    assert len(trail.rows) == ROWS
    assert trail.rows[-1].values[0, COLUMNS.index("users")] == MOST_EVENTS + 19
    assert trail.most_users == trail.most_in_all == MOST_EVENTS + 19


def test_who_was_a_tick_from_arriving_has_arrived(zone: MakeZone) -> None:
    near, far = Flow(0, 1, 4, 1, 3), Flow(1, 0, 4, 2, 5)
    trail = seen(Trail(), zone(), flows=(near, far))
    after = seen(trail, zone(), flows=(far._replace(ahead_ticks=1),))
    assert after.landed == (near._replace(ahead_ticks=0),)
    missed = trail.extended(None).extended(None).seeing((zone(),), (NODE,), (), 45.0)
    assert missed.landed == ()  # a tick was not seen: nobody knows who arrived in which
