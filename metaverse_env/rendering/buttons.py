"""Buttons for whoever has a mouse: the controls with labels, and the layers, in one strip below the header."""

from typing import Final

from metaverse_env.rendering.interface import CONTROLS, LAYERS, Interface
from metaverse_env.rendering.layout import CONTROLS as STRIP
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shapes import Hit

_SIZE: Final = 11.0
_PAD: Final = 7.0
_BETWEEN: Final = 4.0


def draw_buttons(pen: Pen, interface: Interface, width: float) -> list[Hit]:
    """Draw the strip, ``pen`` standing at its upper left corner; return what can be clicked, in pixels."""
    pen.rectangle(0.0, 0.0, width, STRIP, "paper")
    hits, x = [], 12.0
    for control in CONTROLS:
        if control.label:
            hit, x = _button(pen, x, _label(control.name, control.label, interface), control.name, False, width)
            hits += hit
    x += 8.0
    x += pen.text(x, STRIP / 2, "Layers", _SIZE, "muted", room=max(width - x, 0.0)) + 6.0
    for layer in LAYERS:
        hit, x = _button(pen, x, layer, f"layer:{layer}", interface.shows(layer), width)
        hits += hit
    return hits


def _label(name: str, label: str, interface: Interface) -> str:
    """Return what a button says; some say what is now."""
    if name == "pause":
        return "Go on" if interface.paused else label
    if name == "faster":
        return f"{label} {interface.ticks_per_s:g} ticks/s"
    if name == "record":
        return "Stop" if interface.recording else label
    return label


def _button(pen: Pen, x: float, label: str, name: str, pressed: bool, width: float) -> tuple[list[Hit], float]:
    """Draw a button if there is room; return it, and where the next one starts."""
    wide = pen.width(label, _SIZE) + 2 * _PAD
    if x + wide > width - 8.0:
        return [], width
    pen.rectangle(x, 3.0, wide, STRIP - 6.0, "held" if pressed else "card", "muted", corner=4.0)
    if pressed:  # not by its shade alone
        pen.rectangle(x + 4.0, STRIP - 6.5, wide - 8.0, 2.0, "fine")
    pen.text(x + _PAD, STRIP / 2, label, _SIZE)
    place = pen.x + x * pen.scale, pen.y + 3.0 * pen.scale, wide * pen.scale, (STRIP - 6.0) * pen.scale
    return [Hit(*place, name)], x + wide + _BETWEEN
