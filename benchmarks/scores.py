"""What is measured of a controller, each in a unit that people know."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metaverse_env.units import SECONDS_PER_HOUR

Array = np.ndarray
Scores = dict[str, NDArray[np.float64]]
"""Each metric by name, one value per seed."""


class Metric(NamedTuple):
    """One number about an episode."""

    name: str
    heading: str
    unit: str
    meaning: str


METRICS: Final = (
    Metric("cost_eur_per_h", "cost", "EUR/h", "allocated resources and charges for changes, all zones"),
    Metric("violated_percent", "violated", "% user-s", "user-seconds whose p95 is above the objective"),
    Metric("latency_ms", "p95", "ms", "p95 latency over a tick, mean over users and ticks"),
    Metric("reward", "reward", "per tick", "global reward, mean over ticks"),
    Metric("changes_per_h", "changes", "/zone h", "changes of a zone's allocation"),
    Metric("quality_eur_per_h", "quality", "EUR/h", "charge for users above the objective, all zones"),
    Metric("out_of_memory_per_h", "kills", "1/h", "kills for want of memory, all zones"),
)
"""In the order of every table; the last ones stand in files only."""
SHOWN: Final = METRICS[:5]


@dataclass(frozen=True)
class Result:
    """How one policy did: every metric, one value per seed."""

    policy: str
    scores: Scores

    @property
    def reward(self) -> float:
        """Mean reward over the seeds."""
        return float(self.scores["reward"].mean())


def score(world_rewards: Array, zones: int, tick_s: float) -> Scores:
    """Sum up an episode.

    Args:
        world_rewards: Record ``[T, W]`` of WORLD_REWARD.
        zones: ``Z``.
        tick_s: Length of a tick.

    Returns:
        Every metric of :data:`METRICS`, ``[W]``. A world without users has no violations and a latency of 0.
    """
    terms = {name: world_rewards[name].astype(np.float64) for name in world_rewards.dtype.names or ()}
    users, hours = terms["users"], len(world_rewards) * tick_s / SECONDS_PER_HOUR
    present = np.maximum(users.sum(axis=0), 1.0)
    return {
        "cost_eur_per_h": (terms["resource_eur_per_h"] + terms["change_eur_per_h"]).mean(axis=0),
        "violated_percent": 100.0 * (terms["violated_user_share"] * users).sum(axis=0) / present,
        "latency_ms": (terms["mean_latency_ms"] * users).sum(axis=0) / present,
        "reward": terms["reward"].mean(axis=0),
        "changes_per_h": terms["changes"].sum(axis=0) / (hours * zones),
        "quality_eur_per_h": terms["quality_eur_per_h"].mean(axis=0),
        "out_of_memory_per_h": terms["out_of_memory_kills"].sum(axis=0) / hours,
    }
