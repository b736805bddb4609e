"""What a trial does when: its arms, its zones' steps of load, and how long it takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.trial.arms import CONTROLLED, Arm, Zone
from benchmarks.trial.load import Rate
from metaverse_env.errors import ConfigurationError

LONGEST_S = 1800.0


@dataclass(frozen=True)
class Plan:
    """A trial.

    Zones step up one after the other, so that a small node can bear all arms at the same time.

    Attributes:
        zone: What every zone's pods are.
        zones: In each arm.
        usual_per_s: Requests of a zone before and after its step.
        high_per_s: In its step.
        lead_s: Before the first step.
        step_s: Length of a step.
        tail_s: After a step, before the next zone's.
        objective_ms: Latency that a request must not exceed.
        least_mcores: What the controlled arm and the first fixed arm start with.
        most_mcores: What the second fixed arm has.
        seed: Of the arrivals.
    """

    zone: Zone = field(default_factory=lambda: Zone("zone:1"))
    zones: int = 3
    usual_per_s: float = 4.0
    high_per_s: float = 18.0
    lead_s: float = 20.0
    step_s: float = 60.0
    tail_s: float = 20.0
    objective_ms: float = 100.0
    least_mcores: int = 300
    most_mcores: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that it ends.

        Raises:
            ConfigurationError: It has no zones or takes too long.
        """
        if not 1 <= self.zones <= 30:
            raise ConfigurationError(f"zones = {self.zones} of an arm must be from 1 to 30")
        if not 0.0 < self.seconds <= LONGEST_S:
            raise ConfigurationError(f"the trial would take {self.seconds:g} s; from 1 to {LONGEST_S:g} s are allowed")

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Return the arms: two that stay, one that is controlled."""
        fixed = [Arm(f"fixed-{cpu}m", cpu) for cpu in (self.least_mcores, self.most_mcores)]
        return (*fixed, Arm(CONTROLLED, self.least_mcores))

    @property
    def seconds(self) -> float:
        """Return how long the load takes, s."""
        return self.lead_s + self.zones * (self.step_s + self.tail_s) + self.tail_s

    def rate(self, number: int) -> Rate:
        """Return the load of a zone, counted from 1, the same in every arm."""
        start_s = self.lead_s + (number - 1) * (self.step_s + self.tail_s)
        return Rate(self.usual_per_s, self.high_per_s, start_s, start_s + self.step_s)

    def each(self) -> Iterator[tuple[Arm, int, str]]:
        """Yield every zone: arm, number and name."""
        for arm in self.arms:
            for number in range(1, self.zones + 1):
                yield arm, number, arm.zone(number)
