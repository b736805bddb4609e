"""One zone as a card: everything, the essentials, or a dot, by how much room there is.

A card answers: who is here and how many, how they fare, which resource is short, what the controller did about it,
what users do and announce, and what is expected. Lengths are those of :data:`~metaverse_env.rendering.layout.CARDS`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from metaverse_env.rendering.badges import draw_badges
from metaverse_env.rendering.causes import cause
from metaverse_env.rendering.chronicle import Event
from metaverse_env.rendering.designs import CARDS, Level
from metaverse_env.rendering.icons import draw_icon, draw_person
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.marks import (
    ENLARGED,
    count_words,
    draw_bar,
    draw_change,
    draw_curve,
    draw_latency,
    latency_words,
)
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import SHORT_NAMES, Severity, Snapshot, ZoneSnapshot
from metaverse_env.rendering.walking import Crowding

AMOUNTS: Final = ("CPU {:.2f} of {:.2f} cores", "Memory {:.0f} of {:.0f} MB", "Network {:.0f} of {:.0f} Mbps")
"""Usage and allocation in their units, on an enlarged card."""

SECONDS_PER_MINUTE: Final = 60.0


class Subject(NamedTuple):
    """What a card is about.

    Attributes:
        number: Of the zone, from 0.
        zone: It.
        world: Where it is.
        interface: What is shown.
        severity: How its users fare.
        crowd: How they are drawn.
        past_ms: Its latency at the latest ticks, the present one last.
        events: What happened to it lately, the oldest first.
    """

    number: int
    zone: ZoneSnapshot
    world: Snapshot
    interface: Interface
    severity: Severity
    crowd: Crowding
    past_ms: tuple[float, ...]
    events: tuple[Event, ...] = ()

    @property
    def name(self) -> str:
        """Of the zone, as it can be written."""
        return spelled(self.zone.name, self.number + 1, self.interface.any_script)


Draw = Callable[[Pen, Subject], None]


def draw_frame(pen: Pen, subject: Subject, level: Level) -> None:
    """Draw the card itself; a zone that suffers is tinted and has a thick border, the selected one a second one."""
    design, severity = CARDS[level], subject.severity
    if level == "point":
        pen.rectangle(0.0, 0.0, design.width, design.height, severity)
        return
    thickness = {"fine": 1.0, "near": 1.0, "over": 2.0, "down": 2.0}[severity]
    edge = "line" if severity == "fine" else severity
    corner = {"full": 5.0, "compact": 3.0}.get(level, 2.0)
    pen.rectangle(0.0, 0.0, design.width, design.card, f"{severity}_card", edge, thickness, corner)
    if subject.interface.selected == subject.number:
        pen.rectangle(-2.5, -2.5, design.width + 5.0, design.card + 5.0, None, "ink", 2.0, corner)


def draw_card(pen: Pen, subject: Subject, level: Level) -> None:
    """Draw what a card tells, on its frame and the streets."""
    if level == "point":
        return
    _draw_crowd(pen, subject, level)
    _DRAW[level](pen, subject)


def _draw_crowd(pen: Pen, subject: Subject, level: Level) -> None:
    """Draw the ground on which a zone's users stand: as large as they need; filled where they are not shown."""
    (x, y), severity = CARDS[level].crowd, subject.severity
    radius = max(subject.crowd.radius(subject.zone.users) / pen.scale, 0.1 * CARDS[level].radius)
    ground = f"{severity}_card" if subject.interface.shows("users") else severity
    edge = severity if severity != "near" else "near"
    pen.circle(x, y, radius + 2.0, ground, edge, 1.0 if severity == "fine" else 2.0)
    if subject.zone.crowded:
        pen.circle(x, y, radius + 4.5, None, "less", 1.5)


def _draw_full(pen: Pen, subject: Subject) -> None:
    zone, interface = subject.zone, subject.interface
    icons = _draw_activities(pen, subject, 190.0, 9.5, 5.5)
    pen.text(90.0, 10.0, subject.name, 12.0, room=icons - 92.0)
    draw_latency(pen, zone, subject.severity, (90.0, 18.0, 60.0, 15.0), 12.0)
    count = count_words(zone.users)
    wide = pen.text(195.0, 25.5, count, 11.0, align="right", room=30.0)
    draw_person(pen, 189.0 - wide, 25.5, 4.5, "muted")
    for resource in range(3):
        _draw_row(pen, zone, resource, 39.5 + 8.5 * resource)
    if interface.shows("forecast"):
        _draw_expected(pen, subject)
    if interface.shows("events"):
        why = cause(subject.world, zone)
        draw_badges(pen, zone, subject.events, subject.world.trail.tick, why, (90.0, 80.0, 105.0, 9.5))


def _draw_expected(pen: Pen, subject: Subject) -> None:
    zone, world = subject.zone, subject.world
    box = 90.0, 63.5, 105.0, 15.5
    draw_curve(pen, box, subject.past_ms, zone.latency_ahead_ms, world.ticks_ahead, world.objective_ms)
    if pen.scale >= ENLARGED:
        pen.text(91.0, 65.5, "p95 latency", 3.6, "muted")
        if zone.latency_ahead_ms:
            minutes = world.ticks_ahead[-1] * world.tick_s / SECONDS_PER_MINUTE
            pen.text(194.0, 65.5, f"expected, next {minutes:.0f} min", 3.6, "muted", "right", room=44.0)


def _draw_compact(pen: Pen, subject: Subject) -> None:
    zone = subject.zone
    icons = _draw_activities(pen, subject, 95.5, 7.5, 4.0, both=False)
    pen.text(41.0, 7.5, subject.name, 9.5, room=icons - 42.0)
    draw_latency(pen, zone, subject.severity, (41.0, 13.5, 38.0, 12.5), 9.5)
    pen.text(100.5, 20.0, count_words(zone.users), 8.0, "muted", "right", room=20.0)
    for resource in range(3):
        y = 30.5 + 6.0 * resource
        draw_bar(pen, zone, resource, (41.0, y - 2.0, 46.0, 4.0))
        draw_change(pen, zone.change[resource], 94.0, y, 2.7)
    if zone.hands_over:
        pen.pointer(6.0, 42.0, 3.5, "fine")


def _draw_dot(pen: Pen, subject: Subject) -> None:
    zone = subject.zone
    if zone.down:
        pen.text(45.0, 13.5, latency_words(zone), 9.5, align="middle", room=32.0)
        return
    pen.text(30.0, 7.0, latency_words(zone, ms=""), 10.5, room=23.0)
    busiest = max(range(3), key=lambda resource: zone.utilisation[resource])
    draw_bar(pen, zone, busiest, (30.0, 14.5, 28.0, 4.5))
    if zone.grew:
        pen.triangle(33.0, 24.5, 2.8, True, "more")
    if zone.shrank:
        pen.triangle(41.0, 24.5, 2.8, False, "less")
    if zone.hands_over:
        pen.pointer(49.0, 24.5, 2.8, "fine")
    if subject.interface.shows("activities") and zone.announced:
        draw_icon(pen, zone.announced, 57.0, 7.0, 3.5, "less")


_DRAW: Final[dict[Level, Draw]] = {"full": _draw_full, "compact": _draw_compact, "dot": _draw_dot}


def _draw_activities(pen: Pen, subject: Subject, right: float, y: float, radius: float, both: bool = True) -> float:
    """Draw what users do, and after an arrow what they announce, up to ``right``; return where that begins.

    Without room for ``both``, only what they announce, if they do.
    """
    zone = subject.zone
    if not zone.activity or not subject.interface.shows("activities"):
        return right + radius
    if not zone.announced:
        draw_icon(pen, zone.activity, right, y, radius, "muted")
        return right - radius
    pen.circle(right, y, 1.35 * radius, None, "less", 1.0)
    draw_icon(pen, zone.announced, right, y, 0.8 * radius, "less")
    if not both:
        return right - 1.4 * radius
    pen.pointer(right - 2.2 * radius, y, 0.42 * radius, "less")
    draw_icon(pen, zone.activity, right - 3.8 * radius, y, radius, "muted")
    return right - 4.8 * radius


def _draw_row(pen: Pen, zone: ZoneSnapshot, resource: int, y: float) -> None:
    """Draw one resource of a full card; enlarged, with amounts."""
    if pen.scale < ENLARGED:
        pen.text(90.0, y, SHORT_NAMES[resource], 8.49, "muted")  # just below their distance
        draw_bar(pen, zone, resource, (114.0, y - 2.75, 70.0, 5.5))
    else:
        amounts = AMOUNTS[resource].format(zone.usage[resource], zone.allocation[resource])
        pen.text(90.0, y - 3.6, amounts, 3.8, "muted", room=94.0)
        draw_bar(pen, zone, resource, (90.0, y - 1.1, 94.0, 2.4))
    draw_change(pen, zone.change[resource], 190.5, y, 3.2)
