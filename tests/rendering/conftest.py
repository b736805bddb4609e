"""Tiny worlds made by hand, and what no picture may do, whatever it shows."""

from collections.abc import Callable

import numpy as np
import pytest

from metaverse_env.rendering.shapes import Scene, Text
from metaverse_env.rendering.snapshot import Money, Snapshot, Trail, ZoneSnapshot
from metaverse_env.scenario import load_scenario
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.zones import ZoneGraph, build_graph

_SLACK_PX = 0.5
"""Half a pixel: places are rounded when they are drawn."""


@pytest.fixture
def zone() -> Callable[..., ZoneSnapshot]:
    def make(**changes: object) -> ZoneSnapshot:
        plain = {
            "name": "zone-1",
            "users": 25.0,
            "latency_ms": 50.0,
            "usage": (0.5, 512.0, 10.0),
            "allocation": (1.0, 1024.0, 40.0),
            "pending": (1.0, 1024.0, 40.0),
        }
        return ZoneSnapshot(**{**plain, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def world() -> Callable[..., Snapshot]:
    def make(*zones: ZoneSnapshot, **changes: object) -> Snapshot:
        plain = {
            "scenario": "tiny",
            "kind": "physics, no forecast",
            "time_s": 3600.0,
            "tick_s": 15.0,
            "objective_ms": 100.0,
            "ticks_ahead": (),
            "zones": zones,
            "money": Money(1.5, 0.5, 8.0, 0.125, -2.5),
            "trail": Trail((-1.0, -2.5), (0.0, 0.125), most_users=100.0),
        }
        return Snapshot(**{**plain, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def graph() -> Callable[..., ZoneGraph]:
    def make(zones: int, topology: str = "grid") -> ZoneGraph:
        return build_graph(load_scenario("multi_zone").with_changes(layout=LayoutSpec(zones=zones, topology=topology)))

    return make


@pytest.fixture
def refuse_collisions() -> Callable[[Scene], None]:
    """Fail if two texts of a scene overlap, or one is cut off by the picture's edge.

    What lies above the dots may cover what lies below them: callouts lie over crowds, where no text is, and the help
    lies over everything.
    """

    def refuse(scene: Scene) -> None:
        below = [shape for shape in scene.ground + scene.below if isinstance(shape, Text)]
        above = [shape for shape in scene.above if isinstance(shape, Text)]
        for texts in (below, above) if scene.hits[-1:] and scene.hits[-1].name == "help" else ([*below, *above],):
            _refuse(texts, scene)

    return refuse


def _refuse(texts: list[Text], scene: Scene) -> None:
    if not texts:
        return
    boxes = np.array([text.box for text in texts])
    left, top, right, bottom = boxes.T
    inside = (left >= -_SLACK_PX) & (top >= 0) & (right <= scene.width + _SLACK_PX) & (bottom <= scene.height)
    assert inside.all(), [text.text for text, good in zip(texts, inside, strict=True) if not good]
    wide = np.minimum(right[:, None], right) - np.maximum(left[:, None], left) > _SLACK_PX
    high = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top) > _SLACK_PX
    pairs = np.argwhere(np.triu(wide & high, 1))
    assert [(texts[a].text, texts[b].text) for a, b in pairs] == []
