"""The ticker: what is sent to a cluster and asked of a server, or else what happens; the latest below."""

from typing import Final

from metaverse_env.rendering.interface import Interface, Message, MessageKind
from metaverse_env.rendering.layout import FOOTER
from metaverse_env.rendering.news import Line, news
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

LINES: Final = 5
MOST_READ: Final = 100
"""Events that are read for the latest lines, where many befall zones in one tick. [choice]"""

_SIZE: Final = 10.6
_PITCH: Final = 14.0
_TAGS: Final[dict[MessageKind, tuple[str, str]]] = {
    "simulated": ("simulated", "muted"),
    "dry-run": ("dry run", "less"),
    "real": ("REAL", "over"),
    "server": ("server", "fine"),
    "note": ("", "ink"),
    "event": ("", "ink"),
}
"""Word and colour of the tag before a message; notes and events have none."""


def draw_ticker(pen: Pen, world: Snapshot, interface: Interface, width: float) -> None:
    """Draw the latest messages and events, ``pen`` standing at the upper left corner."""
    pen.rectangle(0.0, 2.0, width, FOOTER - 2.0, "card")
    pen.rectangle(0.0, 8.0, 1.0, FOOTER - 16.0, "line")
    for place, message in enumerate(latest(world, interface)):
        _draw_line(pen, message, 11.5 + _PITCH * place, width)


def latest(world: Snapshot, interface: Interface) -> tuple[Message | Line, ...]:
    """Return the lines to show, the oldest first: messages, or where nobody sends any, events."""
    if interface.messages:
        return interface.board or interface.messages[-LINES:]
    return news(world, world.trail.events[-MOST_READ:], interface.any_script)[-LINES:]


def _draw_line(pen: Pen, line: Message | Line, y: float, width: float) -> None:
    x = 10.0
    x += pen.text(x, y, _time(line.time_s), _SIZE, "muted") + 6.0
    if isinstance(line, Line):
        pen.text(x, y, line.words, _SIZE, "over" if line.bad else "ink", room=width - x - 8.0)
        return
    word, colour = _TAGS[line.kind]
    if word:
        wide = pen.width(word, _SIZE) + 8.0
        pen.rectangle(x, y - 6.0, wide, 12.0, colour, corner=3.0)
        pen.text(x + 4.0, y, word, _SIZE, "card")
        x += wide + 5.0
    text = line.text if line.ok or line.kind in ("note", "event") else f"FAILED: {line.text}"
    pen.text(x, y, text, _SIZE, "ink" if line.ok else "over", room=width - x - 8.0)


def _time(time_s: float) -> str:
    """Return a time of day.

    >>> _time(9 * 3600 + 65.0)
    '09:01:05'
    """
    hour, rest = divmod(int(time_s % SECONDS_PER_DAY), int(SECONDS_PER_HOUR))
    return f"{hour:02d}:{rest // 60:02d}:{rest % 60:02d}"
