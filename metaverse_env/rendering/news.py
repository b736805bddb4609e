"""What happened, in lines for the ticker: one for all zones that it befalls in a tick, or for the node they lose."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from metaverse_env.rendering.chronicle import Event, EventKind
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.snapshot import Snapshot

FEW_ZONES: Final = 3
"""Zones up to which every change and announcement is told; of more, cards and icons tell it. [choice]"""

_SMALL: Final[tuple[EventKind, ...]] = ("more", "less", "announced")
_NAMED: Final = 3
"""Zones that a line names; the others are counted. [choice]"""

_TOGETHER: Final[dict[EventKind, str]] = {
    "oom": "are out of memory and restart",
    "down": "are down",
    "up": "serve again",
    "crowd": "draw crowds: arrivals grow",
    "handover": "hand over arrivals",
    "more": "get more",
    "less": "give back",
    "announced": "announce what is next",
}
"""What is said of several zones."""

_BAD: Final[tuple[EventKind, ...]] = ("oom", "down", "node_lost", "node_slow")


class Line(NamedTuple):
    """A line: when, s within the week, what, and whether users suffer by it."""

    time_s: float
    words: str
    bad: bool


def news(world: Snapshot, events: Iterable[Event], any_script: bool = False) -> tuple[Line, ...]:
    """Return events of a world as lines, in their order.

    Args:
        world: Has the names.
        events: Some of its trail's, the oldest first.
        any_script: Whether whoever draws has letters of all scripts.
    """
    groups: dict[tuple[int, EventKind, int], list[Event]] = {}
    for event in events:
        if len(world.zones) <= FEW_ZONES or event.kind not in _SMALL:
            groups.setdefault(_key(world, event, groups), []).append(event)
    told = ((group[0], _words(world, group, any_script)) for group in groups.values())
    return tuple(Line(first.time_s, words, first.kind in _BAD) for first, words in told)


def _key(world: Snapshot, event: Event, groups: Iterable[tuple[int, EventKind, int]]) -> tuple[int, EventKind, int]:
    """Return what an event is told with: zones with each other, or with the node whose loss takes them down."""
    home: tuple[int, EventKind, int] = event.tick, "node_lost", -1
    if event.kind == "down" and event.zone < len(world.zones):
        home = event.tick, "node_lost", world.zones[event.zone].node
    return home if home in groups else (event.tick, event.kind, event.node)


def _words(world: Snapshot, group: list[Event], any_script: bool) -> str:
    first, zones = group[0], [spelled_zone(world, event.zone, any_script) for event in group if event.zone >= 0]
    if first.node >= 0:
        name = world.nodes[first.node].name if first.node < len(world.nodes) else f"node-{first.node + 1}"
        return f"{name} {first.text}" + (f", and down with it: {_names(zones)}" if zones else "")
    return f"{zones[0]} {first.text}" if len(zones) == 1 else f"{_names(zones)} {_TOGETHER[first.kind]}"


def spelled_zone(world: Snapshot, zone: int, any_script: bool) -> str:
    """Return a zone's name as it can be written."""
    return spelled(world.zones[zone].name, zone + 1, any_script)


def _names(zones: list[str]) -> str:
    """Return names as they are read out: a, b, c and 2 more."""
    if len(zones) > _NAMED:
        return f"{', '.join(zones[:_NAMED])} and {len(zones) - _NAMED} more"
    return " and ".join(part for part in (", ".join(zones[:-1]), zones[-1]) if part)
