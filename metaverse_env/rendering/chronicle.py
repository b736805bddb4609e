"""What a picture remembers of an episode: curves, the recent past of every zone, and what happened lately."""

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from metaverse_env.reward import Reward

if TYPE_CHECKING:
    from metaverse_env.rendering.snapshot import Flow, NodeSnapshot, ZoneSnapshot

Array = np.ndarray

TRAIL_TICKS: Final = 960
"""Most ticks that a trail remembers: four hours of 15 s; a choice."""

ROWS: Final = 120
"""Ticks of which the values of every zone are remembered: half an hour of 15 s; a choice."""

EVENT_TICKS: Final = 4
"""Ticks for which something that happened stays visible, ever fainter; a choice."""

MOST_EVENTS: Final = 400
"""Events that are remembered for ticker and panel; a choice."""

EventKind = Literal[
    "oom", "down", "up", "node_lost", "node_back", "node_slow", "crowd", "handover", "more", "less", "announced"
]

COLUMNS: Final = (
    "users",
    "latency_ms",
    "cpu_cores",
    "memory_mb",
    "bandwidth_mbps",
    "allocated_cpu_cores",
    "allocated_memory_mb",
    "allocated_bandwidth_mbps",
)
"""Of a :class:`Row`."""


class Event(NamedTuple):
    """Something that happened.

    Attributes:
        tick: When, counted from the start of the episode.
        time_s: When, within the week.
        kind: What.
        zone: To which zone, or -1.
        node: To which node, or -1.
        text: In words, to be read after the zone's or the node's name.
        what: Short names of the resources that changed, if some did.
    """

    tick: int
    time_s: float
    kind: EventKind
    zone: int
    node: int
    text: str
    what: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Every zone at one tick.

    Attributes:
        tick: Which one.
        values: ``float32 [Z, 8]`` of :data:`COLUMNS`.
    """

    tick: int
    values: Array


@dataclass(frozen=True, slots=True)
class Trail:
    """The episode so far.

    Attributes:
        rewards: Global reward of each tick.
        violated: Share of users above the objective, of each tick.
        most_users: The most that a zone had; the scale of the crowds, which so never jumps.
        costs: EUR per hour of each tick.
        most_in_all: The most that all zones had together; decides how many users a dot stands for.
        tick: Ticks since the episode began.
        rows: Zones at the latest ticks that were shown.
        events: What happened lately, the oldest first.
        zones: As they were shown last, to tell what is new.
        nodes: The same of nodes.
        flows: The same of who is on the way.
        landed: Of those, who arrived in this tick.
        users: Of all zones, at each tick that was seen.
    """

    rewards: tuple[float, ...] = ()
    violated: tuple[float, ...] = ()
    most_users: float = 1.0
    costs: tuple[float, ...] = ()
    most_in_all: float = 1.0
    tick: int = 0
    rows: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()
    zones: "tuple[ZoneSnapshot, ...]" = ()
    nodes: "tuple[NodeSnapshot, ...]" = ()
    flows: "tuple[Flow, ...]" = ()
    landed: "tuple[Flow, ...]" = ()
    users: tuple[float, ...] = ()

    def extended(self, reward: Reward | None) -> "Trail":
        """Return the trail one tick on; of a tick without a reward, only that it passed."""
        if reward is None:
            return replace(self, tick=self.tick + 1)
        world = reward.worlds[0]
        cost = world["resource_eur_per_h"] + world["change_eur_per_h"] + world["quality_eur_per_h"]
        return replace(
            self,
            rewards=(*self.rewards, float(world["reward"]))[-TRAIL_TICKS:],
            violated=(*self.violated, float(world["violated_user_share"]))[-TRAIL_TICKS:],
            costs=(*self.costs, float(cost))[-TRAIL_TICKS:],
            tick=self.tick + 1,
        )

    def seeing(
        self,
        zones: "tuple[ZoneSnapshot, ...]",
        nodes: "tuple[NodeSnapshot, ...]",
        flows: "tuple[Flow, ...]",
        time_s: float,
    ) -> "Trail":
        """Return the trail with what is seen at its tick; seeing the same tick twice changes nothing."""
        if self.rows and self.rows[-1].tick == self.tick:
            return self
        news = [] if not self.zones else [*_node_news(self.nodes, nodes), *_zone_news(self.zones, zones)]
        next_to_it = bool(self.rows) and self.rows[-1].tick == self.tick - 1
        happened = (Event(self.tick, time_s, *new) for new in news)
        return replace(
            self,
            most_users=max(self.most_users, *(zone.users for zone in zones)),
            most_in_all=max(self.most_in_all, sum(zone.users for zone in zones)),
            users=(*self.users, sum(zone.users for zone in zones))[-TRAIL_TICKS:],
            rows=(*self.rows, Row(self.tick, _values(zones)))[-ROWS:],
            events=(*self.events, *happened)[-MOST_EVENTS:],
            zones=zones,
            nodes=nodes,
            flows=flows,
            landed=tuple(flow._replace(ahead_ticks=0) for flow in self.flows if flow.ahead_ticks == 1 and next_to_it),
        )

    def recent(self) -> tuple[Event, ...]:
        """Return what is still to be seen."""
        fresh = takewhile(lambda event: self.tick - event.tick < EVENT_TICKS, reversed(self.events))
        return tuple(fresh)[::-1]


News = tuple[EventKind, int, int, str, str]


def _values(zones: "tuple[ZoneSnapshot, ...]") -> Array:
    rows = [(zone.users, zone.latency_ms, *zone.usage, *zone.allocation) for zone in zones]
    return np.array(rows, dtype=np.float32)


def _node_news(before: "tuple[NodeSnapshot, ...]", now: "tuple[NodeSnapshot, ...]") -> list[News]:
    news: list[News] = []
    for place, (was, node) in enumerate(zip(before, now, strict=True)):
        if node.lost and not was.lost:
            news.append(("node_lost", -1, place, "is lost", ""))
        if was.lost and not node.lost:
            news.append(("node_back", -1, place, "is back", ""))
        if node.slow_ms > 0.0 >= was.slow_ms:
            news.append(("node_slow", -1, place, f"has a slow network, +{node.slow_ms:.0f} ms", ""))
    return news


def _zone_news(before: "tuple[ZoneSnapshot, ...]", now: "tuple[ZoneSnapshot, ...]") -> list[News]:
    news: list[News] = []
    for place, (was, zone) in enumerate(zip(before, now, strict=True)):
        for kind, holds, text in (
            ("oom", zone.out_of_memory, "is out of memory and restarts"),
            ("down", zone.down and not was.down and not zone.out_of_memory, "is down"),
            ("up", was.down and not zone.down, "serves again"),
            ("crowd", zone.crowded and not was.crowded, "draws a crowd: arrivals grow"),
            ("handover", zone.hands_over and not was.hands_over, f"hands over {100 * zone.handover:.0f} % of arrivals"),
            ("more", zone.grew, f"gets {zone.changes('more')}"),
            ("less", zone.shrank, f"gives back {zone.changes('less')}"),
            ("announced", bool(zone.announced) and zone.announced != was.announced, f"announces {zone.announced}"),
        ):
            if holds:
                what = zone.changed("more" if kind == "more" else "less") if kind in ("more", "less") else ""
                news.append((kind, place, -1, text, what))  # type: ignore[arg-type]
    return news
