"""What else is remarkable of a zone, as labels in a row: what is now, then what was lately, ever fainter."""

from typing import Final

from metaverse_env.rendering.chronicle import Event, EventKind
from metaverse_env.rendering.colours import faded
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import CROWDED, NOTICEABLE, SHORT_NAMES, ZoneSnapshot, change_words

_SIZE: Final = 8.6
_PAST: Final[dict[EventKind, tuple[str, str, str]]] = {
    "oom": ("service", "was killed: no memory", "down"),
    "down": ("service", "was down", "down"),
    "up": ("service", "serves again", "fine"),
    "more": ("more", "got more {}", "more"),
    "less": ("less", "got less {}", "less"),
}
"""What happened some ticks ago: of each first word only the latest is told, by these words and in this colour."""


Box = tuple[float, float, float, float]


def draw_badges(pen: Pen, zone: ZoneSnapshot, events: tuple[Event, ...], tick: int, why: str, box: Box) -> None:
    """Draw labels into a box, the most urgent first, as many as fit.

    Args:
        pen: Draws them.
        zone: What is now.
        events: What happened to it lately, the oldest first.
        tick: The present one.
        why: Why its users suffer; empty where they do not, or nobody knows.
        box: Left, top, width and height.
    """
    x, y, width, height = box
    right = x + width
    for label, colour, is_now in _badges(zone, events, tick, why):
        wide = pen.width(label, _SIZE) + 5.0
        if x == box[0]:
            wide = min(wide, width)  # the first one is rather cut than left out
        if x + wide > right:
            break
        pen.rectangle(x, y, wide, height, colour if is_now else None, colour, corner=2.5)
        pen.text(x + 2.5, y + height / 2, label, _SIZE, "card" if is_now else "muted", room=wide - 4.0)
        x += wide + 3.0


def _badges(zone: ZoneSnapshot, events: tuple[Event, ...], tick: int, why: str) -> list[tuple[str, str, bool]]:
    crowd = f"arrivals ×{zone.crowd:.1f}" if zone.crowd >= CROWDED else "crowd comes"
    everything = (
        (bool(why), why, "down" if zone.down else "suffering"),
        (zone.stale_s > 0.0, f"no metrics {zone.stale_s:.0f} s", "muted"),
        (zone.crowded and crowd not in why, crowd, "less"),
        (zone.hands_over, f"hands over {100 * zone.handover:.0f} %", "fine"),
        *(_change(name, change) for name, change in zip(SHORT_NAMES, zone.change, strict=True)),
    )
    now = [(label, colour, True) for holds, label, colour in everything if holds]
    return [*now, *_past(zone, events, tick)]


def _past(zone: ZoneSnapshot, events: tuple[Event, ...], tick: int) -> list[tuple[str, str, bool]]:
    """Return what happened in the ticks before and is over, the latest first; and how often it was killed."""
    found: dict[str, tuple[str, str, bool]] = {}
    for event in reversed(events):
        if event.kind in _PAST and event.tick < tick:
            about, label, colour = _PAST[event.kind]
            found.setdefault(about, (label.format(event.what).rstrip(), faded(colour, tick - event.tick), False))
    if zone.down:
        found.pop("service", None)
    restarts = [(f"{zone.kills} restart{'s' * (zone.kills > 1)}", "down", False)] if zone.kills else []
    return [*found.values(), *restarts]


def _change(name: str, change: float) -> tuple[bool, str, str]:
    """Return what the controller did to one resource, in words."""
    return abs(change - 1.0) > NOTICEABLE, f"{name} {change_words(change)}", "more" if change > 1.0 else "less"
