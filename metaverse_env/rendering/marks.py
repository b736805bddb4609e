"""The parts of a card: disc, latency, bars, triangles, forecasts, labels. Each says one thing about one zone."""

from math import sqrt
from typing import Final, NamedTuple

from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NOTICEABLE, Severity, Snapshot, ZoneSnapshot

SHORT_NAMES: Final = ("CPU", "MEM", "NET")
"""Of the resources, where there is little room."""

MOST_SHOWN: Final = 1.6
"""Multiple of the allocation at which a bar ends; the largest discrete factor of the catalogue."""

NEARLY_FULL: Final = 0.8
FULL: Final = 0.95
"""Utilisation from which a bar warns, and from which it alarms; a choice."""

MULTIPLE_FROM: Final = 3.0
"""Factor from which a change is told as a multiple and no longer in percent; a choice."""

LARGEST_MULTIPLE: Final = 100.0
"""Multiple from which it is no longer told how large it is; a choice."""

ENLARGED: Final = 1.9
"""Scale from which a full card says more in smaller letters; a choice."""

Box = tuple[float, float, float, float]


class Expected(NamedTuple):
    """A value now, its forecast as (median, p90) per tick ahead, the limit it should keep, and two captions."""

    now: float
    ahead: tuple[tuple[float, float], ...]
    limit: float
    short: str
    long: str


def draw_users(
    pen: Pen, zone: ZoneSnapshot, world: Snapshot, severity: Severity, x: float, y: float, most: float
) -> None:
    """Draw a disc whose area grows with the users."""
    radius = most * sqrt(min(zone.users / world.trail.most_users, 1.0))
    pen.circle(x, y, max(radius, 1.5 / pen.scale), severity)


def latency_words(zone: ZoneSnapshot, ms: str = " ms") -> str:
    """Return the latency in words; from a second on in seconds, which is shorter."""
    if zone.down:
        return "OOM" if zone.out_of_memory else "DOWN"
    return f"{zone.latency_ms:.0f}{ms}" if zone.latency_ms < 999.5 else f"{zone.latency_ms / 1000.0:.1f}s"


def draw_latency(pen: Pen, zone: ZoneSnapshot, severity: Severity, box: Box, size: float) -> None:
    """Draw the latency on a pill of the severity's colour."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, severity, corner=height / 2)
    colour = "ink" if severity == "near" else "card"
    pen.text(x + width / 2, y + height / 2, latency_words(zone), size, colour, "middle", room=width - 4.0)


def draw_bar(pen: Pen, zone: ZoneSnapshot, resource: int, box: Box) -> None:
    """Draw the allocation as a frame, what is in use as its filling, and what is asked for as a mark."""
    x, y, width, height = box
    whole = width / MOST_SHOWN
    used = min(zone.utilisation[resource], MOST_SHOWN)
    given = zone.allocation[resource]
    asked = min(zone.pending[resource] / given, MOST_SHOWN) if given > 0.0 else 0.0
    pen.rectangle(x, y, whole, height, "held", "muted")
    pen.rectangle(x, y, whole * used, height, _filling(zone, used))
    pen.rectangle(x + whole * asked - 0.75, y - 1.5, 1.5, height + 3.0, "ink")


def _filling(zone: ZoneSnapshot, used: float) -> str:
    if zone.stale_s > 0.0:
        return "muted"
    return "over" if used >= FULL else "near" if used >= NEARLY_FULL else "in_use"


def draw_change(pen: Pen, change: float, x: float, y: float, half: float) -> None:
    """Draw what the controller did in this tick: a triangle up or down, or nothing."""
    if abs(change - 1.0) > NOTICEABLE:
        up = change > 1.0
        pen.triangle(x, y, half, up, "more" if up else "less")


def draw_fan(pen: Pen, ticks: tuple[int, ...], expected: Expected, y: float) -> None:
    """Draw median and p90 of a forecast over its limit, 0 to 2, from now to the last tick ahead."""
    x, width, height, limit = 143.0, 49.0, 28.0, expected.limit

    def place(tick: int, value: float) -> tuple[float, float]:
        share = min(value / limit, 2.0) / 2.0 if limit > 0.0 else 0.0
        return x + width * tick / ticks[-1], y + height * (1.0 - share)

    medians, p90s = zip(*expected.ahead, strict=True)
    start, median = place(0, expected.now), tuple(map(place, ticks, medians))
    colour = "over" if max(medians) > limit else "near" if max(p90s) > limit else "fine"
    pen.rectangle(x, y, width, height, "paper")
    pen.polygon((start, *map(place, ticks, p90s), *reversed(median)), "band")
    pen.line(((x, y + height / 2), (x + width, y + height / 2)), "muted")
    pen.line((start, *median), colour, 1.5)
    if pen.scale < ENLARGED:
        pen.text(x + 2.0, y + 5.0, expected.short, 9.0, "muted")
    else:
        pen.text(x + 1.0, y + 4.0, expected.long, 4.6, "muted", room=width - 2.0)


def draw_badges(pen: Pen, zone: ZoneSnapshot) -> None:
    """Draw what else is remarkable as labels along the lower edge, the most urgent first, as many as fit."""
    x = 8.0
    for label, colour in _badges(zone):
        width = pen.width(label, 9.0) + 6.0
        if x + width > 194.0:
            break
        pen.rectangle(x, 86.5, width, 12.0, colour, corner=3.0)
        pen.text(x + 3.0, 92.5, label, 9.0, "card")
        x += width + 3.0


def _badges(zone: ZoneSnapshot) -> list[tuple[str, str]]:
    everything = (
        (zone.out_of_memory, "out of memory", "down"),
        (zone.stale_s > 0.0, f"no metrics {zone.stale_s:.0f} s", "muted"),
        (zone.hands_over, f"handover {100 * zone.handover:.0f} %", "fine"),
        *(_change_badge(name, change) for name, change in zip(SHORT_NAMES, zone.change, strict=True)),
        (zone.kills > 0, f"{zone.kills} restart{'s' * (zone.kills > 1)}", "down"),
    )
    return [(label, colour) for holds, label, colour in everything if holds]


def _change_badge(name: str, change: float) -> tuple[bool, str, str]:
    """Return what the controller did to one resource, in words."""
    return abs(change - 1.0) > NOTICEABLE, f"{name} {change_words(change)}", "more" if change > 1.0 else "less"


def change_words(change: float) -> str:
    """Return a factor in words: as a percentage while that is easily read, then as a multiple, up to what fits.

    What cannot take effect, such as memory that the node does not have, can be asked for many times over.

    >>> change_words(0.7), change_words(1.2), change_words(55.19), change_words(1e6)
    ('−30 %', '+20 %', '×55', '×100+')
    """
    if change < MULTIPLE_FROM:
        return f"{100.0 * (change - 1.0):+.0f} %".replace("-", "−")
    return f"×{change:.0f}" if change < LARGEST_MULTIPLE else f"×{LARGEST_MULTIPLE:.0f}+"
