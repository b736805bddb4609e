"""What a picture says, as plain values of world 0 at one tick; :mod:`.reading` takes them out of the records."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from metaverse_env.reward import Reward

Triple = tuple[float, float, float]
Severity = Literal["fine", "near", "over", "down"]

NEAR_OBJECTIVE: Final = 0.8
"""Share of the latency objective from which a zone is shown as close to it; a choice."""

TRAIL_TICKS: Final = 960
"""Most ticks that a trail remembers: four hours of 15 s; a choice."""

NOTICEABLE: Final = 0.01
"""Relative change of an allocation, or share handed over, below which nothing is said to be done; a choice."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The episode so far.

    Attributes:
        rewards: Global reward of each tick.
        violated: Share of users above the objective, of each tick.
        most_users: The most that a zone had; the scale of the discs, which so never jumps.
    """

    rewards: tuple[float, ...] = ()
    violated: tuple[float, ...] = ()
    most_users: float = 1.0

    def extended(self, reward: Reward) -> "Trail":
        """Return the trail one tick on."""
        world = reward.worlds[0]
        return replace(
            self,
            rewards=(*self.rewards, float(world["reward"]))[-TRAIL_TICKS:],
            violated=(*self.violated, float(world["violated_user_share"]))[-TRAIL_TICKS:],
        )


@dataclass(frozen=True, slots=True)
class ZoneSnapshot:
    """One zone.

    Attributes:
        name: Its name.
        users: How many are there.
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
    def grew(self) -> bool:
        """Whether more of a resource was asked for in this tick."""
        return max(self.change) > 1.0 + NOTICEABLE

    @property
    def shrank(self) -> bool:
        """Whether less of a resource was asked for in this tick."""
        return min(self.change) < 1.0 - NOTICEABLE


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
