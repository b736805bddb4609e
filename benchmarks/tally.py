"""What an episode amounts to, summed up tick by tick: a week of many worlds need not be kept."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.scores import Scores
from metaverse_env.simulator.records import WORLD_REWARD
from metaverse_env.units import SECONDS_PER_HOUR

Array = np.ndarray
Floats = NDArray[np.float64]


class Tally:
    """Sums over the ticks of an episode of ``W`` worlds of ``Z`` zones.

    Args:
        worlds: ``W``.
        zones: ``Z``.
        tick_s: Length of a tick, s.
    """

    def __init__(self, worlds: int, zones: int, tick_s: float) -> None:
        self.tick_s, self.ticks = tick_s, 0
        self._world = {name: np.zeros(worlds) for name in WORLD_REWARD.names or ()}
        self._violated_users = np.zeros(worlds)
        self._latency_user_ms = np.zeros(worlds)
        self._p99_user_ms = np.zeros(worlds)
        self._excess_user_ms = np.zeros(worlds)
        self._present_user_s = np.zeros((worlds, zones))
        self._violated_user_s = np.zeros((worlds, zones))

    def add(self, outcomes: Array, rewards: Array) -> None:
        """Count one tick.

        Args:
            outcomes: Record ``[W, Z]`` of OUTCOME.
            rewards: Record ``[W]`` of WORLD_REWARD.
        """
        self.ticks += 1
        for name in self._world:
            self._world[name] += rewards[name]
        users = rewards["users"].astype(np.float64)
        self._violated_users += rewards["violated_user_share"] * users
        self._latency_user_ms += rewards["mean_latency_ms"] * users
        self._add_zones(outcomes)

    def _add_zones(self, outcomes: Array) -> None:
        users = outcomes["users"].astype(np.float64)
        self._p99_user_ms += (outcomes["latency_p99_ms"] * users).sum(axis=1)
        self._excess_user_ms += outcomes["excess_user_ms"].sum(axis=1, dtype=np.float64)
        self._present_user_s += users * self.tick_s
        self._violated_user_s += outcomes["violated_user_s"]

    def scores(self, decisions_ms: Array) -> Scores:
        """Return every metric of :data:`~benchmarks.scores.METRICS`, ``[W]``.

        A world without users has no violations and a latency of 0; one without violations has a depth of 0.

        Args:
            decisions_ms: Wall time of each decision that counts; one is for all worlds at once.
        """
        hours = self.ticks * self.tick_s / SECONDS_PER_HOUR
        zones, present = self._present_user_s.shape[1], np.maximum(self._world["users"], 1.0)
        violated_user_s = self._violated_user_s.sum(axis=1)
        return {
            "cost_eur_per_h": (self._world["resource_eur_per_h"] + self._world["change_eur_per_h"]) / self.ticks,
            "violated_percent": 100.0 * self._violated_users / present,
            "latency_ms": self._latency_user_ms / present,
            "reward": self._world["reward"] / self.ticks,
            "changes_per_h": self._world["changes"] / (hours * zones),
            "quality_eur_per_h": self._world["quality_eur_per_h"] / self.ticks,
            "out_of_memory_per_h": self._world["out_of_memory_kills"] / hours,
            "latency_p99_ms": self._p99_user_ms / present,
            "violation_depth_ms": _ratio(self._excess_user_ms * self.tick_s, violated_user_s, otherwise=0.0),
            **self._fairness(),
            **_decisions(decisions_ms, len(present)),
        }

    def _fairness(self) -> Scores:
        shares = _ratio(self._violated_user_s, self._present_user_s, otherwise=np.nan)
        return {
            "zone_spread_points": 100.0 * np.array([spread(world) for world in shares]),
            "fairness_jain": np.array([jain(1.0 - world[np.isfinite(world)]) for world in shares]),
        }


def spread(shares: Floats) -> float:
    """Return the standard deviation over zones of their violated shares; NaN, a zone nobody came to, does not count.

    >>> spread(np.array([0.25, 0.75, np.nan]))
    0.25
    """
    counted = shares[np.isfinite(shares)]
    return float(counted.std()) if len(counted) else 0.0


def jain(values: Floats) -> float:
    """Return Jain's index of fairness: 1 where all have the same, 1 / n where one has everything (Jain et al., 1984).

    >>> jain(np.array([1.0, 1.0, 1.0])), jain(np.array([1.0, 0.0])), jain(np.array([0.0, 0.0]))
    (1.0, 0.5, 1.0)
    """
    square = float((values**2).sum())
    return float(values.sum()) ** 2 / (len(values) * square) if square > 0.0 else 1.0


def _ratio(values: Floats, over: Floats, otherwise: float) -> Floats:
    """Return ``values / over``, and ``otherwise`` where there is nothing to divide by."""
    return np.divide(values, over, out=np.full_like(values, otherwise), where=over > 0.0)


def _decisions(decisions_ms: Array, worlds: int) -> Scores:
    """Return how long decisions took: the same for every world of the block, since one decision was for all."""
    median, p99 = np.quantile(decisions_ms, (0.5, 0.99))
    return {"decision_ms": np.full(worlds, median), "decision_p99_ms": np.full(worlds, p99)}
