"""One zone as a card: everything, the essentials, or a dot, by how much room there is.

A card answers, from left to right: how many users, how they fare, which resource is short, what the controller did
about it, and what is expected. Lengths are those of :data:`~metaverse_env.rendering.layout.CARDS`.
"""

from collections.abc import Callable
from math import sqrt
from typing import Final

from metaverse_env.rendering.layout import CARDS, Level
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NOTICEABLE, Severity, Snapshot, ZoneSnapshot

SHORT_NAMES: Final = ("CPU", "MEM", "NET")
"""Of the resources, on a full card."""

AMOUNTS: Final = ("CPU {:.2f} of {:.2f} cores", "Memory {:.0f} of {:.0f} MB", "Network {:.1f} of {:.1f} Mbps")
"""Usage and allocation in their units, on an enlarged card."""

MOST_SHOWN: Final = 1.6
"""Multiple of the allocation at which a bar ends; the largest discrete factor of the catalogue."""

NEARLY_FULL: Final = 0.8
FULL: Final = 0.95
"""Utilisation from which a bar warns, and from which it alarms; a choice."""

ENLARGED = 1.9
"""Scale from which a full card also tells amounts in their units."""

Draw = Callable[[Pen, ZoneSnapshot, Snapshot], None]


def draw_card(pen: Pen, zone: ZoneSnapshot, world: Snapshot, level: Level) -> None:
    """Draw one zone at the pen."""
    _DRAW[level](pen, zone, world)


def _draw_full(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "full", severity, corner=5.0)
    _draw_title(pen, zone)
    _draw_users(pen, zone, world, severity, 28.0, 44.0, 22.0)
    pen.text(28.0, 74.0, f"{zone.users:.0f}", 12.0, align="middle", room=48.0)
    if pen.scale >= ENLARGED:
        pen.text(28.0, 82.0, "users", 5.0, "muted", "middle")
    _draw_latency(pen, zone, severity, (56.0, 21.0, 68.0, 19.0), 14.0)
    right = 126.0 if zone.latency_ahead_ms else 182.0
    for resource in range(3):
        _draw_row(pen, zone, resource, 50.0 + 14.0 * resource, right)
    if zone.latency_ahead_ms:
        span_min = world.ticks_ahead[-1] * world.tick_s / 60.0
        fan = (zone.latency_ms, zone.latency_ahead_ms, world.objective_ms)
        _draw_fan(pen, world.ticks_ahead, *fan, 21.0, "ms", f"latency, next {span_min:.0f} min")
        fan = (zone.usage[0], zone.cpu_ahead_cores, zone.pending[0])
        _draw_fan(pen, world.ticks_ahead, *fan, 52.0, "CPU", f"CPU, next {span_min:.0f} min")
    _draw_badges(pen, zone)


def _draw_compact(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "compact", severity, corner=3.0)
    pen.text(5.0, 9.0, zone.name, 10.0, room=49.0)
    if zone.handover > 0.0:
        pen.pointer(33.0, 45.0, 3.0, "fine")
    _draw_users(pen, zone, world, severity, 17.0, 28.0, 11.0)
    pen.text(17.0, 45.0, f"{zone.users:.0f}", 10.0, "muted", "middle", room=26.0)
    _draw_latency(pen, zone, severity, (56.0, 2.5, 43.0, 13.0), 10.0)
    for resource in range(3):
        y = 24.0 + 9.0 * resource
        _draw_bar(pen, zone, resource, (38.0, y - 2.5, 48.0, 5.0))
        _draw_change(pen, zone.change[resource], 94.0, y, 3.5)


def _draw_dot(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "dot", severity, corner=2.0)
    _draw_users(pen, zone, world, severity, 15.0, 15.75, 12.5)
    if zone.down:
        pen.text(44.0, 15.75, _latency(zone), 9.5, align="middle", room=33.0)
        return
    pen.text(31.0, 9.5, _latency(zone, ms=""), 10.5, room=21.0)
    busiest = max(range(3), key=lambda resource: zone.utilisation[resource])
    _draw_bar(pen, zone, busiest, (31.0, 20.0, 27.0, 5.0))
    if zone.handover > 0.0:
        pen.pointer(5.0, 5.0, 2.5, "fine")
    if zone.grew:
        pen.triangle(56.0, 6.0, 3.0, True, "more")
    if zone.shrank:
        pen.triangle(56.0, 13.5, 3.0, False, "less")


def _draw_point(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    pen.rectangle(0.0, 0.0, *CARDS["point"], fill=zone.severity(world.objective_ms))


_DRAW: Final[dict[Level, Draw]] = {
    "full": _draw_full,
    "compact": _draw_compact,
    "dot": _draw_dot,
    "point": _draw_point,
}


def _draw_frame(pen: Pen, level: Level, severity: Severity, corner: float) -> None:
    """Draw the card itself; a zone that suffers is tinted and has a thick border."""
    thickness = {"fine": 1.0, "near": 1.0, "over": 2.0, "down": 2.0}[severity]
    edge = "line" if severity == "fine" else severity
    pen.rectangle(0.0, 0.0, *CARDS[level], f"{severity}_card", edge, thickness, corner)


def _draw_title(pen: Pen, zone: ZoneSnapshot) -> None:
    used = pen.text(8.0, 11.0, zone.name, 12.0, room=100.0)
    if zone.activity:
        doing = f"{zone.activity} » {zone.announced}" if zone.announced else zone.activity
        pen.text(192.0, 11.5, doing, 10.0, "muted", "right", room=178.0 - used)


def _draw_users(
    pen: Pen, zone: ZoneSnapshot, world: Snapshot, severity: Severity, x: float, y: float, most: float
) -> None:
    """Draw a disc whose area grows with the users."""
    radius = most * sqrt(min(zone.users / world.trail.most_users, 1.0))
    pen.circle(x, y, max(radius, 1.5 / pen.scale), severity)


def _latency(zone: ZoneSnapshot, ms: str = " ms") -> str:
    """Return the latency in words; from a second on in seconds, which is shorter."""
    if zone.down:
        return "OOM" if zone.out_of_memory else "DOWN"
    return f"{zone.latency_ms:.0f}{ms}" if zone.latency_ms < 999.5 else f"{zone.latency_ms / 1000.0:.1f}s"


def _draw_latency(
    pen: Pen, zone: ZoneSnapshot, severity: Severity, box: tuple[float, float, float, float], size: float
) -> None:
    """Draw the latency on a pill of the severity's colour."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, severity, corner=height / 2)
    colour = "ink" if severity == "near" else "card"
    pen.text(x + width / 2, y + height / 2, _latency(zone), size, colour, "middle", room=width - 4.0)


def _draw_row(pen: Pen, zone: ZoneSnapshot, resource: int, y: float, right: float) -> None:
    """Draw one resource of a full card up to ``right``; enlarged, with amounts."""
    if pen.scale < ENLARGED:
        pen.text(56.0, y, SHORT_NAMES[resource], 9.0, "muted")
        _draw_bar(pen, zone, resource, (80.0, y - 3.5, right - 80.0, 7.0))
        _draw_change(pen, zone.change[resource], right + 7.0, y, 3.5)
    else:
        amounts = AMOUNTS[resource].format(zone.usage[resource], zone.allocation[resource])
        pen.text(56.0, y - 4.0, amounts, 5.0, "muted", room=right - 48.0)
        _draw_bar(pen, zone, resource, (56.0, y + 0.5, right - 58.0, 4.5))
        _draw_change(pen, zone.change[resource], right + 5.0, y + 2.5, 3.0)


def _draw_bar(pen: Pen, zone: ZoneSnapshot, resource: int, box: tuple[float, float, float, float]) -> None:
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


def _draw_change(pen: Pen, change: float, x: float, y: float, half: float) -> None:
    """Draw what the controller did in this tick: a triangle up or down, or nothing."""
    if abs(change - 1.0) > NOTICEABLE:
        up = change > 1.0
        pen.triangle(x, y, half, up, "more" if up else "less")


def _draw_fan(
    pen: Pen,
    ticks: tuple[int, ...],
    now: float,
    ahead: tuple[tuple[float, float], ...],
    limit: float,
    y: float,
    short: str,
    long: str,
) -> None:
    """Draw median and p90 of a forecast over its limit, 0 to 2, from now to the last tick ahead."""
    x, width, height = 143.0, 49.0, 28.0

    def place(tick: int, value: float) -> tuple[float, float]:
        share = min(value / limit, 2.0) / 2.0 if limit > 0.0 else 0.0
        return x + width * tick / ticks[-1], y + height * (1.0 - share)

    median = tuple(place(tick, values[0]) for tick, values in zip(ticks, ahead, strict=True))
    p90 = tuple(place(tick, values[1]) for tick, values in zip(ticks, ahead, strict=True))
    worst = max(values[0] for values in ahead), max(values[1] for values in ahead)
    colour = "over" if worst[0] > limit else "near" if worst[1] > limit else "fine"
    pen.rectangle(x, y, width, height, "paper")
    pen.polygon((place(0, now), *p90, *reversed(median)), "band")
    pen.line(((x, y + height / 2), (x + width, y + height / 2)), "muted")
    pen.line((place(0, now), *median), colour, 1.5)
    if pen.scale < ENLARGED:
        pen.text(x + 2.0, y + 5.0, short, 9.0, "muted")
    else:
        pen.text(x + 1.0, y + 4.0, long, 4.6, "muted", room=width - 2.0)


def _draw_badges(pen: Pen, zone: ZoneSnapshot) -> None:
    """Draw what else is remarkable as labels along the lower edge, the most urgent first, as many as fit."""
    x = 8.0
    for label, colour in _badges(zone):
        width = pen.width(label, 9.0) + 8.0
        if x + width > 194.0:
            break
        pen.rectangle(x, 86.5, width, 12.0, colour, corner=3.0)
        pen.text(x + 4.0, 92.5, label, 9.0, "card")
        x += width + 4.0


def _badges(zone: ZoneSnapshot) -> list[tuple[str, str]]:
    everything = (
        (zone.out_of_memory, "out of memory", "down"),
        (zone.stale_s > 0.0, f"no metrics {zone.stale_s:.0f} s", "muted"),
        (zone.handover > 0.0, f"hands over {100 * zone.handover:.0f} %", "fine"),
        *(_change_badge(name, change) for name, change in zip(SHORT_NAMES, zone.change, strict=True)),
        (zone.kills > 0, f"{zone.kills} restart{'s' * (zone.kills > 1)}", "down"),
    )
    return [(label, colour) for holds, label, colour in everything if holds]


def _change_badge(name: str, change: float) -> tuple[bool, str, str]:
    """Return what the controller did to one resource, in words."""
    label = f"{name} {100.0 * (change - 1.0):+.0f} %".replace("-", "−")
    return abs(change - 1.0) > NOTICEABLE, label, "more" if change > 1.0 else "less"
