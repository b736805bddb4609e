"""What cannot be overlooked: a word over the crowd of a zone to which something bad, or its end, just happened."""

from math import cos, pi, sin
from typing import Final

from metaverse_env.rendering.chronicle import Event, EventKind
from metaverse_env.rendering.colours import faded
from metaverse_env.rendering.designs import CARDS
from metaverse_env.rendering.layout import Layout
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Snapshot

_WORDS: Final[dict[EventKind, tuple[str, str]]] = {
    "oom": ("OOM", "over"),
    "down": ("DOWN", "down"),
    "up": ("BACK", "fine"),
    "crowd": ("CROWD", "less"),
}
"""Word and colour, the most urgent first."""

_POINTS: Final = 12


def draw_callouts(pen: Pen, world: Snapshot, layout: Layout) -> None:
    """Draw one callout for each zone that needs one, the most urgent, fainter from tick to tick."""
    if layout.level not in ("full", "compact"):
        return
    urgent: dict[int, Event] = {}
    for event in world.trail.recent():
        if event.kind in _WORDS and (event.zone not in urgent or _rank(event) <= _rank(urgent[event.zone])):
            urgent[event.zone] = event
    for zone, event in urgent.items():
        word, colour = _WORDS[event.kind]
        _draw_burst(pen, layout, zone, word, faded(colour, world.trail.tick - event.tick))


def _rank(event: Event) -> int:
    return list(_WORDS).index(event.kind)


def _draw_burst(pen: Pen, layout: Layout, zone: int, word: str, colour: str) -> None:
    """Draw a star with a word in it; a pale star has a dark word."""
    (x, y), radius = layout.middle(zone), layout.radius
    outer, inner = 0.92 * radius, 0.72 * radius
    corners = [
        (x + (outer, inner)[n % 2] * cos(pi * n / _POINTS), y + (outer, inner)[n % 2] * sin(pi * n / _POINTS))
        for n in range(2 * _POINTS)
    ]
    pen.polygon(tuple(corners), colour)
    shade = colour.partition("/")[2]
    size = 0.42 * radius if CARDS[layout.level].radius > 20.0 else 0.5 * radius
    room = 1.5 * radius
    size *= min(1.0, 0.96 * room / pen.width(word, size))  # a word is made smaller, not shorter
    pen.text(x, y, word, size, "ink" if shade and int(shade) <= 50 else "card", "middle", room=room)
