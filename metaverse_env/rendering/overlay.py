"""The help: every key and what it does, over the middle of the picture."""

from typing import Final

from metaverse_env.rendering.colours import CALLED
from metaverse_env.rendering.interface import CONTROLS, LAYERS, Interface
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shapes import Hit

_WIDTH: Final = 920.0
_HEIGHT: Final = 330.0
_PITCH: Final = 17.0
_NAMES: Final = {" ": "Space", "ArrowRight": "Right", "ArrowLeft": "Left", "ArrowUp": "Up", "ArrowDown": "Down"}
_LAYER_WORDS: Final = {
    "users": "users as dots",
    "flows": "streets, who moves, hand-overs",
    "nodes": "nodes",
    "activities": "what users do and announce",
    "forecast": "latency and its forecast",
    "events": "what happens",
    "curves": "curves of the episode",
    "ticker": "ticker",
    "legend": "legend",
}


def draw_help(pen: Pen, interface: Interface) -> Hit:
    """Draw the help around the middle where the pen stands; return the area that closes it when it is clicked."""
    left, top = -_WIDTH / 2, -_HEIGHT / 2
    pen.rectangle(left - 4.0, top - 4.0, _WIDTH + 8.0, _HEIGHT + 8.0, "muted", corner=10.0)
    pen.rectangle(left, top, _WIDTH, _HEIGHT, "card", corner=8.0)
    pen.text(left + 20.0, top + 22.0, "Keys", 18.0)
    pen.text(left + 610.0, top + 22.0, "Layers", 18.0)
    for place, control in enumerate(CONTROLS):
        y = top + 48.0 + _PITCH * place
        pen.text(left + 20.0, y, ", ".join(map(key_name, control.keys)), 12.0, "fine", room=112.0)
        pen.text(left + 136.0, y, control.help, 12.0, room=450.0)
    for place, layer in enumerate(LAYERS, 1):
        y = top + 31.0 + _PITCH * place
        pen.text(left + 610.0, y, str(place), 12.0, "fine")
        words = _LAYER_WORDS[layer] + ("" if interface.shows(layer) else " (hidden)")
        pen.text(left + 634.0, y, words, 12.0, "ink" if interface.shows(layer) else "muted", room=272.0)
    lines = (
        "Click a zone for its past and its forecast.",
        f"Thick {CALLED['over']} or {CALLED['down']} borders: users suffer.",
        f"A {CALLED['less']} ring: an event draws a crowd there.",
        f"Green triangles up, {CALLED['less']} ones down: what the",
        "controller asked for. The two lines at the top say it.",
    )
    for place, line in enumerate(lines):
        pen.text(left + 610.0, top + 214.0 + _PITCH * place, line, 12.0, "muted", room=296.0)
    place_px = pen.x + left * pen.scale, pen.y + top * pen.scale, _WIDTH * pen.scale, _HEIGHT * pen.scale
    return Hit(*place_px, "help")


def key_name(key: str) -> str:
    """Return a key as it is written for people.

    >>> key_name(" "), key_name("p"), key_name("Shift+Tab")
    ('Space', 'P', 'Shift+Tab')
    """
    return _NAMES.get(key, key.upper() if len(key) == 1 else key)
