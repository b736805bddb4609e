"""Cards stand where the graph says, inside the body, apart from each other, and as telling as they have room for."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import ConfigurationError
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import HEADER, Layout, arrange
from metaverse_env.zones import ZoneGraph

MakeGraph = Callable[..., ZoneGraph]

sixteenths = st.integers(0, 16).map(lambda part: part / 16)


def scattered(positions: list[tuple[float, float]]) -> ZoneGraph:
    """Return zones without neighbours at given places."""
    count = len(positions)
    column = np.full((count, 1), -1, dtype=np.int32)
    return ZoneGraph(
        names=tuple(f"zone-{place}" for place in range(count)),
        neighbours=column,
        weights=np.zeros((count, 1), dtype=np.float32),
        extra_rtt_ms=np.zeros((count, 1), dtype=np.float32),
        travel_ticks=np.zeros((count, 1), dtype=np.int32),
        node=np.zeros(count, dtype=np.int32),
        position=np.array(positions, dtype=np.float32),
    )


def refuse_touching_cards(layout: Layout) -> None:
    corners, card = np.array(layout.corners), np.array(layout.card)
    assert (corners >= (0.0, HEADER * layout.unit)).all()
    left, top, width, height = layout.body
    assert (corners >= (left, top)).all()
    assert (corners + card <= (left + width, top + height)).all()
    gap = np.abs(corners[:, None] - corners)
    overlapping = (gap < card).all(axis=2)
    assert not overlapping[~np.eye(len(corners), dtype=bool)].any()


@pytest.mark.parametrize("topology", ["grid", "ring"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (960, 960)])
@pytest.mark.parametrize("zones", [1, 2, 3, 30, 300])
def test_cards_never_touch(graph: MakeGraph, zones: int, size: tuple[int, int], topology: str) -> None:
    refuse_touching_cards(arrange(graph(zones, topology), size))


@given(st.lists(st.tuples(sixteenths, sixteenths), min_size=1, max_size=12, unique=True))
def test_cards_never_touch_wherever_the_zones_are(positions: list[tuple[float, float]]) -> None:
    refuse_touching_cards(arrange(scattered(positions)))


def test_zones_at_one_place_are_set_apart() -> None:
    layout = arrange(scattered([(0.5, 0.5), (0.5, 0.5), (0.9, 0.1)]))
    refuse_touching_cards(layout)
    assert layout.level == "full"


@pytest.mark.parametrize(
    ("zones", "size", "level"),
    [
        (1, (1280, 720), "full"),
        (30, (1280, 720), "full"),
        (100, (1280, 720), "compact"),
        (100, (2560, 1440), "full"),
        (300, (1280, 720), "dot"),
        (300, (1920, 1080), "dot"),
        (1500, (1280, 720), "point"),
    ],
)
def test_many_zones_tell_less_each(graph: MakeGraph, zones: int, size: tuple[int, int], level: str) -> None:
    assert arrange(graph(zones), size).level == level


def test_two_zones_side_by_side_share_the_width_by_hand() -> None:
    # the body is 1264 px wide and 552 px high: two cells of 632 x 334.96 px (a card's proportions), 3 % of them free
    layout = arrange(scattered([(0.2, 0.5), (0.7, 0.5)]))
    assert layout.body == (8.0, 92.0, 1264.0, 552.0)
    assert layout.card == pytest.approx((613.04, 324.91), abs=0.01)
    assert layout.corners[0] == pytest.approx((8.0 + 9.48, 92.0 + (552.0 - 324.91) / 2), abs=0.01)
    assert layout.corners[1][0] - layout.corners[0][0] == pytest.approx(632.0)
    assert layout.scale == pytest.approx(3.0652)
    # crowds stand at (44, 46.5) of their cards
    assert layout.middle(0) == pytest.approx((17.48 + 44.0 * 3.0652, 205.54 + 46.5 * 3.0652), abs=0.01)


def test_panel_buttons_and_footer_take_their_room(graph: MakeGraph) -> None:
    plain = arrange(graph(30))
    assert (plain.panel, plain.footer) == (None, (0.0, 644.0, 1280.0, 76.0))
    told = arrange(graph(30), interface=Interface(selected=3, controls=True))
    assert told.panel == (980.0, 118.0, 300.0, 526.0)
    assert told.body == (8.0, 118.0, 964.0, 526.0)
    bare = arrange(graph(30), interface=Interface(layers=frozenset({"users"})))
    assert bare.footer is None
    assert bare.body == (8.0, 92.0, 1264.0, 620.0)


def test_arranging_depends_on_an_interface_only_by_its_room(graph: MakeGraph) -> None:
    one, other = Interface(selected=3, paused=True), Interface(selected=7, layers=frozenset({"legend"}))
    assert one.room == other.room
    assert arrange(graph(30), interface=one) == arrange(graph(30), interface=other)


def test_zones_of_a_node_stand_on_one_shelf_for_each_row(graph: MakeGraph) -> None:
    # six zones in a row and five on a node: the second node has one zone in the first row and four in the next
    layout = arrange(graph(30))
    assert [shelf.node for shelf in layout.shelves][:4] == [0, 1, 1, 2]
    card, corners = layout.card, layout.corners
    x, y, width, height = layout.shelves[0].box
    assert (x, x + width) == pytest.approx((corners[0][0], corners[4][0] + card[0]))
    assert (y, y + height) == pytest.approx((corners[0][1] + 94.4 * layout.scale, corners[0][1] + card[1]))
    assert layout.shelves[1].box[0] == pytest.approx(corners[5][0])


@pytest.mark.parametrize("topology", ["grid", "ring"])
@pytest.mark.parametrize("zones", [1, 2, 30, 300])
def test_every_zone_stands_on_a_shelf_of_its_node(graph: MakeGraph, zones: int, topology: str) -> None:
    made = graph(zones, topology)
    layout = arrange(made)
    wide, high = layout.card
    for (x, y), node in zip(layout.corners, made.node.tolist(), strict=True):
        under = [
            shelf
            for shelf in layout.shelves
            if shelf.box[0] - 0.01 <= x
            and x + wide <= shelf.box[0] + shelf.box[2] + 0.01
            and abs(shelf.box[1] + shelf.box[3] - y - high) < 0.01
        ]
        assert [shelf.node for shelf in under] == [node]


def test_a_circle_of_many_is_laid_out_in_rows_each_beside_the_next(graph: MakeGraph) -> None:
    layout = arrange(graph(30, "ring"))
    assert layout.level == arrange(graph(30, "grid")).level == "full"
    wide, high = layout.card
    for (x, y), (next_x, next_y) in pairwise(layout.corners):
        assert (abs(x - next_x) < 1.1 * wide and y == next_y) or (x == next_x and abs(y - next_y) < 1.2 * high)


def test_a_circle_of_few_stays_one(graph: MakeGraph) -> None:
    assert len({round(y) for _, y in arrange(graph(5, "ring")).corners}) == 3


def test_edges_are_named_once(graph: MakeGraph) -> None:
    assert arrange(graph(4)).edges == ((0, 1), (0, 3), (1, 2))


def test_a_picture_too_small_is_refused(graph: MakeGraph) -> None:
    with pytest.raises(ConfigurationError, match="320 x 200 px; needs at least 960 x 540 px"):
        arrange(graph(3), (320, 200))
