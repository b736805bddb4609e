"""Golden scenes: what the pictures of tiny worlds say, word by word and shape by shape; and that nothing collides."""

from collections.abc import Callable
from math import sqrt

import pytest

from metaverse_env.rendering.cards import draw_card
from metaverse_env.rendering.header import clock, doing, suffering
from metaverse_env.rendering.layout import CARDS, Level, arrange
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import COLOURS, Circle, Line, Polygon, Rectangle, Scene, Shape, Text
from metaverse_env.rendering.snapshot import Snapshot, Trail, ZoneSnapshot
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


def card(world: Snapshot, level: Level, scale: float = 1.0) -> list[Shape]:
    """Return the shapes of the first zone's card, at the origin."""
    shapes: list[Shape] = []
    draw_card(Pen(shapes, scale=scale), world.zones[0], world, level)
    return shapes


def said(shapes: list[Shape]) -> list[str]:
    return [shape.text for shape in shapes if isinstance(shape, Text)]


# --- one card ---------------------------------------------------------------------------------------------------------


def test_a_quiet_zone_in_full(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(activity="trade", announced="game")), "full")
    assert said(shapes) == ["zone-1", "trade » game", "25", "50 ms", "CPU", "MEM", "NET"]
    assert shapes[0] == Rectangle(0.0, 0.0, 200.0, 102.0, "fine_card", "line", 1.0, 5.0)
    # a quarter of the most users: half the radius of 22
    assert Circle(28.0, 44.0, 11.0, "fine") in shapes


def test_a_bar_is_framed_by_the_allocation_filled_by_usage_and_marked_by_the_wish(
    zone: MakeZone, world: MakeWorld
) -> None:
    # without a forecast bars are 102 px wide, which is 1.6 allocations of 63.75 px; CPU: half in use, 1.2 asked for
    shapes = card(world(zone(pending=(1.2, 1024.0, 40.0))), "full")
    frame = next(place for place, shape in enumerate(shapes) if isinstance(shape, Rectangle) and shape.fill == "held")
    assert shapes[frame : frame + 3] == [
        Rectangle(80.0, 46.5, 63.75, 7.0, "held", "muted"),
        Rectangle(80.0, 46.5, 31.875, 7.0, "in_use"),
        Rectangle(80.0 + 1.2 * 63.75 - 0.75, 45.0, 1.5, 10.0, "ink"),
    ]


@pytest.mark.parametrize(
    ("used", "stale_s", "fill"),
    [(0.79, 0.0, "in_use"), (0.8, 0.0, "near"), (0.94, 0.0, "near"), (0.95, 0.0, "over"), (0.95, 30.0, "muted")],
)
def test_a_full_bar_warns_unless_it_is_old(
    zone: MakeZone, world: MakeWorld, used: float, stale_s: float, fill: str
) -> None:
    shapes = card(world(zone(usage=(used, 1.0, 1.0), stale_s=stale_s)), "full")
    bars = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.height == 7.0]
    assert bars[1].fill == fill


def test_nothing_allocated_is_an_empty_bar(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(allocation=(0.0, 0.0, 0.0), pending=(0.0, 0.0, 0.0))), "full")
    bars = [shape for shape in shapes if isinstance(shape, Rectangle) and shape.height == 7.0]
    assert bars[1].width == 0.0


@pytest.mark.parametrize(
    ("changes", "label", "fill", "background"),
    [
        ({"latency_ms": 80.0}, "80 ms", "fine", "fine_card"),
        ({"latency_ms": 81.0}, "81 ms", "near", "near_card"),
        ({"latency_ms": 100.0}, "100 ms", "near", "near_card"),
        ({"latency_ms": 130.0}, "130 ms", "over", "over_card"),
        ({"latency_ms": 1500.0}, "1.5s", "over", "over_card"),
        ({"latency_ms": 2000.0, "down": True}, "DOWN", "down", "down_card"),
        ({"latency_ms": 2000.0, "down": True, "out_of_memory": True}, "OOM", "down", "down_card"),
    ],
)
def test_latency_is_told_by_number_colour_and_tint(
    zone: MakeZone, world: MakeWorld, changes: dict[str, object], label: str, fill: str, background: str
) -> None:
    shapes = card(world(zone(**changes)), "full")
    assert label in said(shapes)
    assert isinstance(shapes[0], Rectangle)
    assert shapes[0].fill == background
    assert Rectangle(56.0, 21.0, 68.0, 19.0, fill, corner=9.5) in shapes


def test_what_happened_is_labelled_the_most_urgent_first(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(change=(1.2, 1.0, 0.7), handover=0.25)), "full")
    assert said(shapes)[-3:] == ["handover 25 %", "CPU +20 %", "NET −30 %"]
    killed = card(world(zone(down=True, out_of_memory=True, stale_s=45.0, kills=1)), "full")
    assert said(killed)[-2:] == ["out of memory", "no metrics 45 s"]


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
    assert up == Polygon(((185.5, 53.5), (192.5, 53.5), (189.0, 46.5)), "more")
    assert down == Polygon(((185.5, 74.5), (192.5, 74.5), (189.0, 81.5)), "less")


def test_a_change_too_small_to_notice_is_not_drawn(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(change=(1.009, 0.991, 1.0))), "full")
    assert not any(isinstance(shape, Polygon) for shape in shapes)


def test_a_forecast_is_a_fan_over_its_limit(zone: MakeZone, world: MakeWorld) -> None:
    # the objective is half way up a box of 49 x 28 px at (143, 21); 16 ticks ahead is its right edge
    seen = zone(latency_ahead_ms=((50.0, 100.0), (150.0, 400.0)), cpu_ahead_cores=((0.5, 0.5), (0.5, 0.5)))
    shapes = card(world(seen, ticks_ahead=(8, 16)), "full")
    start, middle, end = (143.0, 42.0), (167.5, 42.0), (192.0, 28.0)
    assert Line((start, middle, end), "over", 1.5) in shapes
    assert Polygon((start, (167.5, 35.0), (192.0, 21.0), end, middle), "band") in shapes
    assert Line(((143.0, 66.0 + 7.0), (167.5, 73.0), (192.0, 73.0)), "fine", 1.5) in shapes
    assert said(shapes)[-2:] == ["ms", "CPU"]


@pytest.mark.parametrize(("p90", "colour"), [(99.0, "fine"), (101.0, "near")])
def test_a_forecast_that_may_break_the_objective_warns(
    zone: MakeZone, world: MakeWorld, p90: float, colour: str
) -> None:
    seen = zone(latency_ahead_ms=((50.0, p90),), cpu_ahead_cores=((0.1, 0.1),))
    lines = [shape for shape in card(world(seen, ticks_ahead=(4,)), "full") if isinstance(shape, Line)]
    assert lines[1].colour == colour


def test_an_enlarged_card_tells_amounts(zone: MakeZone, world: MakeWorld) -> None:
    seen = zone(latency_ahead_ms=((50.0, 60.0),), cpu_ahead_cores=((0.5, 0.6),))
    words = said(card(world(seen, ticks_ahead=(16,)), "full", scale=2.0))
    assert {"CPU 0.50 of 1.00 cores", "Memory 512 of 1024 MB", "Network 10 of 40 Mbps"} <= set(words)
    assert words[-2:] == ["latency, next 4 min", "CPU, next 4 min"]


def test_a_compact_card_keeps_name_users_latency_and_marks(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(handover=0.25, change=(1.0, 1.2, 1.0))), "compact")
    assert said(shapes) == ["zone-1", "25", "50 ms"]
    assert [shape.fill for shape in shapes if isinstance(shape, Polygon)] == ["fine", "more"]


def test_a_dot_keeps_latency_and_the_busiest_resource(zone: MakeZone, world: MakeWorld) -> None:
    shapes = card(world(zone(usage=(0.5, 922.0, 10.0), change=(1.2, 1.0, 0.7), handover=0.1)), "dot")
    assert said(shapes) == ["50"]
    assert [shape.fill for shape in shapes if isinstance(shape, Polygon)] == ["fine", "more", "less"]
    whole = 27.0 / 1.6
    assert Rectangle(31.0, 20.0, whole * 922.0 / 1024.0, 5.0, "near") in shapes


def test_a_point_is_a_colour(zone: MakeZone, world: MakeWorld) -> None:
    assert card(world(zone(latency_ms=300.0)), "point") == [Rectangle(0.0, 0.0, 4.0, 2.0, "over")]


@pytest.mark.parametrize("scale", [0.94, 1.0, 1.5, 2.0, 4.4])
@pytest.mark.parametrize("level", ["full", "compact", "dot"])
@pytest.mark.parametrize("troubled", [{}, {"down": True}, {"down": True, "out_of_memory": True}])
def test_no_text_leaves_its_card(
    zone: MakeZone, world: MakeWorld, level: Level, scale: float, troubled: dict[str, object]
) -> None:
    width, height = CARDS[level]
    for shape in card(world(zone(**EVERYTHING, **troubled), ticks_ahead=(1, 4, 8, 16)), level, scale):
        if isinstance(shape, Text):
            left, top, right, bottom = shape.box
            assert left >= 0.0, shape
            assert top >= 0.0, shape
            assert right <= width * scale, shape
            assert bottom <= height * scale, shape


# --- the whole picture ------------------------------------------------------------------------------------------------


def test_a_tiny_world_word_by_word(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    scene = build_scene(world(zone(), zone(name="zone-2", latency_ms=130.0, change=(1.2, 1.0, 1.0))), arrange(graph(2)))
    words = [text.text for text in scene.texts]
    first = words.index("tiny")
    assert words[first : first + 13] == [
        "tiny",
        "Monday 01:00:00 UTC",
        "50",
        "users",
        "10.00 EUR/h",
        "2.00 for resources, 8.00 for lost quality",
        "12.5 %",
        "of users above 100 ms",
        "−2.50",
        "reward",
        "1 of 2 zones above 100 ms: zone-2 130 ms",
        "Controller: more for 1 zone.",
        "physics, no forecast",
    ]
    assert isinstance(scene.shapes[0], Line)
    assert scene.shapes[0].points[0] == pytest.approx((324.0, 387.0))


def test_curves_show_the_episode(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    trail = Trail((-3.0, -1.0, -2.0), (0.0, 0.5, 0.25), most_users=25.0)
    scene = build_scene(world(zone(), trail=trail), arrange(graph(1)))
    # violated share from 0 to its most in a box of 130 x 38 px at (838, 10); reward between its own limits
    assert Line(((838.0, 48.0), (903.0, 10.0), (968.0, 29.0)), "over", 1.5) in scene.shapes
    assert Line(((1096.0, 48.0), (1180.0, 10.0), (1264.0, 29.0)), "fine", 1.5) in scene.shapes


def test_before_the_first_tick_there_is_no_money_and_no_curve(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph
) -> None:
    scene = build_scene(world(zone(), money=None, trail=Trail()), arrange(graph(1)))
    words = [text.text for text in scene.texts]
    assert "reward" not in words
    assert "No zone is above 100 ms (p95)." in words
    assert "Controller: no change." in words


def test_the_same_snapshot_gives_the_same_scene(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    assert build_scene(world(zone()), arrange(graph(1))) == build_scene(world(zone()), arrange(graph(1)))


def test_colours_and_sizes_are_known(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    seen = world(*(zone(**EVERYTHING) for _ in range(30)), ticks_ahead=(1, 4, 8, 16))
    for shape in build_scene(seen, arrange(graph(30))).shapes:
        names = {getattr(shape, name, None) for name in ("fill", "edge", "colour")} - {None}
        assert names <= COLOURS.keys()


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080), (1000, 1000)])
@pytest.mark.parametrize("zones", [1, 3, 30, 100, 300])
@pytest.mark.parametrize("troubled", [{}, {"down": True, "out_of_memory": True}])
def test_no_text_overlaps_or_is_cut_off_even_when_everything_is_to_be_said(
    zone: MakeZone,
    world: MakeWorld,
    graph: MakeGraph,
    refuse_collisions: Callable[[Scene], None],
    zones: int,
    size: tuple[int, int],
    troubled: dict[str, object],
) -> None:
    seen = world(*(zone(**EVERYTHING, **troubled) for _ in range(zones)), ticks_ahead=(1, 4, 8, 16))
    refuse_collisions(build_scene(seen, arrange(graph(zones), size)))


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("zones", [1, 3, 30, 100, 300])
def test_ordinary_worlds_are_told_without_cutting_a_word(
    zone: MakeZone, world: MakeWorld, graph: MakeGraph, zones: int, size: tuple[int, int]
) -> None:
    usual = {"activity": "concert", "announced": "concert", "usage": (15.99, 32_000.0, 3999.0), "users": 9999.0}
    ahead = {"latency_ahead_ms": ((50.0, 60.0),) * 4, "cpu_ahead_cores": ((0.5, 0.6),) * 4}
    seen = world(
        *(
            zone(name=f"zone-{place + 1}", allocation=(16.0, 32_768.0, 4000.0), **usual, **ahead)
            for place in range(zones)
        ),
        scenario="multi_zone",
        kind="physics, persistence forecast",
        ticks_ahead=(1, 4, 8, 16),
    )
    assert [text.text for text in build_scene(seen, arrange(graph(zones), size)).texts if "…" in text.text] == []


# --- sentences --------------------------------------------------------------------------------------------------------


def test_those_who_suffer_are_named_the_worst_first(zone: MakeZone, world: MakeWorld) -> None:
    slow = zone(name="a", users=99.0, latency_ms=101.0)
    slower = zone(name="d", users=1.0, latency_ms=900.0)
    full = zone(name="b", users=9.0, down=True)
    dead = zone(name="c", users=5.0, down=True, out_of_memory=True)
    assert suffering(world(zone(), slow, dead, full, slower)) == (
        "4 of 5 zones above 100 ms: b down, c out of memory, d 900 ms, a 101 ms"
    )


def test_many_who_suffer_are_counted(zone: MakeZone, world: MakeWorld) -> None:
    ill = [zone(name=f"z{place}", latency_ms=200.0) for place in range(7)]
    assert suffering(world(*ill)).endswith("z5 200 ms and 1 more")
    assert suffering(world(*ill)).startswith("7 of 7 zones above 100 ms: z0 200 ms")


def test_what_the_controller_did_is_counted(zone: MakeZone, world: MakeWorld) -> None:
    both = zone(change=(1.2, 0.7, 1.0), handover=0.5)
    assert doing(world(both, zone(change=(1.0, 1.0, 0.9)))) == (
        "Controller: more for 1 zone, less for 2 zones, new sessions of 1 zone go to a neighbour."
    )


def test_of_the_only_zone_it_is_said_what_it_got(zone: MakeZone, world: MakeWorld) -> None:
    assert doing(world(zone(change=(1.2, 0.7, 1.0)))) == "Controller: more CPU, less memory."
    assert doing(world(zone())) == "Controller: no change."


def test_a_share_of_nearly_nothing_is_not_said_to_be_handed_over(zone: MakeZone, world: MakeWorld) -> None:
    assert doing(world(zone(handover=0.004))) == "Controller: no change."
    assert "handover 0 %" not in said(card(world(zone(handover=0.004)), "full"))


def test_the_clock_runs_through_the_week() -> None:
    assert clock(604_799.0) == "Sunday 23:59:59 UTC"


def test_area_is_proportional_to_users(zone: MakeZone, world: MakeWorld) -> None:
    few, many = (
        next(shape.radius for shape in card(world(zone(users=users)), "full") if isinstance(shape, Circle))
        for users in (20.0, 60.0)
    )
    assert many / few == pytest.approx(sqrt(3.0))
