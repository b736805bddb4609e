"""What a browser is sent: everything that a scene has, in lists and numbers, and only what has changed."""

import json
from base64 import b64decode
from collections.abc import Callable

import numpy as np
import pytest

from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.dots import KINDS, NO_DOTS
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import arrange
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import Circle, Hit, Line, Polygon, Rectangle, Scene, Text
from metaverse_env.rendering.snapshot import Flow, Snapshot, ZoneSnapshot
from metaverse_env.rendering.wire import WIRE_VERSION, changes, scene_to_json
from metaverse_env.zones import ZoneGraph

MakeZone = Callable[..., ZoneSnapshot]
MakeWorld = Callable[..., Snapshot]
MakeGraph = Callable[..., ZoneGraph]

SCENE = Scene(
    100,
    60,
    (Circle(50.04, 30.0, 5.0, "ink", None, 2.0),),
    (Rectangle(1.0, 2.0, 3.0, 4.0, None, "over", 2.0, 1.5), Line(((1.0, 2.0), (3.0, 4.0)), "muted", 1.5)),
    NO_DOTS,
    (Polygon(((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), "more"), Text(9.0, 8.0, "00", 20, "ink", "middle")),
    (Hit(1.0, 2.0, 30.0, 40.0, "zone", 3),),
    0.25,
)


def test_every_shape_is_a_list_of_its_kind() -> None:
    told = scene_to_json(SCENE)
    assert told["layers"] == {
        "ground": [["c", 50.0, 30.0, 5.0, "ink", None, 2.0]],
        "below": [["r", 1.0, 2.0, 3.0, 4.0, None, "over", 2.0, 1.5], ["l", [1.0, 2.0, 3.0, 4.0], "muted", 1.5]],
        "above": [["p", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "more"], ["t", 9.0, 8.0, "00", 20, "ink", "middle", 22]],
    }
    assert (told["version"], told["width"], told["height"], told["phase"]) == (WIRE_VERSION, 100, 60, 0.25)
    assert told["hits"] == [[1.0, 2.0, 30.0, 40.0, "zone", 3]]
    assert told["colours"].keys() == COLOURS.keys()
    assert told["colours"]["over"] == "#d55e00"


@pytest.fixture
def scene(zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> Scene:
    interface = Interface(controls=True, selected=1)
    zones = [zone(users=30.0 + n, before=28.0, arrived=5.0, left=3.0) for n in range(30)]
    seen = world(*zones, flows=(Flow(0, 1, 4, 2, 3),))
    return build_scene(seen, arrange(graph(30), interface=interface), interface, phase=0.5)


def test_a_picture_survives_json(scene: Scene) -> None:
    told = scene_to_json(scene)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_dots_move_in_a_browser_as_they_do_here(scene: Scene) -> None:
    told = scene_to_json(scene)["dots"]
    moves = np.frombuffer(b64decode(told["moves"]), dtype="<i2").reshape(-1, 10).astype(float)
    assert len(moves) == len(scene.dots) > 900
    start, bend, end = (moves[:, 2 * n : 2 * n + 2] / 4.0 for n in range(3))
    turn, sizes = moves[:, 6:7] / 1000.0, moves[:, 7:9] / 1000.0
    for phase in (0.0, 0.3, 0.5, 0.9, 1.0):
        # the formula of the module's description
        place = start + (bend - start) * np.minimum(phase / turn, 1)
        place = place + (end - bend) * np.maximum((phase - turn) / (1 - turn), 0)
        radius = told["radius"] * (sizes[:, 0] + (sizes[:, 1] - sizes[:, 0]) * phase)
        expected_place, expected_radius = scene.dots.at(phase)
        assert np.abs(place - expected_place).max() < 0.3
        assert np.abs(radius - expected_radius).max() < 0.02
    assert [told["colours"][int(kind)] for kind in moves[:, 9]] == [KINDS[kind] for kind in scene.dots.kind]


def test_only_what_changed_is_sent_again(scene: Scene, zone: MakeZone, world: MakeWorld, graph: MakeGraph) -> None:
    assert changes(scene, None) == scene_to_json(scene)
    same = changes(scene.at(0.75), scene)
    assert same["layers"] == {}
    assert "dots" not in same
    assert same["phase"] == 0.75
    one, other = (build_scene(world(*(zone(latency_ms=ms),) * 30), arrange(graph(30))) for ms in (30.0, 300.0))
    assert changes(other, one)["layers"].keys() == {"below"}
    assert "dots" in changes(other, one)


def test_a_picture_is_small(scene: Scene) -> None:
    assert len(json.dumps(scene_to_json(scene))) < 150_000
