"""What else is remarkable of a zone, as labels in a row: what is now, then what was lately, ever fainter."""

from typing import Final

from metaverse_env.rendering.chronicle import Event, EventKind
from metaverse_env.rendering.colours import faded
from metaverse_env.rendering.marks import SHORT_NAMES
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NOTICEABLE, ZoneSnapshot, change_words

_SIZE: Final = 8.6
_PAST: Final[dict[EventKind, tuple[str, str]]] = {
    "oom": ("out of memory", "down"),
    "up": ("serves again", "fine"),
    "more": ("got more", "more"),
    "less": ("got less", "less"),
}
"""Words and colour of what happened some ticks ago."""


Box = tuple[float, float, float, float]


def draw_badges(pen: Pen, zone: ZoneSnapshot, events: tuple[Event, ...], tick: int, box: Box) -> None:
    """Draw labels into a box, the most urgent first, as many as fit.

    Args:
        pen: Draws them.
        zone: What is now.
        events: What happened to it lately, the oldest first.
        tick: The present one.
        box: Left, top, width and height.
    """
    x, y, width, height = box
    right = x + width
    for label, colour, is_now in _badges(zone, events, tick):
        wide = pen.width(label, _SIZE) + 5.0
        if x + wide > right:
            break
        pen.rectangle(x, y, wide, height, colour if is_now else None, colour, corner=2.5)
        pen.text(x + 2.5, y + height / 2, label, _SIZE, "card" if is_now else "muted")
        x += wide + 3.0


def _badges(zone: ZoneSnapshot, events: tuple[Event, ...], tick: int) -> list[tuple[str, str, bool]]:
    everything = (
        (zone.out_of_memory, "out of memory", "down"),
        (zone.stale_s > 0.0, f"no metrics {zone.stale_s:.0f} s", "muted"),
        (zone.crowded, f"crowd ×{zone.crowd:.1f}", "less"),
        (zone.hands_over, f"hands over {100 * zone.handover:.0f} %", "fine"),
        *(_change(name, change) for name, change in zip(SHORT_NAMES, zone.change, strict=True)),
    )
    now = [(label, colour, True) for holds, label, colour in everything if holds]
    return [*now, *_past(zone, events, tick)]


def _past(zone: ZoneSnapshot, events: tuple[Event, ...], tick: int) -> list[tuple[str, str, bool]]:
    """Return what happened in the ticks before, each thing once, the latest first; and how often it was killed."""
    found: dict[str, tuple[str, str, bool]] = {}
    for event in reversed(events):
        if event.kind in _PAST and event.tick < tick:
            label, colour = _PAST[event.kind]
            found.setdefault(label, (label, faded(colour, tick - event.tick), False))
    restarts = [(f"{zone.kills} restart{'s' * (zone.kills > 1)}", "down", False)] if zone.kills else []
    return [*found.values(), *restarts]


def _change(name: str, change: float) -> tuple[bool, str, str]:
    """Return what the controller did to one resource, in words."""
    return abs(change - 1.0) > NOTICEABLE, f"{name} {change_words(change)}", "more" if change > 1.0 else "less"
