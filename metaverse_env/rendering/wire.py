"""A scene as JSON: short lists that a browser draws as they come. Pure.

A picture is an object; lengths are px of the picture, x to the right, y down, and colours are names::

    {"version": 1, "width": 1280, "height": 720, "phase": 1.0,
     "colours": {"paper": "#f1f3f6", …},          every colour that the shapes name, and "paper", the background
     "layers": {"ground": […], "below": […], "above": […]},   shapes in the order in which they are painted
     "dots": {"weight": 2, "radius": 2.5, "colours": […], "moves": "base64"},  painted between "below" and "above"
     "hits": [[x, y, width, height, name, zone], …]}           later ones lie above; zone -1 is none

A shape is a list, its kind first::

    ["c", x, y, radius, fill, edge, thickness]                 disc; fill or edge may be null; edge lies inside
    ["r", x, y, width, height, fill, edge, thickness, corner]  rectangle; fill or edge may be null; edge lies inside
    ["l", [x, y, x, y, …], colour, thickness]                  line through points
    ["p", [x, y, x, y, …], fill]                               polygon
    ["t", x, y, text, size, colour, align, width]              text: y is its middle, align "left", "middle" or
                                                               "right"; it has room for exactly ``width``

``moves`` are little-endian int16, ten for each dot: start x, y, bend x, y, end x, y, all in quarters of a pixel; the
phase of the bend, size at phase 0, size at phase 1, all in thousandths; and the index into ``colours``. A dot is at
``start + (bend - start) * min(phase / turn, 1) + (end - bend) * max((phase - turn) / (1 - turn), 0)``, and its radius
grows evenly from ``radius * size0`` to ``radius * size1``. The browser moves the phase by its own clock.

A layer or the dots that equal those of the picture that was sent before may be left out (:func:`changes`): what is not
named stays as it was.
"""

from base64 import b64encode
from typing import Any, Final

import numpy as np

from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.dots import KINDS, Dots
from metaverse_env.rendering.lettering import text_width
from metaverse_env.rendering.shapes import Circle, Line, Polygon, Rectangle, Scene, Shape, Text

WIRE_VERSION: Final = 1
"""Of the format; a page refuses another one."""

QUARTERS: Final = 4.0
THOUSANDTHS: Final = 1000.0

_LAYERS: Final = ("ground", "below", "above")


def scene_to_json(scene: Scene) -> dict[str, Any]:
    """Return a scene in the form of this module, made of lists, numbers and strings only."""
    layers = {name: [_shape(shape) for shape in getattr(scene, name)] for name in _LAYERS}
    return {
        "version": WIRE_VERSION,
        "width": scene.width,
        "height": scene.height,
        "phase": round(scene.phase, 3),
        "colours": {name: hexadecimal(name) for name in COLOURS},
        "layers": layers,
        "dots": _dots(scene.dots),
        "hits": [[*(round(value, 1) for value in hit[:4]), hit.name, hit.zone] for hit in scene.hits],
    }


def changes(scene: Scene, before: Scene | None) -> dict[str, Any]:
    """Return the same, without the layers and the dots that are those of the scene sent ``before``."""
    if before is None:
        return scene_to_json(scene)
    told = scene_to_json(scene)
    same = [name for name in _LAYERS if getattr(scene, name) == getattr(before, name)]
    told["layers"] = {name: shapes for name, shapes in told["layers"].items() if name not in same}
    if scene.dots is before.dots:
        del told["dots"]
    return told


def hexadecimal(colour: str) -> str:
    """Return a named colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[colour])


def _dots(dots: Dots) -> dict[str, Any]:
    moves = np.empty((len(dots), 10), dtype="<i2")
    places = np.concatenate([dots.start, dots.bend, dots.end], axis=1)
    moves[:, :6] = np.clip(np.rint(places * QUARTERS), -32_768, 32_767)
    moves[:, 6] = np.rint(dots.turn * THOUSANDTHS)
    moves[:, 7:9] = np.rint(dots.size * THOUSANDTHS)
    moves[:, 9] = dots.kind
    return {
        "weight": dots.weight,
        "radius": round(dots.radius, 2),
        "colours": list(KINDS),
        "moves": b64encode(moves.tobytes()).decode("ascii"),
    }


def _shape(shape: Shape) -> list[Any]:
    match shape:
        case Circle():
            return [
                "c",
                _tenth(shape.x),
                _tenth(shape.y),
                _tenth(shape.radius),
                shape.fill,
                shape.edge,
                _tenth(shape.thickness),
            ]
        case Rectangle():
            box = [_tenth(value) for value in (shape.x, shape.y, shape.width, shape.height)]
            return ["r", *box, shape.fill, shape.edge, _tenth(shape.thickness), _tenth(shape.corner)]
        case Line():
            return ["l", _flat(shape.points), shape.colour, _tenth(shape.thickness)]
        case Polygon():
            return ["p", _flat(shape.points), shape.fill]
        case Text():
            wide = text_width(shape.text, shape.size)
            return ["t", _tenth(shape.x), _tenth(shape.y), shape.text, shape.size, shape.colour, shape.align, wide]


def _tenth(value: float) -> float:
    return round(value, 1)


def _flat(points: tuple[tuple[float, float], ...]) -> list[float]:
    return [_tenth(value) for point in points for value in point]
