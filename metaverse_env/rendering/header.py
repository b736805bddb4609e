"""The band above the zones: what matters, as figures, curves and two sentences.

Lengths are those of a picture of :data:`~metaverse_env.rendering.layout.REFERENCE` size.
"""

from typing import Final, Literal

from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import HEADER
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.marks import count_words
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import Snapshot, ZoneSnapshot
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

Way = Literal["more", "less"]

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MOST_NAMED: Final = 6
"""Zones that are named in a sentence; the others are counted."""

_MOST_TOLD: Final = 3
"""Changes that are told in a sentence, where there is room; the others are counted."""

_ROOM: Final = 1010.0
"""Of that sentence."""


def draw_header(pen: Pen, world: Snapshot, interface: Interface, width: float) -> None:
    """Draw, on a band ``width`` wide, name, clock, key figures, curves of the episode, and two sentences."""
    pen.rectangle(0.0, 0.0, width, HEADER - 4.0, "card")
    _draw_name(pen, world, interface)
    users = sum(zone.users for zone in world.zones)
    _draw_figure(pen, 322.0, count_words(users), "users", 92.0)
    curves = interface.shows("curves")
    if world.money is not None:
        money = world.money
        _draw_figure(pen, 418.0, f"{money.total_eur_per_h:.2f} EUR/h", _cost(world), 226.0)
        above = f"of users above {world.objective_ms:.0f} ms"
        _draw_figure(pen, 752.0, f"{100 * money.violated_share:.1f} %", above, 142.0)
        _draw_figure(pen, 1006.0, f"{money.reward:.2f}".replace("-", "−"), "reward", 96.0)
    if curves:
        _draw_curve(pen, world.trail.costs, (650.0, 9.0, 86.0, 36.0), "ink", 0.0)
        _draw_curve(pen, world.trail.violated, (900.0, 9.0, 90.0, 36.0), "over", 0.0)
        _draw_curve(pen, world.trail.rewards, (1106.0, 9.0, 158.0, 36.0), "fine", None)
    pen.text(16.0, 60.0, suffering(world, interface.any_script), 14.0, "over" if _ill(world) else "fine", room=1248.0)
    told = (doing(world, interface.any_script, most) for most in range(_MOST_TOLD, -1, -1))
    fits = next((words for words in told if pen.width(words, 14.0) <= _ROOM), doing(world, interface.any_script, 0))
    used = pen.text(16.0, 78.0, fits, 14.0, room=_ROOM)
    _draw_source(pen, world, interface, 1232.0 - used)


def _draw_name(pen: Pen, world: Snapshot, interface: Interface) -> None:
    name = interface.scenario or world.scenario
    used = pen.text(16.0, 17.0, name, 20.0, room=200.0 if interface.policy else 290.0)
    if interface.policy:
        pen.text(24.0 + used, 18.5, interface.policy, 14.0, "fine", room=282.0 - used)
    pace = "paused" if interface.paused else ""
    used = pen.text(16.0, 38.0, clock(world.time_s), 12.0, "muted", room=200.0)
    if pace:
        pen.rectangle(24.0 + used, 31.0, 3.5, 13.0, "ink")
        pen.rectangle(30.0 + used, 31.0, 3.5, 13.0, "ink")
        pen.text(38.0 + used, 38.0, pace, 12.0, room=60.0)
    if interface.recording:
        pen.circle(268.0, 38.0, 5.0, "over")
        pen.text(277.0, 38.0, "REC", 12.0, "over", room=36.0)


def _draw_source(pen: Pen, world: Snapshot, interface: Interface, room: float) -> None:
    """Say at the right where the world comes from, and whether that answers."""
    if interface.source == "simulation" and interface.state == "live":
        pen.text(1264.0, 78.0, world.kind, 12.0, "muted", "right", room=room)
        return
    state = {"live": "", "waiting": "waiting for", "away": "AWAY:", "ended": "end of"}[interface.state]
    said = f": {interface.state_text}" if interface.state_text else ""
    words = " ".join(part for part in (state, interface.source, interface.source_text) if part) + said
    colour = "over" if interface.state == "away" else "ink" if interface.state == "waiting" else "muted"
    wide = pen.text(1264.0, 78.0, words, 12.0, colour, "right", room=room - 14.0)
    pen.circle(1256.0 - wide, 78.0, 4.0, None if interface.state == "away" else colour, colour, 1.5)


def clock(time_s: float) -> str:
    """Return a time within the week in words.

    >>> clock(86_400.0 + 9 * 3600 + 65)
    'Tuesday 09:01:05 UTC'
    """
    day, second = divmod(int(time_s), int(SECONDS_PER_DAY))
    hour, rest = divmod(second, int(SECONDS_PER_HOUR))
    return f"{DAYS[day % 7]} {hour:02d}:{rest // 60:02d}:{rest % 60:02d} UTC"


def suffering(world: Snapshot, any_script: bool = False) -> str:
    """Return which zones suffer, the worst first: those that serve nobody, then by latency."""
    ill = sorted(_ill(world), key=lambda numbered: _badness(numbered[1]), reverse=True)
    if not ill:
        return f"No zone suffers: p95 latency is at most {world.objective_ms:.0f} ms everywhere."
    named = ", ".join(
        f"{spelled(zone.name, number, any_script)} {_trouble(zone)}" for number, zone in ill[:_MOST_NAMED]
    )
    return f"{len(ill)} of {_zones(len(world.zones))} suffer: {named}{_others(len(ill))}"


def _badness(zone: ZoneSnapshot) -> tuple[bool, float, float]:
    dead = zone.down or zone.out_of_memory
    return dead, 0.0 if dead else zone.latency_ms, zone.users


def _others(ill: int) -> str:
    return f" and {ill - _MOST_NAMED} more" if ill > _MOST_NAMED else ""


def _ill(world: Snapshot) -> list[tuple[int, ZoneSnapshot]]:
    """Return the zones that suffer, with their numbers."""
    numbered = enumerate(world.zones, 1)
    return [(number, zone) for number, zone in numbered if zone.severity(world.objective_ms) in ("over", "down")]


def _trouble(zone: ZoneSnapshot) -> str:
    if zone.out_of_memory:
        return "out of memory"
    return "down" if zone.down else f"{zone.latency_ms:.0f} ms"


def doing(world: Snapshot, any_script: bool = False, most: int = _MOST_TOLD) -> str:
    """Return what the controller did in this tick: to whom, and what, the ``most`` largest changes first."""
    ways: tuple[Way, Way] = ("more", "less")
    said = [f"{way} for {told}" for way in ways if (told := _some(_changes(world, way, any_script), most))]
    over = sum(zone.hands_over for zone in world.zones)
    if over:
        said.append(f"new sessions of {_zones(over)} go to a neighbour")
    return f"Controller: {'; '.join(said)}." if said else "Controller: no change."


def _changes(world: Snapshot, way: Way, any_script: bool) -> list[str]:
    """Return which zones got more, or less, of what, the largest change first."""
    found = sorted(_changed(world, way), reverse=True)
    named = ((spelled(world.zones[-z].name, 1 - z, any_script), world.zones[-z]) for _, z in found)
    return [f"{name} ({zone.changes(way)})" for name, zone in named]


def _changed(world: Snapshot, way: Way) -> list[tuple[float, int]]:
    """Return how much more, or less, of something a zone got, and its negated index; of those who got any."""
    if way == "more":
        return [(max(zone.change), -z) for z, zone in enumerate(world.zones) if zone.grew]
    return [(1.0 / max(min(zone.change), 1e-6), -z) for z, zone in enumerate(world.zones) if zone.shrank]


def _some(told: list[str], most: int) -> str:
    """Return the first of what there is to tell, and how much more there is."""
    if told and not most:
        return _zones(len(told))
    rest = f" and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + rest


def _zones(count: int) -> str:
    return f"{count} zone{'s' * (count > 1)}"


def _cost(world: Snapshot) -> str:
    """Return what the EUR per hour are for."""
    money = world.money
    if money is None:
        return ""
    paid = money.resource_eur_per_h + money.change_eur_per_h
    return f"{paid:.2f} resources, {money.quality_eur_per_h:.2f} lost quality"


def _draw_figure(pen: Pen, x: float, value: str, caption: str, room: float) -> None:
    pen.text(x, 17.0, value, 20.0, room=room)
    pen.text(x, 38.0, caption, 12.0, "muted", room=room)


def _draw_curve(
    pen: Pen, values: tuple[float, ...], box: tuple[float, float, float, float], colour: str, floor: float | None
) -> None:
    """Draw a curve of the episode between its own limits; ``floor`` fixes the lower one."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, "paper")
    if len(values) < 2:
        return
    if (every := len(values) // int(width)) > 0:  # no more points than there are pixels, the present one among them
        values = values[::-1][:: every + 1][::-1]
    low, high = min(values) if floor is None else floor, max(values)
    right, up = width / (len(values) - 1), height / max(high - low, 1e-6)
    points = ((x + right * place, y + height - up * (value - low)) for place, value in enumerate(values))
    pen.line(tuple(points), colour, 1.5)
