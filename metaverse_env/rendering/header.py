"""The band above the zones: what matters, as figures, curves and two sentences.

Lengths are those of a picture of :data:`~metaverse_env.rendering.layout.REFERENCE` size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from metaverse_env.rendering.causes import cause
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import HEADER
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.marks import count_words, latency_words
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import RESOURCES, Snapshot, Way, ZoneSnapshot, moves
from metaverse_env.rendering.spark import Spark, draw_spark
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MOST_NAMED: Final = 6
"""Zones that are named in a sentence; the others are counted."""

_MOST_TOLD: Final = 3
"""Changes that are told in a sentence, where there is room; the others are counted."""

_LINE: Final = 1248.0
"""Room for a sentence."""

_BESIDE: Final = 222.0
"""Of it, room for where the world comes from, beside what the controller did. [choice]"""
_BESIDE_TROUBLE: Final = 560.0
"""The same while that does not answer. [choice]"""

_WITH_CENTS: Final = 99.995


def draw_header(pen: Pen, world: Snapshot, interface: Interface, width: float) -> None:
    """Draw, on a band ``width`` wide, name, clock, key figures, curves of the episode, and two sentences."""
    pen.rectangle(0.0, 0.0, width, HEADER - 4.0, "card")
    _draw_name(pen, world, interface)
    _draw_figures(pen, world)
    if interface.shows("curves"):
        _draw_curves(pen, world)
    ill, room = bool(_ill(world)), _LINE
    told = (suffering(world, interface.any_script, most) for most in range(_MOST_NAMED, -1, -1))
    pen.text(16.0, 60.0, _fitting(pen, told, room), 14.0, "over" if ill else "fine", room=room)
    room -= _draw_source(pen, world, interface) + 16.0
    told = (doing(world, interface.any_script, most) for most in range(_MOST_TOLD, -2, -1))
    pen.text(16.0, 78.0, _fitting(pen, told, room), 14.0, room=room)


def _fitting(pen: Pen, told: Iterable[str], room: float) -> str:
    """Return the first sentence that there is room for, or else the last one."""
    words = ""
    for words in told:
        if pen.width(words, 14.0) <= room:
            break
    return words


def _draw_figures(pen: Pen, world: Snapshot) -> None:
    _draw_figure(pen, 322.0, count_words(sum(zone.users for zone in world.zones)), "users", 58.0)
    if world.money is not None:
        money = world.money
        _draw_figure(pen, 486.0, f"{_eur(money.total_eur_per_h)} EUR/h", _cost(world), 204.0)
        above = f"of users above {world.objective_ms:.0f} ms"
        _draw_figure(pen, 806.0, f"{100 * money.violated_share:.1f} %", above, 142.0)
        _draw_figure(pen, 1062.0, f"{money.reward:.2f}".replace("-", "−"), "reward", 74.0)


def _draw_curves(pen: Pen, world: Snapshot) -> None:
    """Draw the episode so far, or the last four hours of it: the curve of each figure, right of it."""
    trail = world.trail
    violated = tuple(100.0 * share for share in trail.violated)
    for x, wide, spark in (
        (382.0, 94.0, Spark("users", trail.users, "here")),
        (694.0, 100.0, Spark("EUR/h", trail.costs, "ink")),
        (952.0, 98.0, Spark("% above", violated, "over")),
        (1140.0, 124.0, Spark("reward", trail.rewards, "fine", None)),
    ):
        draw_spark(pen, spark, (x, 6.0, wide, 40.0), trail.tick)


def _draw_name(pen: Pen, world: Snapshot, interface: Interface) -> None:
    name = interface.scenario or world.scenario
    used = pen.text(16.0, 17.0, name, 20.0, room=200.0 if interface.policy else 290.0)
    if interface.policy:
        pen.text(26.0 + used, 18.5, _decider(pen, interface.policy, 280.0 - used), 14.0, "fine", room=280.0 - used)
    pace = "paused" if interface.paused else ""
    used = pen.text(16.0, 38.0, clock(world.time_s), 12.0, "muted", room=200.0)
    if pace:
        pen.rectangle(24.0 + used, 31.0, 3.5, 13.0, "ink")
        pen.rectangle(30.0 + used, 31.0, 3.5, 13.0, "ink")
        pen.text(38.0 + used, 38.0, pace, 12.0, room=60.0)
    if interface.recording:
        pen.circle(268.0, 38.0, 5.0, "over")
        pen.text(277.0, 38.0, "REC", 12.0, "over", room=36.0)


def _decider(pen: Pen, policy: str, room: float) -> str:
    """Return who decides, said to be that where there is room."""
    words = f"controller: {policy}"
    return words if pen.width(words, 14.0) <= room else policy


def _draw_source(pen: Pen, world: Snapshot, interface: Interface) -> float:
    """Say at the right where the world comes from, and whether that answers; return how wide that is."""
    if interface.source == "simulation" and interface.state == "live":
        return pen.text(1264.0, 78.0, world.kind, 12.0, "muted", "right", room=_BESIDE)
    state = {"live": "", "waiting": "waiting for", "away": "AWAY:", "ended": "end of"}[interface.state]
    said = f": {interface.state_text}" if interface.state_text else ""
    words = " ".join(part for part in (state, interface.source, interface.source_text) if part) + said
    colour = "over" if interface.state == "away" else "ink" if interface.state == "waiting" else "muted"
    room = _BESIDE if interface.state == "live" else _BESIDE_TROUBLE
    wide = pen.text(1264.0, 78.0, words, 12.0, colour, "right", room=room)
    pen.circle(1256.0 - wide, 78.0, 4.0, None if interface.state == "away" else colour, colour, 1.5)
    return wide + 14.0


def clock(time_s: float) -> str:
    """Return a time within the week in words.

    >>> clock(86_400.0 + 9 * 3600 + 65)
    'Tuesday 09:01:05 UTC'
    """
    day, second = divmod(int(time_s), int(SECONDS_PER_DAY))
    hour, rest = divmod(second, int(SECONDS_PER_HOUR))
    return f"{DAYS[day % 7]} {hour:02d}:{rest // 60:02d}:{rest % 60:02d} UTC"


def suffering(world: Snapshot, any_script: bool = False, most: int = _MOST_NAMED) -> str:
    """Return which zones suffer and why, the ``most`` worst first: those that serve nobody, then by latency."""
    ill = sorted(_ill(world), key=lambda numbered: _badness(numbered[1]), reverse=True)
    if not ill:
        return f"No zone suffers: p95 latency is at most {world.objective_ms:.0f} ms everywhere."
    named = ", ".join(
        f"{spelled(zone.name, number, any_script)} {_trouble(world, zone)}" for number, zone in ill[:most]
    )
    all_of_it = f"{len(ill)} of {_zones(len(world.zones))} suffer{'s' * (len(ill) == 1)}"
    return f"{all_of_it}: {named}{_others(len(ill), most)}" if most else f"{all_of_it}."


def _badness(zone: ZoneSnapshot) -> tuple[bool, float, float]:
    dead = zone.down or zone.out_of_memory
    return dead, 0.0 if dead else zone.latency_ms, zone.users


def _others(ill: int, most: int) -> str:
    return f" and {ill - most} more" if ill > most else ""


def _ill(world: Snapshot) -> list[tuple[int, ZoneSnapshot]]:
    """Return the zones that suffer, with their numbers."""
    numbered = enumerate(world.zones, 1)
    return [(number, zone) for number, zone in numbered if zone.severity(world.objective_ms) in ("over", "down")]


def _trouble(world: Snapshot, zone: ZoneSnapshot) -> str:
    """Return how bad it is, and why where that can be known."""
    why = cause(world, zone)
    if zone.down or zone.out_of_memory:
        return f"is down ({why})" if why else "is down"
    return f"{latency_words(zone)} ({why})" if why else latency_words(zone)


def doing(world: Snapshot, any_script: bool = False, most: int = _MOST_TOLD) -> str:
    """Return what the controller did in this tick, or would have done where nobody obeys it.

    Args:
        world: At the tick.
        any_script: Whether whoever draws has letters of all scripts.
        most: How many changes are told, the largest first; 0 counts them by resource, and -1 counts the zones.
    """
    dry = bool(world.wishes)
    zones = _wished(world) if dry else world.zones
    who, nothing = ("Controller would ask (dry run)", "for nothing") if dry else ("Controller", "no change")
    if most < 0:
        changed = sum(zone.grew or zone.shrank for zone in zones)
        return f"{who}: {f'changes in {_zones(changed)}' if changed else nothing}."
    ways: tuple[Way, Way] = ("more", "less")
    tell = _counted if not most else partial(_named, any_script=any_script, most=most)
    said = [f"{way} {told}" for way in ways if (told := tell(zones, way))]
    over = sum(zone.hands_over for zone in zones)
    if over:
        said.append(f"new sessions of {_zones(over)} go to a neighbour")
    return f"{who}: {'; '.join(said) or nothing}."


def _wished(world: Snapshot) -> tuple[ZoneSnapshot, ...]:
    """Return the zones as they would be if they got what is asked for."""
    pairs = zip(world.zones, world.wishes, strict=True)
    return tuple(replace(zone, change=wish.change, handover=wish.handover) for zone, wish in pairs)


def _named(zones: Sequence[ZoneSnapshot], way: Way, any_script: bool, most: int) -> str:
    """Return which zones got more, or less, of what, the largest change first; of further ones, how many."""
    found = sorted(_changed(zones, way), reverse=True)
    if not found:
        return ""
    named = ((spelled(zones[-z].name, 1 - z, any_script), zones[-z]) for _, z in found[:most])
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return "for " + ", ".join(f"{name} ({zone.changes(way)})" for name, zone in named) + rest


def _changed(zones: Sequence[ZoneSnapshot], way: Way) -> list[tuple[float, int]]:
    """Return how much more, or less, of something a zone got, and its negated index; of those who got any."""
    if way == "more":
        return [(max(zone.change), -z) for z, zone in enumerate(zones) if zone.grew]
    return [(1.0 / max(min(zone.change), 1e-6), -z) for z, zone in enumerate(zones) if zone.shrank]


def _counted(zones: Sequence[ZoneSnapshot], way: Way) -> str:
    """Return how many zones got more, or less, of each resource."""
    counts = [(name, sum(moves(zone.change[part], way) for zone in zones)) for part, name in enumerate(RESOURCES)]
    said = [(name, count) for name, count in counts if count]
    return ", ".join(f"{name} for {count}" for name, count in said) + (
        f" zone{'s' * (said[-1][1] > 1)}" if said else ""
    )


def _zones(count: int) -> str:
    return f"{count} zone{'s' * (count > 1)}"


def _cost(world: Snapshot) -> str:
    """Return what the EUR per hour are for."""
    money = world.money
    if money is None:
        return ""
    paid = money.resource_eur_per_h + money.change_eur_per_h
    return f"{_eur(paid)} resources, {_eur(money.quality_eur_per_h)} lost quality"


def _eur(amount: float) -> str:
    """Return an amount as exactly as it is read: cents up to a hundred.

    >>> _eur(2.764), _eur(111.04)
    ('2.76', '111')
    """
    return f"{amount:.2f}" if abs(amount) < _WITH_CENTS else f"{amount:.0f}"


def _draw_figure(pen: Pen, x: float, value: str, caption: str, room: float) -> None:
    pen.text(x, 17.0, value, 20.0, room=room)
    pen.text(x, 38.0, caption, 12.0, "muted", room=room)
