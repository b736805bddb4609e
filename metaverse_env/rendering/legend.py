"""The legend below the zones: what dots, colours, bars, marks and curves mean, for the level of card that is shown."""

from typing import Final, NamedTuple

from metaverse_env.rendering.colours import CALLED
from metaverse_env.rendering.designs import Level
from metaverse_env.rendering.icons import draw_icon
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import FOOTER
from metaverse_env.rendering.marks import FULL, MOST_SHOWN, NEARLY_FULL
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shelves import draw_ground
from metaverse_env.rendering.snapshot import NEAR_OBJECTIVE, Snapshot

LEGEND_WIDTH: Final = 786.0
"""Of the legend beside a ticker; alone, it has all of the width."""

_SIZE = 10.6
_PITCH = 14.0
_AFTER_KEY = 4.0
_AFTER_TEXT = 12.0


class _Row:
    """One line of keys and their meanings, from left to right."""

    def __init__(self, pen: Pen, place: int, width: float) -> None:
        self.pen, self.y, self.x, self.right = pen, 11.5 + _PITCH * place, 16.0, width - 8.0

    def say(self, text: str) -> None:
        self.x += self.pen.text(self.x, self.y, text, _SIZE, "muted", room=self.right - self.x) + _AFTER_TEXT

    def key(self, wide: float) -> tuple[float, float]:
        """Return the middle of a key that is so wide, and step behind it."""
        x, self.x = self.x + wide / 2, self.x + wide + _AFTER_KEY
        return x, self.y

    def disc(self, colour: str, radius: float, text: str) -> None:
        self.pen.circle(*self.key(2 * radius), radius, colour)
        self.say(text)

    def triangle(self, up: bool, colour: str, text: str) -> None:
        self.pen.triangle(*self.key(8.0), 4.0, up, colour)
        self.say(text)

    def pointer(self, text: str) -> None:
        self.pen.pointer(*self.key(8.0), 4.0, "fine")
        self.say(text)

    def icon(self, name: str) -> None:
        draw_icon(self.pen, name, *self.key(10.0), 5.0, "muted")
        self.say(name)

    def pill(self, colour: str, text: str) -> None:
        x, y = self.key(18.0)
        self.pen.rectangle(x - 9.0, y - 4.5, 18.0, 9.0, colour, corner=4.5)
        self.say(text)

    def bar(self, text: str) -> None:
        """Explain the bars by one: allocation as frame, 60 % in use, 130 % asked for."""
        whole, (x, y) = 36.0 / MOST_SHOWN, self.key(36.0)
        self.pen.rectangle(x - 18.0, y - 3.5, whole, 7.0, "held", "muted")
        self.pen.rectangle(x - 18.0, y - 3.5, 0.6 * whole, 7.0, "in_use")
        self.pen.rectangle(x - 18.75 + 1.3 * whole, y - 5.0, 1.5, 10.0, "ink")
        self.say(text)

    def ring(self, text: str) -> None:
        self.pen.circle(*self.key(10.0), 5.0, None, "less", 1.5)
        self.say(text)

    def curve(self, text: str) -> None:
        """Explain curves without a forecast by one."""
        x, y = self.key(36.0)
        self.pen.line(((x - 18.0, y - 3.0), (x + 18.0, y - 3.0)), "muted", 1.0)
        self.pen.line(((x - 18.0, y + 2.0), (x - 4.0, y + 4.0), (x + 8.0, y), (x + 18.0, y + 2.0)), "ink", 1.5)
        self.say(text)

    def fan(self, text: str) -> None:
        """Explain curves with a forecast by one."""
        x, y = self.key(36.0)
        self.pen.polygon(((x, y + 3.0), (x + 9.0, y - 3.0), (x + 9.0, y + 2.0)), "fine/50")
        self.pen.polygon(((x + 9.0, y + 2.0), (x + 9.0, y - 3.0), (x + 18.0, y - 5.0), (x + 18.0, y)), "fine/15")
        self.pen.line(((x - 18.0, y + 2.0), (x - 8.0, y + 4.0), (x, y + 3.0)), "ink", 1.5)
        self.pen.line(((x, y + 3.0), (x + 18.0, y)), "fine", 1.5)
        self.say(text)

    def shelf(self, text: str, taken: float = 0.0, lost: bool = False, wide: float = 24.0) -> None:
        x, y = self.key(wide)
        draw_ground(self.pen, (x - wide / 2, y - 4.0, wide, 8.0), taken, lost)
        self.say(text)


class Meaning(NamedTuple):
    """What a legend explains: all that it depends on.

    Attributes:
        level: How much a card tells.
        weight: Users that a dot stands for.
        objective_ms: The p95 latency that users must not exceed.
        forecasts: Whether there are any.
        nodes: Whether they are shown.
        activities: Which ones are shown.
    """

    level: Level
    weight: int
    objective_ms: float
    forecasts: bool | None
    nodes: bool
    activities: tuple[str, ...]


def meaning(world: Snapshot, interface: Interface, level: Level, weight: int) -> Meaning:
    """Return what the legend of a picture has to explain; ``forecasts`` is ``None`` where no curve is shown."""
    forecasts = bool(world.ticks_ahead) if interface.shows("forecast") else None
    nodes = interface.shows("nodes") and bool(world.nodes)
    activities = world.activities if interface.shows("activities") else ()
    return Meaning(level, weight, world.objective_ms, forecasts, nodes, activities)


def draw_legend(pen: Pen, about: Meaning, width: float) -> None:
    """Draw the legend, ``width`` wide, ``pen`` standing at its upper left corner."""
    pen.rectangle(0.0, 2.0, width, FOOTER - 2.0, "card")
    _draw_users(_Row(pen, 0, width), about)
    _draw_colours(_Row(pen, 1, width), about.objective_ms)
    if about.level == "point":
        return
    alarm = f"{_ALARMS}, grey: old metrics"
    shown = "busiest resource" if about.level == "dot" else "CPU, memory, network"
    _Row(pen, 2, width).bar(f"{shown}: in use, of what is given (frame); mark: asked for; {alarm}")
    _draw_deeds(_Row(pen, 3, width), about)
    _draw_ground(_Row(pen, 4, width), about)


_ALARMS: Final = f"{CALLED['near']} from {100 * NEARLY_FULL:.0f} %, {CALLED['over']} from {100 * FULL:.0f} %"


def _draw_users(row: _Row, about: Meaning) -> None:
    if about.level == "point":
        row.say("A square is a zone")
        return
    row.disc("here", 3.0, f"1 dot = {about.weight} users" if about.weight > 1 else "1 dot = 1 user")
    row.disc("arriving", 3.0, "comes (flies in)")
    row.disc("leaving", 3.0, "leaves (flies out)")
    row.disc("travelling", 3.0, "moves to a neighbour")
    row.disc("suffering", 3.0, "in a zone that suffers")
    row.ring("an event draws a crowd")


def _draw_colours(row: _Row, objective_ms: float) -> None:
    row.pill("fine", f"p95 latency up to {NEAR_OBJECTIVE * objective_ms:.0f} ms")
    row.pill("near", f"up to the objective of {objective_ms:.0f} ms")
    row.pill("over", f"above {objective_ms:.0f} ms, thick border: users suffer")
    row.pill("down", "down")


def _draw_deeds(row: _Row, about: Meaning) -> None:
    row.triangle(True, "more", "asked for more")
    row.triangle(False, "less", "for less in this tick")
    row.pointer("hands over to a neighbour")
    if about.level == "full" and about.forecasts is not None:
        if about.forecasts:
            row.fan("p95 latency, forecast: median to p90; line: objective")
        else:
            row.curve("p95 latency; line: objective")


def _draw_ground(row: _Row, about: Meaning) -> None:
    if about.nodes:
        row.shelf("node, filled by what it has given", 0.6)
        row.shelf(f"{100 * NEARLY_FULL:.0f} %", 0.9, wide=14.0)
        row.shelf(f"{100 * FULL:.0f} %", 1.0, wide=14.0)
        row.shelf("lost", lost=True)
    for name in about.activities:
        if row.x + 16.0 + row.pen.width(name, _SIZE) < row.right:
            row.icon(name)
