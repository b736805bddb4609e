"""Everything that can be chosen about a server, checked before it opens its port."""

from dataclasses import dataclass, field
from typing import Final

from metaverse_env.errors import ConfigurationError
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import TICKS
from metaverse_env.units import QUANTILES
from metaverse_env.zones import ZoneGraph
from predictors.server.access import KeyRing
from predictors.server.graphs import NO_ZONES

TICK_S: Final = 15.0
"""Length of a tick that the shipped network was trained for."""


@dataclass(frozen=True)
class Settings:
    """How a server serves.

    Attributes:
        graph: Zones that are known from the start, and who neighbours whom; others join without neighbours.
        tick_s: Length of a tick, s.
        ticks_ahead: Which tick ahead ``/predict`` answers.
        quantile: Which quantile ``/predict`` answers.
        max_zones: Zones at most, those of the graph included; every zone costs a forecast and nine series.
        max_queue: Reports that may wait for the forecaster at most.
        max_body_bytes: Larger requests are refused.
        max_rate_per_s: Requests that each key (or everyone, where there are no keys) may make; ``None`` for no limit.
        keys: Who may do what; without keys everyone may do everything.

    Raises:
        ConfigurationError: A value is outside its limits.
    """

    graph: ZoneGraph = NO_ZONES
    tick_s: float = TICK_S
    ticks_ahead: int = 1
    quantile: float = QUANTILES[0]
    max_zones: int = 256
    max_queue: int = 1024
    max_body_bytes: int = 1 << 20
    max_rate_per_s: float | None = None
    keys: KeyRing = field(default_factory=KeyRing)

    @property
    def memory_s(self) -> float:
        """How long a report is remembered, s."""
        return TICKS * self.tick_s

    def __post_init__(self) -> None:
        _within("a tick", self.tick_s, 0.1, 3600.0, "s")
        _within("what is forecast", self.ticks_ahead, 1, HORIZON, "ticks ahead")
        _within("the queue", self.max_queue, 1, 1_000_000, "reports")
        _within("the largest body", self.max_body_bytes, 1024, 1 << 30, "bytes")
        if self.max_rate_per_s is not None:
            _within("the rate", self.max_rate_per_s, 0.001, 1e6, "requests/s")
        if self.quantile not in QUANTILES:
            raise ConfigurationError(f"quantile {self.quantile} is not forecast; choose one of {QUANTILES}")
        if not max(1, len(self.graph)) <= self.max_zones:
            raise ConfigurationError(
                f"room for {self.max_zones} zones, but the scenario has {len(self.graph)} and one at least is needed;"
                " raise --max-zones"
            )


def _within(what: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:
        raise ConfigurationError(f"{what} must be between {least:g} and {most:g} {unit}, not {value:g}")
