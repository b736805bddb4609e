"""The band above the zones: what matters, as figures, curves and two sentences.

Lengths are those of a picture of :data:`~metaverse_env.rendering.layout.REFERENCE` size.
"""

from typing import Final

from metaverse_env.rendering.layout import HEADER
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NOTICEABLE, Snapshot, ZoneSnapshot
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_RESOURCES: Final = ("CPU", "memory", "network")

_MOST_NAMED: Final = 6
"""Zones that are named in a sentence; the others are counted."""


def draw_header(pen: Pen, world: Snapshot, width: float) -> None:
    """Draw, on a band ``width`` wide, name, clock, key figures, curves of the episode, and two sentences."""
    pen.rectangle(0.0, 0.0, width, HEADER - 4.0, "card")
    pen.text(16.0, 18.0, world.scenario, 20.0, room=270.0)
    pen.text(16.0, 39.0, clock(world.time_s), 12.0, "muted", room=290.0)
    users = sum(zone.users for zone in world.zones)
    _draw_figure(pen, 322.0, f"{users:.0f}", "users", 100.0)
    if world.money is not None:
        money = world.money
        _draw_figure(pen, 424.0, f"{money.total_eur_per_h:.2f} EUR/h", _cost(world), 246.0)
        above = f"of users above {world.objective_ms:.0f} ms"
        _draw_figure(pen, 682.0, f"{100 * money.violated_share:.1f} %", above, 150.0)
        _draw_figure(pen, 994.0, f"{money.reward:.2f}".replace("-", "−"), "reward", 96.0)
    _draw_curve(pen, world.trail.violated, (838.0, 10.0, 130.0, 38.0), "over", 0.0)
    _draw_curve(pen, world.trail.rewards, (1096.0, 10.0, 168.0, 38.0), "fine", None)
    pen.text(16.0, 64.0, suffering(world), 14.0, "over" if _ill(world) else "fine", room=1248.0)
    used = pen.text(16.0, 84.0, doing(world), 14.0, room=1248.0)
    pen.text(1264.0, 84.0, world.kind, 12.0, "muted", "right", room=1232.0 - used)


def clock(time_s: float) -> str:
    """Return a time within the week in words.

    >>> clock(86_400.0 + 9 * 3600 + 65)
    'Tuesday 09:01:05 UTC'
    """
    day, second = divmod(int(time_s), int(SECONDS_PER_DAY))
    hour, rest = divmod(second, int(SECONDS_PER_HOUR))
    return f"{DAYS[day % 7]} {hour:02d}:{rest // 60:02d}:{rest % 60:02d} UTC"


def suffering(world: Snapshot) -> str:
    """Return which zones suffer, the worst first: those that serve nobody, then by latency."""
    objective = f"{world.objective_ms:.0f} ms"
    ill = sorted(_ill(world), key=_badness, reverse=True)
    if not ill:
        return f"No zone is above {objective} (p95)."
    named = ", ".join(f"{zone.name} {_trouble(zone)}" for zone in ill[:_MOST_NAMED])
    return f"{len(ill)} of {_zones(len(world.zones))} above {objective}: {named}{_others(len(ill))}"


def _badness(zone: ZoneSnapshot) -> tuple[bool, float, float]:
    dead = zone.down or zone.out_of_memory
    return dead, 0.0 if dead else zone.latency_ms, zone.users


def _others(ill: int) -> str:
    return f" and {ill - _MOST_NAMED} more" if ill > _MOST_NAMED else ""


def _ill(world: Snapshot) -> list[ZoneSnapshot]:
    return [zone for zone in world.zones if zone.severity(world.objective_ms) in ("over", "down")]


def _trouble(zone: ZoneSnapshot) -> str:
    if zone.out_of_memory:
        return "out of memory"
    return "down" if zone.down else f"{zone.latency_ms:.0f} ms"


def doing(world: Snapshot) -> str:
    """Return what the controller did in this tick."""
    if len(world.zones) == 1:
        return _doing_in(world.zones[0])
    grew, shrank = sum(zone.grew for zone in world.zones), sum(zone.shrank for zone in world.zones)
    over = sum(zone.hands_over for zone in world.zones)
    parts = [(grew, "more for {}"), (shrank, "less for {}"), (over, "new sessions of {} go to a neighbour")]
    said = [words.format(_zones(count)) for count, words in parts if count]
    return f"Controller: {', '.join(said)}." if said else "Controller: no change."


def _doing_in(zone: ZoneSnapshot) -> str:
    """Return what the controller did to the only zone, resource by resource."""
    said = [f"more {name}" for name, change in zip(_RESOURCES, zone.change, strict=True) if change > 1.0 + NOTICEABLE]
    said += [f"less {name}" for name, change in zip(_RESOURCES, zone.change, strict=True) if change < 1.0 - NOTICEABLE]
    return f"Controller: {', '.join(said)}." if said else "Controller: no change."


def _zones(count: int) -> str:
    return f"{count} zone{'s' * (count > 1)}"


def _cost(world: Snapshot) -> str:
    """Return what the EUR per hour are for."""
    money = world.money
    if money is None:
        return ""
    paid = money.resource_eur_per_h + money.change_eur_per_h
    return f"{paid:.2f} for resources, {money.quality_eur_per_h:.2f} for lost quality"


def _draw_figure(pen: Pen, x: float, value: str, caption: str, room: float) -> None:
    pen.text(x, 18.0, value, 20.0, room=room)
    pen.text(x, 39.0, caption, 12.0, "muted", room=room)


def _draw_curve(
    pen: Pen, values: tuple[float, ...], box: tuple[float, float, float, float], colour: str, floor: float | None
) -> None:
    """Draw a curve of the episode between its own limits; ``floor`` fixes the lower one."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, "paper")
    if len(values) < 2:
        return
    low, high = min(values) if floor is None else floor, max(values)
    right, up = width / (len(values) - 1), height / max(high - low, 1e-6)
    points = ((x + right * place, y + height - up * (value - low)) for place, value in enumerate(values))
    pen.line(tuple(points), colour, 1.5)
