"""Where the dots of a crowd stand, and how those walk who move from zone to zone. Pure."""

from math import floor, pi, sqrt
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.rendering.designs import Point
from metaverse_env.rendering.dots import KINDS
from metaverse_env.rendering.layout import Layout
from metaverse_env.rendering.snapshot import Flow, Snapshot
from metaverse_env.rendering.streets import Way, ways

Array = np.ndarray

Part = tuple[Array, Array, Array, Array, Array, Array]
"""Start, bend, end, turn, size, kind; see :class:`.dots.Dots`."""

_GOLDEN: Final = pi * (3.0 - sqrt(5.0))
_STEP: Final = 0.3
"""How far a dot wanders around its place, in spacings. [choice]"""

_SIDE: Final = 2.5
"""How far walkers keep from the middle of the street at most, in units of the layout. [choice]"""

_SALTS: Final = (31, 17, 101)
_SHUFFLE: Final = (7919, 104_729, 1_299_709, 9973)
"""Primes that make numbers of zones and ticks look random."""

_wander: Final = np.random.default_rng(6).uniform(-1.0, 1.0, (4096, 2)).astype(np.float32)
"""Steps that look as if they were random; the same in every picture."""


class Crowding(NamedTuple):
    """How dots are drawn in a picture.

    Attributes:
        weight: Users that a dot stands for.
        spacing: Between dots, px.
    """

    weight: int
    spacing: float

    def dots(self, users: float) -> int:
        """Return how many dots stand for so many users."""
        return 0 if users <= 0.0 else max(1, floor(users / self.weight + 0.5))

    def radius(self, users: float) -> float:
        """Return the radius of a crowd, px."""
        return self.spacing * (sqrt(self.dots(users)) + 0.7)


class Turnover(NamedTuple):
    """Dots per zone, ``int [Z]``: a tick ago, now, and those who were there all the time, which come first."""

    before: Array
    here: Array
    kept: Array


class Stage(NamedTuple):
    """Where dots move: how dense, around which middles ``[Z, 2]``, px, in which tick."""

    crowd: Crowding
    middle: Array
    tick: int
    layout: Layout

    def places(self, zone: Array, index: Array, tick: int) -> tuple[Array, Array]:
        """Return where dots stand at the end of a tick, and the directions from the middle of their crowd to them."""
        angle = index * _GOLDEN + zone
        outwards = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        step = _wander[(index * _SALTS[0] + zone * _SALTS[1] + tick * _SALTS[2]) % len(_wander)]
        away = self.crowd.spacing * np.sqrt(index + 0.5)
        return self.middle[zone] + outwards * away[:, None] + step * (_STEP * self.crowd.spacing), outwards


class Legs(NamedTuple):
    """The walks of all who are on the way, one row each.

    Attributes:
        rows: Start, bend and end (x and y), the phase of the bend; whether they are on the street at start and end.
        arrived: In which zone each of those stands at the end who arrived.
        departed: The same of those who set out, at the start.
    """

    rows: list[tuple[float, ...]]
    arrived: list[int]
    departed: list[int]

    def landed(self, zones: int) -> Array:
        """Return how many arrived in each zone."""
        return np.bincount(np.array(self.arrived, dtype=int), minlength=zones)

    def set_out(self, zones: int) -> Array:
        """Return how many left each zone."""
        return np.bincount(np.array(self.departed, dtype=int), minlength=zones)

    def part(self, size: float) -> Part:
        """Return them as dots, on the street so much larger than others."""
        rows = np.array(self.rows, dtype=np.float32).reshape(-1, 9)
        kind = np.full(len(rows), KINDS.index("travelling"))
        sizes = 1.0 + (size - 1.0) * rows[:, 7:9]
        return part(rows[:, 0:2], rows[:, 2:4], rows[:, 4:6], kind, sizes, rows[:, 6])


NOBODY: Final = Legs([], [], [])


def walk(world: Snapshot, stage: Stage, turn: Turnover) -> Legs:
    """Let everybody walk who is on the way, who sets out in the tick and who arrives in it.

    Who sets out leaves the place of a dot that is gone, and who arrives takes the place of a new one; where rounding
    leaves no such place, the walker is not drawn in that tick.
    """
    legs, known = Legs([], [], []), ways(stage.layout)
    free_before, free_here = turn.kept.copy(), turn.kept.copy()
    for flow in (*world.flows, *world.landed):
        way = known.get((flow.source, flow.goal))
        if way is None:
            continue
        for walker in range(sampled(flow, stage.crowd.weight, stage.tick)):
            start, bend, end, when = _leg(flow, way, walker, stage)
            if flow.ahead_ticks == flow.travel_ticks:
                start = _take(flow.source, free_before, turn.before, stage, stage.tick - 1, legs.departed)
            if flow.ahead_ticks == 0:
                end = _take(flow.goal, free_here, turn.here, stage, stage.tick, legs.arrived)
            if start is not None and end is not None:
                walks = flow.ahead_ticks < flow.travel_ticks, flow.ahead_ticks > 0
                legs.rows.append((*start, *bend, *end, when, *walks))
    return legs


def _take(zone: int, free: Array, most: Array, stage: Stage, tick: int, taken: list[int]) -> Point | None:
    """Return the next free place of a zone's crowd, and note that it is taken; ``None`` if there is none."""
    if free[zone] >= most[zone]:
        return None
    place, _ = stage.places(np.array([zone]), free[zone : zone + 1], tick)
    free[zone] += 1
    taken.append(zone)
    return float(place[0, 0]), float(place[0, 1])


def _leg(flow: Flow, way: Way, walker: int, stage: Stage) -> tuple[Point | None, Point, Point | None, float]:
    """Return start, bend and end of a tick's walk, and when it bends."""
    behind, whole = flow.travel_ticks - flow.ahead_ticks, flow.travel_ticks + 1  # leaving takes a tick of its own
    first, last = behind / whole, (behind + 1) / whole
    bend, when = way.bend(first, last)
    x, y = _wander[(walker * _SALTS[0] + flow.source * _SALTS[1] + flow.goal) % len(_wander)].tolist()
    aside = min(stage.crowd.spacing, _SIDE * stage.layout.unit)
    start, end = way.at(first), way.at(last)
    moved = [(px + aside * x, py + aside * y) for px, py in (start, bend, end)]
    return moved[0], moved[1], moved[2], min(max(when, 0.02), 0.98)


def sampled(flow: Flow, weight: int, tick: int) -> int:
    """Return how many dots stand for those who left together: the same number on all of their way."""
    left_at = tick - flow.travel_ticks + flow.ahead_ticks
    source, goal, time, all_of_it = _SHUFFLE
    u = ((flow.source * source + flow.goal * goal + left_at * time) % all_of_it) / all_of_it
    return floor(flow.users / weight + u)


def part(
    start: Array,
    bend: Array,
    end: Array,
    kind: Array,
    size: tuple[float, float] | Array = (1.0, 1.0),
    turn: Array | None = None,
) -> Part:
    """Return dots as the columns of :class:`.dots.Dots`; by default they bend in the middle of the tick."""
    count = len(kind)
    return (
        start.astype(np.float32),
        bend.astype(np.float32),
        end.astype(np.float32),
        np.full(count, 0.5, dtype=np.float32) if turn is None else turn.astype(np.float32),
        np.broadcast_to(np.asarray(size, dtype=np.float32), (count, 2)),
        kind.astype(np.uint8),
    )
