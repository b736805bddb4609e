"""The users of all zones as dots: how many, where, and how they come, stay, travel and leave in a tick. Pure.

A zone's crowd is laid out like the seeds of a sunflower: the dot of index ``i`` stands ``spacing * sqrt(i + 1/2)``
from the middle, a golden angle from the one before. So a crowd's area is proportional to its users, and it grows and
shrinks at its rim. From tick to tick a dot takes a small step; newcomers and leavers cross the rim, travellers walk.

Of ``n`` users with a weight of ``w``, ``round(n / w)`` dots are drawn, at least one if there is anybody. Those on the
way are few, and so are sampled: ``floor(n / w + u)`` dots, with a ``u`` in [0, 1) that belongs to those who left
together. With a weight of one, all counts are exact.
"""

from math import sqrt
from typing import Final

import numpy as np

from metaverse_env.rendering.dots import KINDS, NO_DOTS, Dots
from metaverse_env.rendering.layout import Layout
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.rendering.walking import NOBODY, Crowding, Part, Stage, Turnover, part, walk

Array = np.ndarray

MOST_DOTS: Final = 2_000
"""Dots that a picture shows at most, travellers aside. [choice]"""

LEAST_SPACING_PX: Final = 1.7
"""Between dots, so that the fullest crowd is more than a blot. [choice]"""

MOST_SPACING: Final = 13.0
"""Between dots, in units of the layout: a few users shall not be far apart. [choice]"""

_WALKER: Final = 2.2
"""Least radius of who walks from zone to zone, in units of the layout: they are few. [choice]"""

_RIM: Final = 3.0
"""How far beyond the rim newcomers appear and leavers vanish, in spacings; a few pixels more. [choice]"""


def crowding(world: Snapshot, layout: Layout) -> Crowding:
    """Return weight and spacing for a picture: they change only when there are more users than ever before."""
    trail, weight = world.trail, 1
    most, in_all = _most(world)
    while in_all / weight > MOST_DOTS or layout.radius * sqrt(weight / most) < LEAST_SPACING_PX:
        weight = _next_weight(weight)
    spacing = layout.radius / sqrt(max(trail.most_users, most) / weight + 1.0)
    return Crowding(weight, min(spacing, MOST_SPACING * layout.unit))


def _most(world: Snapshot) -> tuple[float, float]:
    users = [zone.users for zone in world.zones]
    return max(world.trail.most_users, *users, 1.0), max(world.trail.most_in_all, sum(users), 1.0)


def _next_weight(weight: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50, …."""
    return weight * 5 // 2 if str(weight)[0] == "2" else weight * 2


def build_dots(world: Snapshot, layout: Layout, travellers: bool = True) -> Dots:
    """Describe all users and how they move in the tick; without ``travellers``, movers come and go as others do."""
    if layout.level == "point":
        return NO_DOTS
    crowd = crowding(world, layout)
    turn = _turnover(world, crowd)
    middle = np.array([layout.middle(zone) for zone in range(len(world.zones))])
    stage = Stage(crowd, middle, world.trail.tick, layout)
    legs = walk(world, stage, turn) if travellers else NOBODY
    suffers = np.array([zone.severity(world.objective_ms) in ("over", "down") for zone in world.zones])
    parts = (
        _stay(_seeds(np.zeros_like(turn.kept), turn.kept), stage, suffers),
        _cross(_seeds(turn.kept + legs.landed(len(middle)), turn.here), stage, inwards=True),
        _cross(_seeds(turn.kept + legs.set_out(len(middle)), turn.before), stage, inwards=False),
        legs.part(max(1.0, _WALKER * layout.unit / _radius(crowd, layout))),
    )
    start, bend, end, when, size, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Dots(start, bend, end, when, size, kind, _radius(crowd, layout), crowd.weight)


def _turnover(world: Snapshot, crowd: Crowding) -> Turnover:
    zones = world.zones
    here = np.array([crowd.dots(zone.users) for zone in zones])
    before = np.array([crowd.dots(zone.users if zone.before is None else zone.before) for zone in zones])
    gone = np.array([round((zone.left + zone.moved_out) / crowd.weight) for zone in zones])
    return Turnover(before, here, np.minimum(here, np.maximum(before - gone, 0)))


def _radius(crowd: Crowding, layout: Layout) -> float:
    return float(min(max(0.46 * crowd.spacing, 1.0), 4.0 * layout.unit))


def _seeds(first: Array, last: Array) -> tuple[Array, Array]:
    """Return zone and index of the dots ``first[z]`` to ``last[z] - 1`` of all zones."""
    count = np.maximum(last - first, 0)
    zone = np.repeat(np.arange(len(count)), count)
    index = np.arange(len(zone)) - np.repeat(np.cumsum(count) - count, count) + first[zone]
    return zone, index


def _stay(seeds: tuple[Array, Array], stage: Stage, suffers: Array) -> Part:
    start, _ = stage.places(*seeds, stage.tick - 1)
    end, _ = stage.places(*seeds, stage.tick)
    kind = np.where(suffers[seeds[0]], KINDS.index("suffering"), KINDS.index("here"))
    return part(start, (start + end) / 2, end, kind)


def _cross(seeds: tuple[Array, Array], stage: Stage, inwards: bool) -> Part:
    """Return dots that cross the rim between their place and some point outside."""
    place, outwards = stage.places(*seeds, stage.tick if inwards else stage.tick - 1)
    outside = place + outwards * (_RIM * stage.crowd.spacing + 4.0 * stage.layout.unit)
    kind = np.full(len(place), KINDS.index("arriving" if inwards else "leaving"))
    start, end = (outside, place) if inwards else (place, outside)
    return part(start, (outside + place) / 2, end, kind, (0.0, 1.0) if inwards else (1.0, 0.0))
