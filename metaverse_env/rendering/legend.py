"""The legend below the zones: what discs, bars, marks and curves mean, for the level of card that is shown."""

from metaverse_env.rendering.layout import LEGEND, REFERENCE, Level
from metaverse_env.rendering.marks import FULL, MOST_SHOWN, NEARLY_FULL
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NEAR_OBJECTIVE, Snapshot

_SIZE = 11.0
_AFTER_KEY = 5.0
_AFTER_TEXT = 16.0


class _Row:
    """One line of keys and their meanings, from left to right."""

    def __init__(self, pen: Pen, y: float) -> None:
        self.pen, self.y, self.x = pen, y, 16.0

    def say(self, text: str) -> None:
        self.x += self.pen.text(self.x, self.y, text, _SIZE, "muted", room=REFERENCE[0] - 16.0 - self.x) + _AFTER_TEXT

    def disc(self, colour: str, text: str) -> None:
        self.pen.circle(self.x + 5.0, self.y, 5.0, colour)
        self.x += 10.0 + _AFTER_KEY
        self.say(text)

    def triangle(self, up: bool, colour: str, text: str) -> None:
        self.pen.triangle(self.x + 4.0, self.y, 4.0, up, colour)
        self.x += 8.0 + _AFTER_KEY
        self.say(text)

    def pointer(self, text: str) -> None:
        self.pen.pointer(self.x + 4.0, self.y, 4.0, "fine")
        self.x += 8.0 + _AFTER_KEY
        self.say(text)

    def bar(self, text: str) -> None:
        """Explain the bars by one: allocation as frame, 60 % in use, 130 % asked for."""
        whole = 40.0 / MOST_SHOWN
        self.pen.rectangle(self.x, self.y - 3.5, whole, 7.0, "held", "muted")
        self.pen.rectangle(self.x, self.y - 3.5, 0.6 * whole, 7.0, "in_use")
        self.pen.rectangle(self.x + 1.3 * whole - 0.75, self.y - 5.0, 1.5, 10.0, "ink")
        self.x += 40.0 + _AFTER_KEY
        self.say(text)

    def fan(self, text: str) -> None:
        """Explain the forecasts by one."""
        x, y = self.x, self.y
        self.pen.polygon(((x, y + 4.0), (x + 30.0, y - 6.0), (x + 30.0, y + 1.0)), "band")
        self.pen.line(((x, y - 1.0), (x + 30.0, y - 1.0)), "muted")
        self.pen.line(((x, y + 4.0), (x + 30.0, y + 1.0)), "fine", 1.5)
        self.x += 30.0 + _AFTER_KEY
        self.say(text)


def draw_legend(pen: Pen, world: Snapshot, level: Level, width: float) -> None:
    """Draw the legend of a level, ``width`` wide, ``pen`` standing at its upper left corner."""
    pen.rectangle(0.0, 4.0, width, LEGEND - 4.0, "card")
    _draw_colours(_Row(pen, 16.0), world.objective_ms)
    if level != "point":
        _draw_keys(_Row(pen, 34.0), world, level)


def _draw_colours(row: _Row, objective_ms: float) -> None:
    row.say("Disc: area is users; colour is p95 latency")
    row.disc("fine", "good")
    row.disc("near", f"above {NEAR_OBJECTIVE * objective_ms:.0f} ms")
    row.disc("over", f"above {objective_ms:.0f} ms: users suffer")
    row.disc("down", "down")
    row.triangle(True, "more", "asked for more")
    row.triangle(False, "less", "asked for less in this tick")


def _draw_keys(row: _Row, world: Snapshot, level: Level) -> None:
    shown = "busiest resource" if level == "dot" else "CPU, memory, network"
    alarm = f"orange from {100 * NEARLY_FULL:.0f} %, red from {100 * FULL:.0f} %"
    row.bar(f"{shown}: in use of allocation (frame); mark: asked for; {alarm}, grey: old metrics")
    if level != "full":
        row.pointer("hands over new sessions")
    elif world.ticks_ahead:
        row.fan("forecast: median, band to p90; orange: p90, red: median above objective / CPU asked")
