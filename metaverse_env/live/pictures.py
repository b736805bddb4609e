"""Scenes of a session, each described once, however many look and as often as they look."""

from collections import OrderedDict
from typing import Any, Final

from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import Layout, arrange
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import Scene
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.zones import ZoneGraph

KEPT: Final = 16
"""Sizes of pictures that are remembered [choice]: as many viewers as a page has, each with its own."""


class Pictures:
    """The latest scenes, by size and looks."""

    def __init__(self) -> None:
        self._scenes: OrderedDict[Any, tuple[Snapshot, Interface, Scene]] = OrderedDict()
        self._layouts: OrderedDict[Any, tuple[ZoneGraph, Layout]] = OrderedDict()

    def scene(self, world: Snapshot, graph: ZoneGraph, interface: Interface, size: tuple[int, int]) -> Scene:
        """Return the scene of a tick at phase 1; the same object while nothing in it has changed.

        Args:
            world: What it shows.
            graph: Its zones.
            interface: What is chosen and told.
            size: Width and height, px.

        Raises:
            ConfigurationError: The picture is too small for its texts.
        """
        key = size, interface.controls, interface.any_script
        before = self._scenes.get(key)
        if before is not None and before[0] is world and before[1] == interface:
            return before[2]
        scene = build_scene(world, self._layout(graph, size, interface), interface)
        _keep(self._scenes, key, (world, interface, scene))
        return scene

    def _layout(self, graph: ZoneGraph, size: tuple[int, int], interface: Interface) -> Layout:
        key = size, interface.room
        known = self._layouts.get(key)
        if known is None or known[0] is not graph:
            known = graph, arrange(graph, size, interface)
            _keep(self._layouts, key, known)
        return known[1]


def _keep(store: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    store[key] = value
    store.move_to_end(key)
    while len(store) > KEPT:
        store.popitem(last=False)
