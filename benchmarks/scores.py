"""What is measured of a controller, each in a unit that people know."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = dict[str, NDArray[np.float64]]
"""Each metric by name, one value per seed."""
Better = Literal["less", "more", "neither"]


class Metric(NamedTuple):
    """One number about an episode; ``better`` says what to aim for, if it is an aim in itself."""

    name: str
    heading: str
    unit: str
    meaning: str
    better: Better = "less"


METRICS: Final = (
    Metric("cost_eur_per_h", "cost", "EUR/h", "allocated resources and charges for changes, all zones"),
    Metric("violated_percent", "violated", "% user-s", "user-seconds whose p95 is above the objective"),
    Metric("latency_ms", "p95", "ms", "p95 latency over a tick, mean over users and ticks"),
    Metric("reward", "reward", "per tick", "global reward, mean over ticks", "more"),
    Metric("changes_per_h", "changes", "/zone h", "changes of a zone's allocation", "neither"),
    Metric("quality_eur_per_h", "quality", "EUR/h", "charge for users above the objective, all zones"),
    Metric("out_of_memory_per_h", "kills", "1/h", "kills for want of memory, all zones"),
    Metric("latency_p99_ms", "p99", "ms", "p99 latency of a zone over a tick, mean over its users and ticks"),
    Metric(
        "violation_depth_ms", "depth", "ms", "p95 above the objective, mean over the user-seconds that are above it"
    ),
    Metric(
        "zone_spread_points",
        "zones ±",
        "points",
        "standard deviation over zones of the share of their user-seconds above the objective",
    ),
    Metric(
        "fairness_jain",
        "fairness",
        "0 to 1",
        "Jain's index over zones of their share of user-seconds within it",
        "more",
    ),
    Metric("decision_ms", "decision", "ms", "wall time of one decision for a block of worlds, median over ticks"),
    Metric("decision_p99_ms", "decision p99", "ms", "the same, 99th percentile over ticks"),
)
"""In the order of every table; the last ones stand in files only."""
SHOWN: Final = METRICS[:5]
CLOCKED: Final = ("decision_ms", "decision_p99_ms")
"""What the machine has a say in: the same seeds give other values each time."""


@dataclass(frozen=True)
class Result:
    """How one policy did: every metric, one value per seed."""

    policy: str
    scores: Scores

    @property
    def reward(self) -> float:
        """Mean reward over the seeds."""
        return float(self.scores["reward"].mean())
