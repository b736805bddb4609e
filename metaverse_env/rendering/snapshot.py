"""What a picture says, as plain values of world 0 at one tick; :mod:`.reading` takes them out of the records."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from metaverse_env.rendering.around import Flow, NodeSnapshot, Served, Triple
from metaverse_env.rendering.chronicle import TRAIL_TICKS, Trail

__all__ = [
    "CROWDED",
    "NEAR_OBJECTIVE",
    "NOTICEABLE",
    "TRAIL_TICKS",
    "Flow",
    "Money",
    "NodeSnapshot",
    "Served",
    "Severity",
    "Snapshot",
    "Trail",
    "Triple",
    "Wish",
    "ZoneSnapshot",
    "change_words",
]

RESOURCES: Final = ("CPU", "memory", "network")
"""In the order of every triple."""
SHORT_NAMES: Final = ("CPU", "MEM", "NET")
"""Where there is little room."""

Way = Literal["more", "less"]

Severity = Literal["fine", "near", "over", "down"]

NEAR_OBJECTIVE: Final = 0.8
"""Share of the latency objective from which a zone is shown as close to it; a choice."""

NOTICEABLE: Final = 0.01
"""Relative change of an allocation, or share handed over, below which nothing is said to be done; a choice."""

CROWDED: Final = 1.5
"""Multiple of the usual arrivals from which a crowd is said to come; a choice."""

MULTIPLE_FROM: Final = 3.0
"""Factor from which a change is told as a multiple and no longer in percent; a choice."""

LARGEST_MULTIPLE: Final = 100.0
"""Multiple from which it is no longer told how large it is; a choice."""


def moves(change: float, way: Way) -> bool:
    """Tell whether a factor is noticeably more, or less, than one."""
    return change > 1.0 + NOTICEABLE if way == "more" else change < 1.0 - NOTICEABLE


def change_words(change: float) -> str:
    """Return a factor in words: as a percentage while that is easily read, then as a multiple, up to what fits.

    What cannot take effect, such as memory that the node does not have, can be asked for many times over.

    >>> change_words(0.7), change_words(1.2), change_words(55.19), change_words(1e6)
    ('−30 %', '+20 %', '×55', '×100+')
    """
    if change < MULTIPLE_FROM:
        return f"{100.0 * (change - 1.0):+.0f} %".replace("-", "−")
    return f"×{change:.0f}" if change < LARGEST_MULTIPLE else f"×{LARGEST_MULTIPLE:.0f}+"


@dataclass(frozen=True, slots=True)
class ZoneSnapshot:
    """One zone.

    Attributes:
        name: Its name.
        users: How many are there at the end of the tick.
        latency_ms: p95 that its users felt, or the last measured one.
        usage: Cores, MB, Mbps in use, as last measured.
        allocation: The same, in effect.
        pending: The same, asked for.
        change: What was asked in this tick over what was in effect before it, per resource; 1 if nothing was.
        handover: Share of new sessions that a neighbour serves.
        stale_s: Age of the measurements if none arrived in this tick, else 0.
        down: Whether it serves nobody.
        out_of_memory: Whether it was killed for memory in this tick.
        kills: How often that happened in the episode.
        activity: What its users do; empty where it is not known.
        announced: What they announce to do next; empty where it is the same or not known.
        latency_ahead_ms: Forecast (median, p90) at each tick ahead; empty without a forecast.
        cpu_ahead_cores: The same of CPU demand.
        node: On which node it lives.
        before: Users a tick ago; ``None`` where that is not known.
        arrived: Users who came from outside in this tick.
        left: Users who went home, or were lost, in this tick.
        moved_in: Users who arrived from a neighbour.
        moved_out: Users who set out for a neighbour.
        crowd: Arrivals because of an event, over those without it; 1 without one.
        memory_ahead_mb: Forecast of memory, as ``latency_ahead_ms``.
        bandwidth_ahead_mbps: The same of bandwidth.
        crowd_comes: Whether an event has begun that will draw noticeably more, and arrivals still grow.
    """

    name: str
    users: float
    latency_ms: float
    usage: Triple
    allocation: Triple
    pending: Triple
    change: Triple = (1.0, 1.0, 1.0)
    handover: float = 0.0
    stale_s: float = 0.0
    down: bool = False
    out_of_memory: bool = False
    kills: int = 0
    activity: str = ""
    announced: str = ""
    latency_ahead_ms: tuple[tuple[float, float], ...] = ()
    cpu_ahead_cores: tuple[tuple[float, float], ...] = ()
    node: int = 0
    before: float | None = None
    arrived: float = 0.0
    left: float = 0.0
    moved_in: float = 0.0
    moved_out: float = 0.0
    crowd: float = 1.0
    memory_ahead_mb: tuple[tuple[float, float], ...] = ()
    bandwidth_ahead_mbps: tuple[tuple[float, float], ...] = ()
    crowd_comes: bool = False

    def severity(self, objective_ms: float) -> Severity:
        """Return how its users fare: the one judgement that the picture makes."""
        if self.down:
            return "down"
        if self.latency_ms > objective_ms:
            return "over"
        return "near" if self.latency_ms > NEAR_OBJECTIVE * objective_ms else "fine"

    @property
    def utilisation(self) -> Triple:
        """Usage over allocation, per resource; 0 of nothing."""
        cpu, memory, bandwidth = (
            used / given if given > 0.0 else 0.0 for used, given in zip(self.usage, self.allocation, strict=True)
        )
        return cpu, memory, bandwidth

    @property
    def hands_over(self) -> bool:
        """Whether a neighbour serves some of its new sessions."""
        return self.handover >= NOTICEABLE

    @property
    def crowded(self) -> bool:
        """Whether an event draws noticeably more users, or has begun and will."""
        return self.crowd_comes or self.crowd >= CROWDED

    @property
    def grew(self) -> bool:
        """Whether more of a resource was asked for in this tick."""
        return max(self.change) > 1.0 + NOTICEABLE

    @property
    def shrank(self) -> bool:
        """Whether less of a resource was asked for in this tick."""
        return min(self.change) < 1.0 - NOTICEABLE

    def changes(self, way: Way) -> str:
        """Return what was asked for in this tick, more or less of it, in words."""
        told = zip(RESOURCES, self.change, strict=True)
        return ", ".join(f"{name} {change_words(change)}" for name, change in told if moves(change, way))

    def changed(self, way: Way) -> str:
        """Return the short names of what more, or less, was asked for in this tick."""
        return " ".join(name for name, change in zip(SHORT_NAMES, self.change, strict=True) if moves(change, way))


@dataclass(frozen=True, slots=True)
class Money:
    """What the tick cost, EUR per hour, and what it was worth."""

    resource_eur_per_h: float
    change_eur_per_h: float
    quality_eur_per_h: float
    violated_share: float
    reward: float

    @property
    def total_eur_per_h(self) -> float:
        """All of it."""
        return self.resource_eur_per_h + self.change_eur_per_h + self.quality_eur_per_h


class Wish(NamedTuple):
    """What a controller asked for one zone and nobody did.

    Attributes:
        change: What was asked over what is in effect, per resource.
        handover: Share of new sessions that a neighbour would serve.
    """

    change: Triple
    handover: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A world at one tick.

    Attributes:
        scenario: Its name.
        kind: What moves it and what it believes, in words.
        time_s: Time within the week; Monday 00:00 UTC is 0.
        tick_s: Length of a tick.
        objective_ms: The p95 latency that users must not exceed.
        ticks_ahead: Of the forecasts.
        zones: In the order of the graph.
        money: ``None`` before the first tick and where there is no reward.
        trail: The episode so far, this tick included.
        activities: Names of what users can do, where that is known.
        nodes: In the order of the graph; empty where they are not known.
        flows: Who is on the way.
        landed: Who was on the way a tick ago and arrived in this one; ``ahead_ticks`` is 0.
        served: Who is served by a neighbour.
        wishes: What the controller asked for each zone, where nobody obeys it; empty where it is obeyed.
    """

    scenario: str
    kind: str
    time_s: float
    tick_s: float
    objective_ms: float
    ticks_ahead: tuple[int, ...]
    zones: tuple[ZoneSnapshot, ...]
    money: Money | None
    trail: Trail
    activities: tuple[str, ...] = ()
    nodes: tuple[NodeSnapshot, ...] = ()
    flows: tuple[Flow, ...] = ()
    landed: tuple[Flow, ...] = ()
    served: tuple[Served, ...] = ()
    wishes: tuple[Wish, ...] = ()
