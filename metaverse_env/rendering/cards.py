"""One zone as a card: everything, the essentials, or a dot, by how much room there is.

A card answers, from left to right: how many users, how they fare, which resource is short, what the controller did
about it, and what is expected. Lengths are those of :data:`~metaverse_env.rendering.layout.CARDS`.
"""

from collections.abc import Callable
from typing import Final

from metaverse_env.rendering.layout import CARDS, Level
from metaverse_env.rendering.marks import (
    ENLARGED,
    SHORT_NAMES,
    Expected,
    draw_badges,
    draw_bar,
    draw_change,
    draw_fan,
    draw_latency,
    draw_users,
    latency_words,
)
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Severity, Snapshot, ZoneSnapshot
from metaverse_env.units import CPU

AMOUNTS: Final = ("CPU {:.2f} of {:.2f} cores", "Memory {:.0f} of {:.0f} MB", "Network {:.0f} of {:.0f} Mbps")
"""Usage and allocation in their units, on an enlarged card."""

SECONDS_PER_MINUTE: Final = 60.0

Draw = Callable[[Pen, ZoneSnapshot, Snapshot], None]


def draw_card(pen: Pen, zone: ZoneSnapshot, world: Snapshot, level: Level) -> None:
    """Draw one zone at the pen."""
    _DRAW[level](pen, zone, world)


def _draw_full(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "full", severity, corner=5.0)
    _draw_title(pen, zone)
    draw_users(pen, zone, world, severity, 28.0, 44.0, 22.0)
    pen.text(28.0, 74.0, f"{zone.users:.0f}", 12.0, align="middle", room=48.0)
    if pen.scale >= ENLARGED:
        pen.text(28.0, 83.0, "users", 5.0, "muted", "middle")
    draw_latency(pen, zone, severity, (56.0, 21.0, 68.0, 19.0), 14.0)
    right = 126.0 if zone.latency_ahead_ms else 182.0
    for resource in range(3):
        _draw_row(pen, zone, resource, 50.0 + 14.0 * resource, right)
    if zone.latency_ahead_ms:
        _draw_forecasts(pen, zone, world)
    draw_badges(pen, zone)


def _draw_compact(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "compact", severity, corner=3.0)
    pen.text(5.0, 9.0, zone.name, 10.0, room=49.0)
    if zone.hands_over:
        pen.pointer(33.0, 45.0, 3.0, "fine")
    draw_users(pen, zone, world, severity, 17.0, 28.0, 11.0)
    pen.text(17.0, 45.0, f"{zone.users:.0f}", 10.0, "muted", "middle", room=26.0)
    draw_latency(pen, zone, severity, (56.0, 2.5, 43.0, 13.0), 10.0)
    for resource in range(3):
        y = 24.0 + 9.0 * resource
        draw_bar(pen, zone, resource, (38.0, y - 2.5, 48.0, 5.0))
        draw_change(pen, zone.change[resource], 94.0, y, 3.5)


def _draw_dot(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    severity = zone.severity(world.objective_ms)
    _draw_frame(pen, "dot", severity, corner=2.0)
    draw_users(pen, zone, world, severity, 15.0, 15.75, 12.5)
    if zone.down:
        pen.text(44.0, 15.75, latency_words(zone), 9.5, align="middle", room=33.0)
        return
    pen.text(31.0, 9.5, latency_words(zone, ms=""), 10.5, room=21.0)
    busiest = max(range(3), key=lambda resource: zone.utilisation[resource])
    draw_bar(pen, zone, busiest, (31.0, 20.0, 27.0, 5.0))
    if zone.hands_over:
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


def _draw_forecasts(pen: Pen, zone: ZoneSnapshot, world: Snapshot) -> None:
    span = f"next {world.ticks_ahead[-1] * world.tick_s / SECONDS_PER_MINUTE:.0f} min"
    latency = Expected(zone.latency_ms, zone.latency_ahead_ms, world.objective_ms, "ms", f"latency, {span}")
    cpu = Expected(zone.usage[CPU], zone.cpu_ahead_cores, zone.pending[CPU], "CPU", f"CPU, {span}")
    draw_fan(pen, world.ticks_ahead, latency, 21.0)
    draw_fan(pen, world.ticks_ahead, cpu, 52.0)


def _draw_title(pen: Pen, zone: ZoneSnapshot) -> None:
    used = pen.text(8.0, 11.0, zone.name, 12.0, room=100.0)
    if zone.activity:
        doing = f"{zone.activity} » {zone.announced}" if zone.announced else zone.activity
        pen.text(192.0, 11.5, doing, 10.0, "muted", "right", room=178.0 - used)


def _draw_row(pen: Pen, zone: ZoneSnapshot, resource: int, y: float, right: float) -> None:
    """Draw one resource of a full card up to ``right``; enlarged, with amounts."""
    if pen.scale < ENLARGED:
        pen.text(56.0, y, SHORT_NAMES[resource], 9.0, "muted")
        draw_bar(pen, zone, resource, (80.0, y - 3.5, right - 80.0, 7.0))
        draw_change(pen, zone.change[resource], right + 7.0, y, 3.5)
    else:
        amounts = AMOUNTS[resource].format(zone.usage[resource], zone.allocation[resource])
        pen.text(56.0, y - 4.0, amounts, 5.0, "muted", room=right - 48.0)
        draw_bar(pen, zone, resource, (56.0, y + 0.5, right - 58.0, 4.5))
        draw_change(pen, zone.change[resource], right + 5.0, y + 2.5, 3.0)
