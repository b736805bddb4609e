"""Cards stand where the graph says, inside the body, apart from each other, and as telling as they have room for."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import ConfigurationError
from metaverse_env.rendering.layout import HEADER, LEGEND, Layout, arrange
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
    assert (corners + card <= (layout.width, layout.height - LEGEND * layout.unit)).all()
    gap = np.abs(corners[:, None] - corners)
    overlapping = (gap < card).all(axis=2)
    assert not overlapping[~np.eye(len(corners), dtype=bool)].any()


@pytest.mark.parametrize("topology", ["grid", "ring"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (900, 900)])
@pytest.mark.parametrize("zones", [1, 2, 3, 30, 300])
def test_cards_never_touch(graph: MakeGraph, zones: int, size: tuple[int, int], topology: str) -> None:
    refuse_touching_cards(arrange(graph(zones, topology), size))


@given(st.lists(st.tuples(sixteenths, sixteenths), min_size=1, max_size=12, unique=True))
def test_cards_never_touch_wherever_the_zones_are(positions: list[tuple[float, float]]) -> None:
    refuse_touching_cards(arrange(scattered(positions)))


def test_zones_at_one_place_overlap_rather_than_vanish() -> None:
    layout = arrange(scattered([(0.5, 0.5), (0.5, 0.5), (0.9, 0.1)]))
    assert layout.card == pytest.approx((3.84, 1.92))
    assert layout.corners[0] == layout.corners[1]


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
    # the body is 1264 px wide: two cells of 632 x 322.3 px (a card's proportions), 4 % of which are left free
    layout = arrange(scattered([(0.2, 0.5), (0.7, 0.5)]))
    assert layout.card == pytest.approx((606.72, 309.43), abs=0.01)
    assert layout.corners[0] == pytest.approx((8.0 + 12.64, 100.0 + (574.0 - 309.43) / 2), abs=0.01)
    assert layout.corners[1][0] - layout.corners[0][0] == pytest.approx(632.0)
    assert layout.middle(0)[1] == pytest.approx(387.0)


def test_edges_are_named_once(graph: MakeGraph) -> None:
    assert arrange(graph(4)).edges == ((0, 1), (0, 3), (1, 2))


def test_a_picture_too_small_is_refused(graph: MakeGraph) -> None:
    with pytest.raises(ConfigurationError, match="320 x 200 px; needs at least 640 x 360 px"):
        arrange(graph(3), (320, 200))
