"""Golden scenes: what the pictures of tiny worlds say, word by word and shape by shape; and that nothing collides."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import dist, sqrt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaverse_env.rendering.around import NodeSnapshot, Served
from metaverse_env.rendering.cards import Subject, draw_card, draw_frame
from metaverse_env.rendering.causes import cause
from metaverse_env.rendering.chronicle import Event
from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.designs import CARDS, Level
from metaverse_env.rendering.header import clock, doing, suffering
from metaverse_env.rendering.interface import CONTROLS, LAYERS, UNTOUCHED, Interface, Message
from metaverse_env.rendering.layout import arrange
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import Circle, Hit, Line, Polygon, Rectangle, Scene, Shape, Text
from metaverse_env.rendering.snapshot import Snapshot, Trail, Wish, ZoneSnapshot
from metaverse_env.rendering.spark import kept
from metaverse_env.rendering.streets import ways
from metaverse_env.rendering.walking import Crowding
from metaverse_env.rendering.wire import scene_to_json
from metaverse_env.zones import ZoneGraph

MakeZone = Callable[..., ZoneSnapshot]
MakeWorld = Callable[..., Snapshot]
MakeGraph = Callable[..., ZoneGraph]

EVERYTHING = {
    "name": "a-zone-with-a-name-that-nobody-would-ever-choose",
    "users": 123_456.0,
    "latency_ms": 12_345.0,
    "usage": (15.99, 32_767.0, 3999.9),
    "allocation": (16.0, 32_768.0, 4000.0),
    "pending": (25.6, 20_000.0, 6000.0),
    "change": (1.6, 0.7, 1.2),
    "handover": 0.5,
    "stale_s": 195.0,
    "kills": 12,
    "activity": "hackathon",
    "announced": "international championship",
    "latency_ahead_ms": ((12_000.0, 14_000.0),) * 4,
    "cpu_ahead_cores": ((16.0, 30.0),) * 4,
}
"""A zone about which there is as much to say as can be."""


def card(world: Snapshot, level: Level, scale: float = 1.0, interface: Interface = UNTOUCHED) -> list[Shape]:
    """Return the shapes of the first zone's card, at the origin."""
    shapes: list[Shape] = []
    zone = world.zones[0]
    severity, crowd = zone.severity(world.objective_ms), Crowding(1, 3.9)
    past = (40.0, 60.0, zone.latency_ms)
    subject = Subject(0, zone, world, interface, severity, crowd, past, world.trail.recent())
    draw_frame(Pen(shapes, scale=scale), subject, level)
    draw_card(Pen(shapes, scale=scale), subject, level)
    return shapes


def nodes(zones: int) -> tuple[NodeSnapshot, ...]:
    """Return nodes of five zones each, as graphs have them, every other one lost."""
    return tuple(
        NodeSnapshot(f"node-{n + 1}", (), (0.5, 0.6, 0.99), (0.2,) * 3, (16.0, 3e4, 1e3), n % 2 == 1, 30.0, 0.1)
        for n in range(-(-zones // 5))
    )


MESSAGES = tuple(
    Message(3600.0 + n, kind, "zone-17 CPU 1.00 → 1.50 cores; and 12 more" * 3, n % 2 == 0)
    for n, kind in enumerate(("simulated", "dry-run", "real", "server", "note"))
)


def said(shapes: list[Shape]) -> list[str]:
    return [shape.text for shape in shapes if isinstance(shape, Text)]


# --- one card ---------------------------------------------------------------------------------------------------------


def test_a_quiet_zone_in_full(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(activity="trade")), "full")
    assert said(shapes) == ["zone-1", "50 ms", "25", "CPU", "MEM", "NET"]
    assert shapes[0] == Rectangle(0.0, 0.0, 200.0, 91.0, "fine_card", "line", 1.0, 5.0)
    # 25 dots, 3.9 px apart: 3.9 * (5 + 0.7), and two more
    assert Circle(44.0, 46.5, pytest.approx(24.23), "fine_card", "fine", 1.0) in shapes  # type: ignore[arg-type]


def test_a_bar_is_framed_by_the_allocation_filled_by_usage_and_marked_by_the_wish(
    zone: MakeZone, world: MakeWorld
) -> None:
    # bars are 70 px wide, which is 1.6 allocations of 43.75 px; CPU: half in use, 1.2 asked for
    shapes = card(world(zone(pending=(1.2, 1024.0, 40.0))), "full")
    frame = next(place for place, shape in enumerate(shapes) if isinstance(shape, Rectangle) and shape.fill == "held")
    assert shapes[frame : frame + 3] == [
        Rectangle(114.0, 36.75, 43.75, 5.5, "held", "muted"),
        Rectangle(114.0, 36.75, 21.875, 5.5, "in_use"),
        Rectangle(114.0 + 1.2 * 43.75 - 0.75, 35.25, 1.5, 8.5, "ink"),
    ]


@pytest.mark.parametrize(
    ("used", "stale_s", "fill"),
    [(0.79, 0.0, "in_use"), (0.8, 0.0, "near"), (0.94, 0.0, "near"), (0.95, 0.0, "over"), (0.95, 30.0, "muted")],
)
def test_a_full_bar_warns_unless_it_is_old(
    zone: MakeZone, world: MakeWorld, used: float, stale_s: float, fill: str
) -> None:
    shapes = card(world(zone(usage=(used, 1.0, 1.0), stale_s=stale_s)), "full")
    bars = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.height == 5.5]
    assert bars[1].fill == fill


def test_nothing_allocated_is_an_empty_bar(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(allocation=(0.0, 0.0, 0.0), pending=(0.0, 0.0, 0.0))), "full")
    bars = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.height == 5.5]
    assert bars[1].width == 0.0


@pytest.mark.parametrize(
    ("changes", "label", "fill", "background"),
    [
        ({"latency_ms": 80.0}, "80 ms", "fine", "fine_card"),
        ({"latency_ms": 81.0}, "81 ms", "near", "near_card"),
        ({"latency_ms": 100.0}, "100 ms", "near", "near_card"),
        ({"latency_ms": 130.0}, "130 ms", "over", "over_card"),
        ({"latency_ms": 1500.0}, "1.5 s", "over", "over_card"),
        ({"latency_ms": 2000.0, "down": True}, "DOWN", "down", "down_card"),
        ({"latency_ms": 2000.0, "down": True, "out_of_memory": True}, "OOM", "down", "down_card"),
    ],
)
def test_latency_is_told_by_number_colour_tint_and_border(
    zone: MakeZone, world: MakeWorld, changes: dict[str, object], label: str, fill: str, background: str
) -> None:
    shapes = card(world(zone(**changes)), "full")
    assert label in said(shapes)
    assert isinstance(shapes[0], Rectangle)
    assert shapes[0].fill == background
    assert shapes[0].thickness == (2.0 if fill in ("over", "down") else 1.0)
    assert Rectangle(90.0, 18.0, 60.0, 15.0, fill, corner=7.5) in shapes


def test_what_happened_is_labelled_the_most_urgent_first(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(change=(1.2, 1.0, 0.7), crowd=4.25)), "full")
    assert said(shapes)[-2:] == ["NET", "arrivals ×4.2"]  # there is no room for more
    coming = card(world(zone(crowd=1.1, crowd_comes=True)), "full")
    assert said(coming)[-1] == "crowd comes"
    assert any(isinstance(shape, Circle) and shape.edge == "less" for shape in coming)
    killed = card(world(zone(down=True, out_of_memory=True, stale_s=45.0, kills=1)), "full")
    assert said(killed)[-1:] == ["killed: out of memory"]
    kept = card(world(zone(handover=0.25, kills=2)), "full")
    assert said(kept)[-1:] == ["hands over 25 %"]


def test_what_happened_before_fades(zone: MakeZone, world: MakeWorld) -> None:
    happened = (Event(5, 0.0, "oom", 0, -1, "is out of memory"), Event(7, 0.0, "up", 0, -1, "serves again"))
    trail = Trail(tick=7, events=happened)
    now = card(world(zone(), trail=trail), "full")
    assert said(now)[-1:] == ["was killed: no memory"]
    labels = [shape for shape in now if isinstance(shape, Rectangle) and shape.height == 9.5]
    assert [(label.fill, label.edge) for label in labels] == [(None, "down/50")]
    later = card(world(zone(), trail=replace(trail, tick=8)), "full")
    assert said(later)[-1:] == ["serves again"]  # the latest alone: it is not down any more
    gone = card(world(zone(), trail=replace(trail, tick=12)), "full")
    assert said(gone)[-1:] == ["NET"]


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (1.6, "MEM +60 %"),
        (2.99, "MEM +199 %"),
        (3.0, "MEM ×3"),
        (55.19, "MEM ×55"),
        (4e5, "MEM ×100+"),
        (0.0, "MEM −100 %"),
    ],
)
def test_a_change_that_piled_up_is_told_as_a_multiple(
    zone: MakeZone, world: MakeWorld, change: float, label: str
) -> None:
    assert said(card(world(zone(change=(1.0, change, 1.0))), "full"))[-1] == label


def test_the_controllers_triangles_point_up_and_down(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(change=(1.2, 1.0, 0.7))), "full")
    up, down = (shape for shape in shapes if isinstance(shape, Polygon))
    assert (up.fill, down.fill) == ("more", "less")
    assert up.points[2] == pytest.approx((190.5, 36.3))
    assert down.points[2] == pytest.approx((190.5, 59.7))


def test_a_change_too_small_to_notice_is_not_drawn(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(change=(1.009, 0.991, 1.0))), "full")
    assert not any(isinstance(shape, Polygon) for shape in shapes)


def test_a_forecast_is_a_band_that_fades_behind_the_past(zone: MakeZone, world: MakeWorld) -> None:
    # 24 ticks of the past and 16 ahead in a box of 105 x 15.5 px at (90, 63.5): now is at 153; 200 ms is the top; a line
    # stays 1 px within its box
    seen = zone(latency_ahead_ms=((50.0, 100.0), (150.0, 400.0)))
    shapes = card(world(seen, ticks_ahead=(8, 16)), "full")
    bands = [shape for shape in shapes if isinstance(shape, Polygon)]
    assert [band.fill for band in bands] == ["over/50", "over/30"]
    assert bands[0].points == ((153.0, 75.125), (153.0, 75.125), (174.0, 71.25), (174.0, 75.125))
    assert bands[1].points == ((174.0, 75.125), (174.0, 71.25), (194.0, 64.5), (194.0, 67.375))
    past, median = (
        next(line for line in shapes if isinstance(line, Line) and line.colour == colour) for colour in ("ink", "over")
    )
    assert [y for _, y in past.points] == pytest.approx([75.9, 74.35, 75.125])
    assert [x for x, _ in past.points] == pytest.approx([147.75, 150.375, 153.0])
    assert median.points == ((153.0, 75.125), (174.0, 75.125), (194.0, 67.375))


@pytest.mark.parametrize(("p90", "colour"), [(99.0, "fine"), (101.0, "near")])
def test_a_forecast_that_may_break_the_objective_warns(
    zone: MakeZone, world: MakeWorld, p90: float, colour: str
) -> None:
    seen = zone(latency_ahead_ms=((50.0, p90),))
    bands = [shape for shape in card(world(seen, ticks_ahead=(4,)), "full") if isinstance(shape, Polygon)]
    assert bands[0].fill == f"{colour}/50"


def test_an_enlarged_card_tells_amounts(zone: MakeZone, world: MakeWorld) -> None:
    seen = zone(latency_ahead_ms=((50.0, 60.0),))
    words = said(card(world(seen, ticks_ahead=(16,)), "full", scale=2.0))
    assert {"CPU 0.50 of 1.00 cores", "Memory 512 of 1024 MB", "Network 10 of 40 Mbps"} <= set(words)
    assert words[-2:] == ["p95 latency", "expected, next 4 min"]


def test_what_is_announced_stands_ringed_behind_what_is(zone: MakeZone, world: MakeWorld) -> None:
    quiet = card(world(zone(activity="idle")), "full")
    loud = card(world(zone(activity="idle", announced="concert")), "full")
    assert Circle(190.0, 9.5, pytest.approx(7.425), None, "less", 1.0) in loud  # type: ignore[arg-type]
    dots = [shape.x for shape in quiet if isinstance(shape, Circle) and shape.fill == "muted" and shape.y == 9.5]
    assert dots == pytest.approx([186.37, 190.0, 193.63])
    moved = [shape.x for shape in loud if isinstance(shape, Circle) and shape.fill == "muted" and shape.y == 9.5]
    assert max(moved) < 175.0


def test_an_activity_that_nobody_knows_is_a_diamond(zone: MakeZone, world: MakeWorld) -> None:
    assert any(isinstance(shape, Polygon) for shape in card(world(zone(activity="yoga")), "full"))


def test_a_compact_card_keeps_name_users_latency_and_marks(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(handover=0.25, change=(1.0, 1.2, 1.0))), "compact")
    assert said(shapes) == ["zone-1", "50 ms", "25"]
    assert [shape.fill for shape in shapes if isinstance(shape, Polygon)] == ["more", "fine"]


def test_a_dot_keeps_latency_and_the_busiest_resource(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(usage=(0.5, 922.0, 10.0), change=(1.2, 1.0, 0.7), handover=0.1)), "dot")
    assert said(shapes) == ["50"]
    assert [shape.fill for shape in shapes if isinstance(shape, Polygon)] == ["more", "less", "fine"]
    whole = 28.0 / 1.6
    assert Rectangle(30.0, 14.5, whole * 922.0 / 1024.0, 4.5, "near") in shapes


def test_a_point_is_a_colour(zone: MakeZone, world: MakeWorld) -> None:
    assert card(world(zone(latency_ms=300.0)), "point") == [Rectangle(0.0, 0.0, 4.0, 2.0, "over")]


def test_the_selected_card_has_a_second_border(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone()), "full", interface=Interface(selected=0))
    assert shapes[1] == Rectangle(-2.5, -2.5, 205.0, 96.0, None, "ink", 2.0, 5.0)
    assert shapes[1] not in card(world(zone()), "full", interface=Interface(selected=1))


@pytest.mark.parametrize("scale", [0.94, 1.0, 1.5, 2.0, 4.4])
@pytest.mark.parametrize("level", ["full", "compact", "dot"])
@pytest.mark.parametrize("troubled", [{}, {"down": True}, {"down": True, "out_of_memory": True}])
def test_no_text_leaves_its_card(
    zone: MakeZone, world: MakeWorld, level: Level, scale: float, troubled: dict[str, object]
) -> None:
    design = CARDS[level]
    for shape in card(world(zone(**EVERYTHING, **troubled), ticks_ahead=(1, 4, 8, 16)), level, scale):
        if isinstance(shape, Text):
            left, top, right, bottom = shape.box
            assert left >= 0.0, shape
            assert top >= 0.0, shape
            assert right <= design.width * scale, shape
            assert bottom <= (design.card + 1.0) * scale, shape


# --- the whole picture ------------------------------------------------------------------------------------------------


def test_a_tiny_world_word_by_word(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    seen = world(
        zone(),
        zone(name="zone-2", latency_ms=130.0, change=(1.2, 1.0, 1.0)),
        nodes=(NodeSnapshot("node-1", (0, 1), (0.5, 0.25, 0.75), (0.2, 0.2, 0.2), (8.0, 16_000.0, 1000.0)),),
        trail=Trail((-1.0, -2.5), (0.0, 0.125), 100.0, events=(Event(0, 3585.0, "up", 1, -1, "serves again"),)),
    )
    scene = build_scene(seen, arrange(graph(2)))
    words = [text.text for text in scene.texts]
    assert "node-1, 8 cores: given CPU 50 MEM 25 NET 75 %" in words
    first = words.index("tiny")
    assert words[first : first + 19] == [
        "tiny",
        "Monday 01:00:00 UTC",
        "50",
        "users",
        "10.00 EUR/h",
        "2.00 resources, 8.00 lost quality",
        "12.5 %",
        "of users above 100 ms",
        "−2.50",
        "reward",
        "users",
        "EUR/h",
        "% above",
        "0 to 12.5",
        "reward",
        "−2.5 to −1",
        "1 of 2 zones suffers: zone-2 130 ms",
        "physics, no forecast",
        "Controller: more for zone-2 (CPU +20 %).",
    ]
    assert words[-3:] == [
        "00:59:45",
        "zone-2 serves again",
        "BACK",
    ]
    assert "1 dot = 1 user" in words
    assert [hit.zone for hit in scene.hits] == [0, 1]
    assert scene.hits[0][:4] == (*arrange(graph(2)).corners[0], *arrange(graph(2)).card)


def test_curves_show_the_episode(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    trail = Trail((-3.0, -1.0, -2.0), (0.0, 0.5, 0.25), 25.0, (8.0, 4.0, 4.0), users=(25.0, 50.0, 25.0))
    scene = build_scene(world(zone(), trail=trail), arrange(graph(1)))
    lines = [shape for shape in scene.shapes if isinstance(shape, Line)]
    # users, costs and violated share from 0 to their most, reward between its own limits; from 18 to 45 px
    for points, colour in (
        (((383.0, 31.5), (429.0, 18.0), (475.0, 31.5)), "here"),
        (((695.0, 18.0), (744.0, 31.5), (793.0, 31.5)), "ink"),
        (((953.0, 45.0), (1001.0, 18.0), (1049.0, 31.5)), "over"),
        (((1141.0, 45.0), (1202.0, 18.0), (1263.0, 31.5)), "fine"),
    ):
        assert Line(points, colour, 1.5) in lines
    words = [text.text for text in scene.texts]
    assert {"users", "0 to 50", "EUR/h", "0 to 8", "% above", "reward", "−3 to −1"} <= set(words)


def test_a_peak_of_the_episode_keeps_its_height_and_its_neighbours() -> None:
    values = [0.0] * 700
    values[100], values[401] = 9.0, 5.0
    for ticks in range(403, 700):
        drawn = dict(kept(tuple(values[:ticks]), ticks, 40))
        assert (drawn[100], drawn[401], drawn[ticks - 1]) == (9.0, 5.0, 0.0)
        assert len(drawn) <= 2 * 40 + 3
    # also when what is remembered begins later and later
    one, other = (dict(kept(tuple(values[first:600]), 600, 40)) for first in (50, 51))
    assert {place + 50 for place, value in one.items() if value} == {100, 401}
    assert {place + 51 for place, value in other.items() if value} == {100, 401}


def test_before_the_first_tick_there_is_no_money_and_no_curve(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    scene = build_scene(world(zone(), money=None, trail=Trail()), arrange(graph(1)))
    words = [text.text for text in scene.texts]
    assert words.count("reward") == 1  # the title of an empty curve
    assert "No zone suffers: p95 latency is at most 100 ms everywhere." in words
    assert "Controller: no change." in words


def test_the_same_snapshot_gives_the_same_scene(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    one, other = (scene_to_json(build_scene(world(zone()), arrange(graph(1)))) for _ in range(2))
    assert one == other


def test_the_ground_stays_from_tick_to_tick(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout = arrange(graph(1))
    one, other = build_scene(world(zone()), layout), build_scene(world(zone(latency_ms=300.0)), layout)
    assert one.ground is other.ground
    assert one.below != other.below


def test_another_phase_changes_nothing_but_the_phase(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout, seen = arrange(graph(1)), world(zone())
    one, other = build_scene(seen, layout, phase=0.25), build_scene(seen, layout)
    assert one.phase == 0.25
    assert one.shapes == other.shapes


def test_colours_and_sizes_are_known(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    seen = world(*(zone(**EVERYTHING) for _ in range(30)), ticks_ahead=(1, 4, 8, 16), nodes=nodes(30))
    interface = Interface(selected=2, controls=True, help=True)
    for shape in build_scene(seen, arrange(graph(30), interface=interface), interface).shapes:
        names = {getattr(shape, name, None) for name in ("fill", "edge", "colour")} - {None}
        assert names <= COLOURS.keys()


@pytest.mark.parametrize(
    ("layer", "gone"),
    [
        ("nodes", "node-1"),
        ("legend", "p95 latency up to 80 ms"),
        ("ticker", "03:00:00"),
        ("activities", "idle"),
        ("events", "CPU +20 %"),
    ],
)
def test_layers_can_be_hidden(zone: MakeZone, world: MakeWorld, graph: MakeGraph, layer: str, gone: str) -> None:
    trail = Trail(events=(Event(0, 10_800.0, "crowd", 1, -1, "draws a crowd"),))
    names = {"activities": ("idle", "game"), "nodes": nodes(2), "trail": trail}
    seen = world(zone(activity="idle", change=(1.2, 1.0, 1.0)), zone(), **names)
    for interface, there in ((Interface(), True), (Interface().toggled(layer), False)):
        words = " | ".join(
            text.text for text in build_scene(seen, arrange(graph(2), interface=interface), interface).texts
        )
        assert (gone in words.partition("Controller")[0] + words.partition(").")[2]) == there


def test_without_users_crowds_are_filled_and_no_dots_are_drawn(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    interface = Interface().toggled("users")
    scene = build_scene(world(zone()), arrange(graph(1)), interface)
    assert len(scene.dots) == 0
    assert any(isinstance(shape, Circle) and shape.fill == "fine" and shape.radius > 20.0 for shape in scene.shapes)


def test_a_hand_over_is_an_arrow_along_the_street(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout = arrange(graph(2))
    seen = world(zone(handover=0.25), zone(), served=(Served(0, 1, 0.2),))
    scene = build_scene(seen, layout)
    assert Line(ways(layout)[0, 1].points, "fine", 2.0) in scene.below
    assert (
        Line(ways(layout)[0, 1].points, "fine", 2.0)
        not in build_scene(seen, layout, Interface().toggled("flows")).below
    )


def callouts(scene: Scene) -> list[tuple[str, str | None]]:
    """Return word and colour of what stands at crowds."""
    words = [shape.text for shape in scene.above if isinstance(shape, Text)]
    return list(zip(words, [shape.fill for shape in scene.above if isinstance(shape, Rectangle)], strict=True))


def test_callouts_say_what_is_and_what_has_just_begun(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    happened = (Event(3, 0.0, "up", 0, -1, "serves again"), Event(3, 0.0, "crowd", 1, -1, "draws a crowd"))
    for tick, shade in ((3, ""), (5, "/50"), (7, None)):
        seen = world(zone(), zone(crowd=2.0), trail=Trail(tick=tick, events=happened))
        expected = [] if shade is None else [("BACK", f"fine{shade}"), ("CROWD", f"less{shade}")]
        assert callouts(build_scene(seen, arrange(graph(2)))) == expected


def test_a_callout_never_contradicts_the_zone(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    happened = (Event(3, 0.0, "down", 0, -1, "is down"), Event(3, 0.0, "oom", 1, -1, "is out of memory"))
    for changes, expected in (
        ({}, []),
        ({"down": True}, [("DOWN", "down")]),
        ({"down": True, "out_of_memory": True}, [("KILLED", "down")]),
    ):
        seen = world(zone(**changes), zone(), trail=Trail(tick=4, events=happened))
        assert callouts(build_scene(seen, arrange(graph(2)))) == expected


def test_a_callout_stands_beside_all_but_the_rim_of_a_crowd(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    layout = arrange(graph(30))
    scene = build_scene(world(*(zone(down=True) for _ in range(30))), layout)
    (x, y), radius = layout.middle(0), layout.radius
    flag = next(shape for shape in scene.above if isinstance(shape, Rectangle))
    assert dist((x, y), (flag.x + flag.width, flag.y + flag.height)) > 0.8 * radius


def test_buttons_and_layers_can_be_clicked(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    interface = Interface(controls=True)
    scene = build_scene(world(zone()), arrange(graph(1), interface=interface), interface)
    names = [hit.name for hit in scene.hits]
    assert names[0] == "zone"
    assert names[1:13] == [control.name for control in CONTROLS if control.label]
    assert names[13:] == [f"layer:{layer}" for layer in LAYERS]
    for hit in scene.hits:
        assert scene.hit(hit.x + hit.width / 2, hit.y + hit.height / 2) == hit


def test_the_panel_covers_nothing_and_can_be_closed(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    interface = Interface(selected=4)
    layout = arrange(graph(30), interface=interface)
    scene = build_scene(world(*(zone() for _ in range(30))), layout, interface)
    assert layout.panel is not None
    assert max(hit.x + hit.width for hit in scene.hits if hit.name == "zone") <= layout.panel[0]
    assert scene.hit(1262.0, layout.panel[1] + 15.0) == scene.hits[-1]
    assert scene.hits[-1].name == "unselect"
    assert scene.hit(1000.0, 400.0) == Hit(980.0, 92.0, 300.0, 552.0, "panel")


@pytest.mark.parametrize(
    ("interface", "words"),
    [
        (Interface(source="server", source_text="http://localhost:8000"), "server http://localhost:8000"),
        (
            Interface(source="server", source_text="http://x:1", state="away", state_text="refused"),
            "AWAY: server http://x:1: refused",
        ),
        (Interface(source="replay", source_text="episode.npz", state="ended"), "end of replay episode.npz"),
        (Interface(source="cluster", source_text="prod", state="waiting"), "waiting for cluster prod"),
        (Interface(paused=True), "paused"),
        (Interface(recording=True), "REC"),
        (Interface(policy="hpa"), "controller: hpa"),
        (Interface(messages=(Message(3600.0, "real", "zone-1 CPU 1.00 → 1.50 cores"),)), "REAL"),
        (Interface(messages=(Message(3600.0, "server", "zone-1", ok=False),)), "FAILED: zone-1"),
    ],
)
def test_the_session_says_what_it_is(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph, interface: Interface, words: str
) -> None:
    scene = build_scene(world(zone()), arrange(graph(1)), interface)
    assert words in [text.text for text in scene.texts]


SIZES = [(960, 540), (1280, 720), (1920, 1080), (1000, 1000)]
INTERFACES = [
    Interface(),
    Interface(controls=True, selected=0, paused=True, recording=True, policy="mpc", messages=MESSAGES),
    Interface(
        controls=True, help=True, source="server", source_text="http://localhost:8000/very/long" * 3, state="away"
    ),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("zones", [1, 3, 30, 100, 300])
@pytest.mark.parametrize("troubled", [{}, {"down": True, "out_of_memory": True}])
@pytest.mark.parametrize("interface", INTERFACES)
def test_no_text_overlaps_or_is_cut_off_even_when_everything_is_to_be_said(
    zone: MakeZone,
    world: MakeWorld,
    graph: MakeGraph,
    refuse_collisions: Callable[[Scene], None],
    zones: int,
    size: tuple[int, int],
    troubled: dict[str, object],
    interface: Interface,
) -> None:
    trail = Trail(tick=1, events=tuple(Event(1, 0.0, "crowd", z, -1, "draws a crowd") for z in range(zones)))
    everything = {"ticks_ahead": (1, 4, 8, 16), "nodes": nodes(zones), "trail": trail, "activities": ("hackathon",) * 9}
    seen = world(*(zone(**EVERYTHING, **troubled) for _ in range(zones)), **everything)
    refuse_collisions(build_scene(seen, arrange(graph(zones), size, interface), interface))


numbers = st.floats(0.0, 1e6)
names = st.text(max_size=20)
triples = st.tuples(numbers, numbers, numbers)
bands = st.just(()) | st.tuples(*(st.tuples(numbers, numbers),) * 4)
snapshots = st.builds(
    ZoneSnapshot,
    name=names,
    users=numbers,
    latency_ms=numbers,
    usage=triples,
    allocation=triples,
    pending=triples,
    change=triples,
    handover=st.floats(0.0, 1.0),
    stale_s=st.floats(0.0, 300.0),
    down=st.booleans(),
    out_of_memory=st.booleans(),
    kills=st.integers(0, 99),
    activity=names,
    announced=names,
    latency_ahead_ms=bands,
    crowd=st.floats(1.0, 99.0),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(snapshots, min_size=1, max_size=4),
    st.sampled_from([1, 5, 30, 100]),
    st.sampled_from(SIZES[1:3]),
    st.sampled_from(INTERFACES),
)
def test_no_text_overlaps_whatever_a_world_is_like(
    world: MakeWorld,
    graph: MakeGraph,
    refuse_collisions: Callable[[Scene], None],
    some: list[ZoneSnapshot],
    zones: int,
    size: tuple[int, int],
    interface: Interface,
) -> None:
    seen = world(*(some[z % len(some)] for z in range(zones)), ticks_ahead=(1, 4, 8, 16), nodes=nodes(zones))
    scene = build_scene(seen, arrange(graph(zones), size, interface), interface)
    refuse_collisions(scene)
    json.dumps(scene_to_json(scene), allow_nan=False)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("zones", [1, 3, 30, 100, 300])
@pytest.mark.parametrize("interface", [Interface(), Interface(controls=True), Interface(controls=True, help=True)])
def test_ordinary_worlds_are_told_without_cutting_a_word(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph, zones: int, size: tuple[int, int], interface: Interface
) -> None:
    usual = {"activity": "concert", "announced": "trade", "usage": (15.99, 32_000.0, 3999.0), "users": 9999.0}
    ahead = {"latency_ahead_ms": ((50.0, 60.0),) * 4, "cpu_ahead_cores": ((0.5, 0.6),) * 4}
    seen = world(
        *(
            zone(name=f"zone-{place + 1}", allocation=(16.0, 32_768.0, 4000.0), **usual, **ahead)
            for place in range(zones)
        ),
        scenario="multi_zone",
        kind="physics, persistence forecast",
        ticks_ahead=(1, 4, 8, 16),
        nodes=tuple(replace(node, lost=False, slow_ms=0.0, stolen=0.0) for node in nodes(zones)),
        activities=("idle", "social", "trade", "build", "game", "concert"),
    )
    scene = build_scene(seen, arrange(graph(zones), size, interface), interface)
    assert [text.text for text in scene.texts if "…" in text.text] == []


def test_the_legend_shows_no_forecast_where_there_is_none(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    for ticks, bands in (((), 0), ((4, 16), 2)):
        ground = build_scene(world(zone(), ticks_ahead=ticks), arrange(graph(1))).ground
        shown = [shape for shape in ground if isinstance(shape, Polygon) and shape.fill.startswith("fine/")]
        assert len(shown) == bands
        assert any("forecast" in shape.text for shape in ground if isinstance(shape, Text)) == bool(bands)


def test_a_bar_never_leaves_its_frame(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(usage=(1.5, 1.0, 1.0))), "full")
    frame, filling = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.height == 5.5][:2]
    assert (filling.width, filling.fill) == (frame.width, "over")


def test_curves_stay_in_their_boxes(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    ahead = ((900.0, 2000.0),) * 2
    seen = world(zone(latency_ms=900.0, latency_ahead_ms=ahead, cpu_ahead_cores=ahead), ticks_ahead=(4, 16))
    interface = Interface(selected=0)
    shapes = build_scene(seen, arrange(graph(1), interface=interface), interface).below
    boxes = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.fill == "paper"]
    for line in (shape for shape in shapes if isinstance(shape, Line) and shape.colour in ("over", "near", "fine")):
        left, right = min(x for x, _ in line.points), max(x for x, _ in line.points)
        top, bottom = min(y for _, y in line.points), max(y for _, y in line.points)
        assert any(
            box.x <= left and right <= box.x + box.width - 1.0 and box.y + 1.0 <= top and bottom <= box.y + box.height
            for box in boxes
        ), line


def test_the_panel_tells_its_scales_and_times(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    interface = Interface(selected=0)
    seen = world(zone(latency_ms=1500.0, latency_ahead_ms=((50.0, 60.0),)), ticks_ahead=(16,))
    words = [text.text for text in build_scene(seen, arrange(graph(1), interface=interface), interface).texts]
    assert {"30 min ago", "now", "in 4 min", "grey: given; 0 to 1.05", "0 to 26.2", "1.5 s"} <= set(words)


def test_what_was_got_is_named(zone: MakeZone, world: MakeWorld) -> None:
    for kind, what, label in (("more", "CPU NET", "got more CPU NET"), ("less", "MEM", "got less MEM")):
        trail = Trail(tick=8, events=(Event(7, 0.0, kind, 0, -1, "", what),))
        assert said(card(world(zone(), trail=trail), "full"))[-1] == label


def test_a_shelf_that_has_given_more_than_there_is_says_of_what(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    node = NodeSnapshot("node-1", (0, 1, 2), (0.4, 0.3, 1.19), (0.2, 0.2, 0.2), (16.0, 3e4, 1e3))
    words = [text.text for text in build_scene(world(*(zone(),) * 3, nodes=(node,)), arrange(graph(3))).texts]
    assert "node-1, 16 cores: given CPU 40 MEM 30 NET 119 % (NET: more than it has)" in words


# --- sentences --------------------------------------------------------------------------------------------------------


def test_those_who_suffer_are_named_the_worst_first(zone: MakeZone, world: MakeWorld) -> None:
    slow = zone(name="a", users=99.0, latency_ms=101.0)
    slower = zone(name="d", users=1.0, latency_ms=900.0)
    full = zone(name="b", users=9.0, down=True)
    dead = zone(name="c", users=5.0, down=True, out_of_memory=True)
    assert suffering(world(zone(), slow, dead, full, slower)) == (
        "4 of 5 zones suffer: b is down (restarts), c is down (killed: out of memory), d 900 ms, a 101 ms"
    )


def test_many_who_suffer_are_counted(zone: MakeZone, world: MakeWorld) -> None:
    ill = [zone(name=f"z{place}", latency_ms=200.0) for place in range(7)]
    assert suffering(world(*ill)).endswith("z5 200 ms and 1 more")
    assert suffering(world(*ill)).startswith("7 of 7 zones suffer: z0 200 ms")


def test_what_the_controller_did_is_told_the_largest_change_first(zone: MakeZone, world: MakeWorld) -> None:
    both = zone(name="a", change=(1.2, 0.7, 1.0), handover=0.5)
    assert doing(world(both, zone(name="b", change=(1.0, 1.0, 0.5)))) == (
        "Controller: more for a (CPU +20 %); less for b (network −50 %), a (memory −30 %); "
        "new sessions of 1 zone go to a neighbour."
    )
    assert doing(world(zone())) == "Controller: no change."


def test_what_nobody_obeys_is_said_to_be_a_wish(zone: MakeZone, world: MakeWorld) -> None:
    wishes = (Wish((1.5, 1.0, 1.0), 0.0), Wish((1.0, 1.0, 0.5), 0.25))
    assert doing(world(zone(name="a"), zone(name="b"), wishes=wishes)) == (
        "Controller would ask (dry run): more for a (CPU +50 %); less for b (network −50 %); "
        "new sessions of 1 zone go to a neighbour."
    )
    still = world(zone(), wishes=(Wish((1.0, 1.0, 1.0), 0.0),))
    assert doing(still) == "Controller would ask (dry run): for nothing."


@pytest.mark.parametrize(
    ("changes", "node", "why"),
    [
        ({}, {}, ""),
        ({"latency_ms": 130.0}, {}, ""),
        ({"latency_ms": 130.0, "usage": (0.96, 1.0, 1.0)}, {}, "CPU at limit"),
        ({"latency_ms": 130.0, "usage": (0.5, 1.0, 39.0)}, {"used": (0.99, 0.2, 0.2)}, "network at limit"),
        ({"latency_ms": 130.0}, {"used": (0.2, 0.2, 0.97)}, "node-1: network full"),
        ({"latency_ms": 130.0}, {"slow_ms": 40.0}, "slow network +40 ms"),
        ({"latency_ms": 130.0, "crowd": 4.25}, {}, "crowd: arrivals ×4.2"),
        ({"latency_ms": 130.0, "usage": (0.85, 1.0, 1.0)}, {}, "CPU 85 % in use"),
        ({"down": True}, {"lost": True}, "node-1 lost"),
        ({"down": True, "out_of_memory": True}, {}, "killed: out of memory"),
        ({"down": True}, {}, "restarts"),
    ],
)
def test_why_a_zone_suffers_is_said_in_its_card_and_the_headline(
    zone: MakeZone, world: MakeWorld, changes: dict[str, object], node: dict[str, object], why: str
) -> None:
    home = replace(NodeSnapshot("node-1", (0,), (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)), **node)  # type: ignore[arg-type]
    seen = world(zone(**changes), nodes=(home,))
    assert cause(seen, seen.zones[0]) == why
    if why:
        assert why in said(card(seen, "full"))
        assert suffering(seen).endswith(f"({why})")


def test_many_changes_are_counted(zone: MakeZone, world: MakeWorld) -> None:
    grown = [zone(name=f"z{place}", change=(1.5, 1.0, 1.0)) for place in range(5)]
    assert doing(world(*grown)) == "Controller: more for z0 (CPU +50 %), z1 (CPU +50 %), z2 (CPU +50 %) and 2 more."
    assert doing(world(*grown), most=1) == "Controller: more for z0 (CPU +50 %) and 4 more."
    assert doing(world(*grown), most=0) == "Controller: more CPU for 5 zones."


def test_what_finds_no_room_is_counted_and_not_cut(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    long = "a-zone-with-a-name-that-is-longer-than-the-names-of-all-other-zones-that-anybody-has-ever-heard-of"
    grown = [zone(name=f"{long}-{place}", change=(1.5, 0.5, 1.5)) for place in range(3)]
    words = [text.text for text in build_scene(world(*grown), arrange(graph(3))).texts]
    assert next(text for text in words if text.startswith("Controller")) == (
        "Controller: more CPU for 3, network for 3 zones; less memory for 3 zones."
    )


def test_a_share_of_nearly_nothing_is_not_said_to_be_handed_over(zone: MakeZone, world: MakeWorld) -> None:
    assert doing(world(zone(handover=0.004))) == "Controller: no change."
    assert "handover 0 %" not in said(card(world(zone(handover=0.004)), "full"))


def test_the_clock_runs_through_the_week() -> None:
    assert clock(604_799.0) == "Sunday 23:59:59 UTC"


def test_area_is_proportional_to_users(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    seen = world(zone(users=40.0), zone(users=360.0))
    scene = build_scene(seen, arrange(graph(2)))
    few, many = (shape.radius for shape in scene.below if isinstance(shape, Circle) and shape.fill == "fine_card")
    rim = 2.0 * arrange(graph(2)).scale
    assert (many - rim) / (few - rim) == pytest.approx((sqrt(360.0) + 0.7) / (sqrt(40.0) + 0.7))
