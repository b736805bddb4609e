"""The picture of a world: where the parts of a scene come together. Pure: a snapshot and a layout give a scene."""

from metaverse_env.rendering.cards import draw_card
from metaverse_env.rendering.header import draw_header
from metaverse_env.rendering.layout import LEGEND, Layout
from metaverse_env.rendering.legend import draw_legend
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shapes import Line, Scene, Shape
from metaverse_env.rendering.snapshot import Snapshot


def build_scene(world: Snapshot, layout: Layout) -> Scene:
    """Describe the picture of a world.

    Args:
        world: What it shows.
        layout: Where its zones stand; of the same graph.
    """
    middles = [layout.middle(zone) for zone in range(len(world.zones))]
    shapes: list[Shape] = [Line((middles[a], middles[b]), "line", 2.0 * layout.unit) for a, b in layout.edges]
    for zone, corner in zip(world.zones, layout.corners, strict=True):
        draw_card(Pen(shapes, *corner, layout.scale), zone, world, layout.level)
    unit, width = layout.unit, layout.width / layout.unit
    draw_header(Pen(shapes, scale=unit), world, width)
    draw_legend(Pen(shapes, y=layout.height - LEGEND * unit, scale=unit), world, layout.level, width)
    return Scene(layout.width, layout.height, tuple(shapes))
