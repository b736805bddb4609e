"""The ticker: what is sent to a cluster and asked of a server, or else what happens; the latest below."""

from typing import Final

from metaverse_env.rendering.chronicle import Event
from metaverse_env.rendering.interface import Interface, Message, MessageKind
from metaverse_env.rendering.layout import FOOTER
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

LINES: Final = 5
FEW_ZONES: Final = 3
"""Zones up to which every change of an allocation is told; of more, only what else happens. [choice]"""

_SIZE: Final = 10.6
_PITCH: Final = 14.0
_TAGS: Final[dict[MessageKind, tuple[str, str]]] = {
    "simulated": ("simulated", "muted"),
    "dry-run": ("dry run", "less"),
    "real": ("REAL", "over"),
    "server": ("server", "fine"),
    "note": ("", "ink"),
}
"""Word and colour of the tag before a message; a note has none."""


def draw_ticker(pen: Pen, world: Snapshot, interface: Interface, width: float) -> None:
    """Draw the latest messages and events, ``pen`` standing at the upper left corner."""
    pen.rectangle(0.0, 2.0, width, FOOTER - 2.0, "card")
    pen.rectangle(0.0, 8.0, 1.0, FOOTER - 16.0, "line")
    for place, message in enumerate(latest(world, interface)):
        _draw_line(pen, message, 11.5 + _PITCH * place, width)


def latest(world: Snapshot, interface: Interface) -> tuple[Message | tuple[float, str], ...]:
    """Return the lines to show, the oldest first: messages, or where nobody sends any, events as (time, words)."""
    if interface.messages:
        return interface.messages[-LINES:]
    few = len(world.zones) <= FEW_ZONES
    told = [event for event in world.trail.events if few or event.kind not in ("more", "less")]
    return tuple((event.time_s, f"{_who(world, interface, event)} {event.text}") for event in told[-LINES:])


def _who(world: Snapshot, interface: Interface, event: Event) -> str:
    """Return the name of the zone, or of the node, to which something happened."""
    if event.zone < 0:
        return world.nodes[event.node].name if event.node < len(world.nodes) else f"node-{event.node + 1}"
    return spelled(world.zones[event.zone].name, event.zone + 1, interface.any_script)


def _draw_line(pen: Pen, line: Message | tuple[float, str], y: float, width: float) -> None:
    x = 10.0
    x += pen.text(x, y, _time(line[0]), _SIZE, "muted") + 6.0
    if not isinstance(line, Message):
        pen.text(x, y, line[1], _SIZE, room=width - x - 8.0)
        return
    word, colour = _TAGS[line.kind]
    if word:
        wide = pen.width(word, _SIZE) + 8.0
        pen.rectangle(x, y - 6.0, wide, 12.0, colour, corner=3.0)
        pen.text(x + 4.0, y, word, _SIZE, "card")
        x += wide + 5.0
    text = line.text if line.ok or line.kind == "note" else f"FAILED: {line.text}"
    pen.text(x, y, text, _SIZE, "ink" if line.ok else "over", room=width - x - 8.0)


def _time(time_s: float) -> str:
    """Return a time of day.

    >>> _time(9 * 3600 + 65.0)
    '09:01:05'
    """
    hour, rest = divmod(int(time_s % SECONDS_PER_DAY), int(SECONDS_PER_HOUR))
    return f"{hour:02d}:{rest // 60:02d}:{rest % 60:02d}"
