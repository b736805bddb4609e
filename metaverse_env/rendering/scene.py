"""The picture of a world: where the parts of a scene come together. Pure: a snapshot and a layout give a scene."""

from functools import lru_cache
from math import dist
from typing import Final

import numpy as np

from metaverse_env.rendering.buttons import draw_buttons
from metaverse_env.rendering.callouts import draw_callouts
from metaverse_env.rendering.cards import Subject, draw_card, draw_frame
from metaverse_env.rendering.chronicle import Event
from metaverse_env.rendering.crowd import build_dots, crowding
from metaverse_env.rendering.designs import Point
from metaverse_env.rendering.dots import NO_DOTS
from metaverse_env.rendering.header import draw_header
from metaverse_env.rendering.interface import UNTOUCHED, Interface
from metaverse_env.rendering.layout import HEADER, Layout
from metaverse_env.rendering.legend import LEGEND_WIDTH, Meaning, draw_legend, meaning
from metaverse_env.rendering.marks import PAST_TICKS
from metaverse_env.rendering.overlay import draw_help
from metaverse_env.rendering.panel import draw_panel
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shapes import Hit, Line, Scene, Shape
from metaverse_env.rendering.shelves import draw_shelf
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.rendering.streets import ways
from metaverse_env.rendering.ticker import draw_ticker

_ARROW: Final = 9.0
"""Length of an arrow's head, in units of the layout. [choice]"""


def build_scene(world: Snapshot, layout: Layout, interface: Interface = UNTOUCHED, phase: float = 1.0) -> Scene:
    """Describe the picture of a world.

    Args:
        world: What it shows.
        layout: Where its zones stand; of the same graph, and arranged for the same interface.
        interface: What is chosen, and what the session tells.
        phase: How far between the last tick (0) and this one (1) the animation is; see :meth:`.Scene.at`.
    """
    below: list[Shape] = []
    above: list[Shape] = []
    hits = [Hit(*corner, *layout.card, "zone", zone) for zone, corner in enumerate(layout.corners)]
    weight = crowding(world, layout).weight
    _draw_zones(below, world, layout, interface)
    hits += _draw_bands(below, world, layout, interface)
    about = meaning(world, interface, layout.level, weight)
    ground = _legend(layout, about, _split(layout, interface)) if interface.shows("legend") else ()
    if interface.shows("events") and not interface.help:  # it covers them
        draw_callouts(Pen(above), world, layout)
    if interface.help:
        middle = layout.width / 2, layout.body[1] + layout.body[3] / 2
        hits.append(draw_help(Pen(above, *middle, layout.unit), interface))
    dots = build_dots(world, layout, interface.shows("flows")) if interface.shows("users") else NO_DOTS
    return Scene(layout.width, layout.height, ground, tuple(below), dots, tuple(above), tuple(hits), phase)


def _draw_zones(shapes: list[Shape], world: Snapshot, layout: Layout, interface: Interface) -> None:
    """Draw frames, then the streets across them, then what stands on both."""
    subjects = _subjects(world, layout, interface)
    pens = [Pen(shapes, *corner, layout.scale) for corner in layout.corners]
    for pen, subject in zip(pens, subjects, strict=True):
        draw_frame(pen, subject, layout.level)
    if interface.shows("flows"):
        shapes.extend(_streets(layout))
        _draw_hand_overs(Pen(shapes), world, layout)
    if interface.shows("nodes") and world.nodes and layout.level != "point":
        for shelf in layout.shelves:
            draw_shelf(Pen(shapes), shelf, world.nodes[shelf.node], layout.level)
    for pen, subject in zip(pens, subjects, strict=True):
        draw_card(pen, subject, layout.level)


def _subjects(world: Snapshot, layout: Layout, interface: Interface) -> list[Subject]:
    crowd = crowding(world, layout)
    count = len(world.zones)
    rows = [row.values[:, 1] for row in world.trail.rows[-PAST_TICKS - 1 :] if len(row.values) == count]
    past = np.array(rows).T.tolist() if rows else [[zone.latency_ms] for zone in world.zones]
    lately: list[list[Event]] = [[] for _ in range(count)]
    for event in world.trail.recent():
        if 0 <= event.zone < count:
            lately[event.zone].append(event)
    return [
        Subject(z, zone, world, interface, zone.severity(world.objective_ms), crowd, tuple(past[z]), tuple(lately[z]))
        for z, zone in enumerate(world.zones)
    ]


@lru_cache(maxsize=16)
def _streets(layout: Layout) -> tuple[Line, ...]:
    """Return the streets between neighbours, each once."""
    known, thickness = ways(layout), max(2.0, 3.0 * layout.unit) if layout.level != "point" else 1.0
    return tuple(Line(known[edge].points, "street", thickness) for edge in layout.edges)


def _draw_hand_overs(pen: Pen, world: Snapshot, layout: Layout) -> None:
    """Draw an arrow along the street to whoever serves users of another zone."""
    known, crowd = ways(layout), crowding(world, layout)
    for served in world.served:
        way = known.get((served.source, served.goal))
        if way is None:
            continue
        pen.line(way.points, "fine", 2.0 * layout.unit)
        rim = crowd.radius(world.zones[served.goal].users) + 3.0 * layout.scale
        pen.polygon(_arrow(way.points[-2], way.points[-1], rim, _ARROW * layout.unit), "fine")


def _arrow(start: Point, end: Point, before: float, size: float) -> tuple[Point, Point, Point]:
    """Return the head of an arrow from ``start`` to ``end`` whose tip stays so far ``before`` the end."""
    (x0, y0), (x1, y1) = start, end
    length = max(dist(start, end), 1e-6)
    right, down = (x1 - x0) / length, (y1 - y0) / length
    tip = length - min(before, 0.5 * length)
    x, y, base = x0 + right * tip, y0 + down * tip, tip - size
    side, back = (0.6 * size * down, 0.6 * size * right), (x0 + right * base, y0 + down * base)
    return (x, y), (back[0] - side[0], back[1] + side[1]), (back[0] + side[0], back[1] - side[1])


def _draw_bands(shapes: list[Shape], world: Snapshot, layout: Layout, interface: Interface) -> list[Hit]:
    """Draw header, buttons, panel and ticker; return what can be clicked."""
    unit, width, hits = layout.unit, layout.width / layout.unit, []
    draw_header(Pen(shapes, scale=unit), world, interface, width)
    if interface.controls:
        hits += draw_buttons(Pen(shapes, y=HEADER * unit, scale=unit), interface, width)
    if layout.panel is not None and interface.selected is not None and interface.selected < len(world.zones):
        x, y, _, height = layout.panel
        hits.append(Hit(x, y, layout.width - x, height, "panel"))
        hits.append(draw_panel(Pen(shapes, x, y, unit), world, interface, interface.selected, height / unit))
    if layout.footer is not None and interface.shows("ticker"):
        split = _split(layout, interface)
        draw_ticker(Pen(shapes, split * unit, layout.footer[1], unit), world, interface, width - split)
    return hits


def _split(layout: Layout, interface: Interface) -> float:
    """Return how wide the legend is: all that the ticker leaves."""
    if not interface.shows("legend"):
        return 0.0
    return LEGEND_WIDTH if interface.shows("ticker") else layout.width / layout.unit


@lru_cache(maxsize=16)
def _legend(layout: Layout, about: Meaning, width: float) -> tuple[Shape, ...]:
    """Return the legend: the same object while nothing that it explains changes."""
    shapes: list[Shape] = []
    if layout.footer is not None:
        draw_legend(Pen(shapes, y=layout.footer[1], scale=layout.unit), about, width)
    return tuple(shapes)
