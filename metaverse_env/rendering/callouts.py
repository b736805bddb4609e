"""What cannot be overlooked: a word in the corner of a zone's card, beside its crowd: what is, or has just begun.

What is over is told by the labels of the card, which do not contradict what is.
"""

from typing import Final

from metaverse_env.rendering.chronicle import Event, EventKind
from metaverse_env.rendering.colours import faded
from metaverse_env.rendering.layout import Layout
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Snapshot, ZoneSnapshot

_SIZE: Final = 9.0
_BEGUN: Final[dict[EventKind, tuple[str, str]]] = {"up": ("BACK", "fine"), "crowd": ("CROWD", "less")}
"""Word and colour of what has just begun and still is, the most urgent first."""


def draw_callouts(pen: Pen, world: Snapshot, layout: Layout) -> None:
    """Draw one callout for each zone that needs one, the most urgent; what has begun is fainter from tick to tick."""
    if layout.level != "full":
        return
    lately: dict[int, list[Event]] = {}
    for event in world.trail.recent():
        lately.setdefault(event.zone, []).append(event)
    for place, zone in enumerate(world.zones):
        told = _told(zone, lately.get(place, ()), world.trail.tick)
        if told is not None:
            x, y = layout.corners[place]
            _draw(Pen(pen.shapes, x, y, layout.scale), *told)


def _told(zone: ZoneSnapshot, events: list[Event] | tuple[()], tick: int) -> tuple[str, str] | None:
    """Return word and colour."""
    if zone.down or zone.out_of_memory:
        return ("KILLED" if zone.out_of_memory else "DOWN"), "down"
    for kind, (word, colour) in _BEGUN.items():
        begun = [event.tick for event in events if event.kind == kind]
        if begun and (kind != "crowd" or zone.crowded):
            return word, faded(colour, tick - begun[-1])
    return None


def _draw(pen: Pen, word: str, colour: str) -> None:
    """Draw a word on its colour; on a pale one it is dark."""
    shade = colour.partition("/")[2]
    pen.rectangle(2.5, 2.5, pen.width(word, _SIZE) + 6.0, 12.0, colour, corner=3.0)
    pen.text(5.5, 8.5, word, _SIZE, "ink" if shade and int(shade) <= 50 else "card")
