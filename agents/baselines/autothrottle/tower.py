"""The slow level: which share of throttled periods to allow, learnt from cost and latency.

Zones of a world form two groups, the more and the less busy half, and each group has one target on a ladder. A target's
cost is what is allocated over what is used, if users are served within the objective, and 2 plus the latency over the
objective if not. Costs are forgotten by halves. Source: Autothrottle's ``tower`` [V], with what the package says.
"""

from typing import Final

import numpy as np

Array = np.ndarray
LADDER: Final = np.array([0.0, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2])
"""Targets to choose from [choice]; the paper's are 0 to 0.3."""
GROUPS: Final = 2
VIOLATED: Final = 2.0
"""Cost of missing the objective, before the latency is added [V]."""


def busy_half(usage: Array) -> Array:
    """Return the group of each zone, ``int [W, Z]``: 1 for the busier half by usage ``[W, Z]``.

    >>> busy_half(np.array([[1.0, 3.0, 2.0, 4.0]]))
    array([[0, 1, 0, 1]])
    """
    busy: Array = (usage > np.median(usage, axis=1, keepdims=True)).astype(np.int64)
    return busy


def cost_of(allocation: Array, usage: Array, latency_ms: Array, objective_ms: float) -> Array:
    """Return every zone's cost ``[W, Z]`` of a period: over-allocation scaled to [0, 1], or 2 and more if too slow.

    >>> cost_of(np.array([2.0, 2.0]), np.array([1.0, 1.0]), np.array([50.0, 200.0]), 100.0)
    array([0.5, 4. ])
    """
    slack = 1.0 - usage / np.maximum(allocation, np.finfo(np.float64).tiny)
    cost: Array = np.where(latency_ms <= objective_ms, np.clip(slack, 0.0, 1.0), VIOLATED + latency_ms / objective_ms)
    return cost


class Tower:
    """Chooses a rung of the ladder for each group of each world.

    Args:
        worlds: How many worlds.
        first: Rung to start from.
        explore_every: After how many decisions a neighbouring rung is tried.
        learning_rate: Weight of a new cost over the old estimate.
    """

    def __init__(self, worlds: int, first: int, explore_every: int, learning_rate: float) -> None:
        shape = (worlds, GROUPS)
        self.rung: Array = np.full(shape, first)
        self._costs: Array = np.full((*shape, len(LADDER)), np.nan)
        self._explore_every, self._learning_rate, self._decisions = explore_every, learning_rate, 0

    def targets(self, group: Array) -> Array:
        """Return the target of every zone ``[W, Z]``."""
        chosen: Array = LADDER[np.take_along_axis(self.rung, group, axis=1)]
        return chosen

    def learn(self, cost: Array, group: Array) -> None:
        """Take in the costs ``[W, Z]`` of the period that ends, and choose for the next one."""
        for index in range(GROUPS):
            inside = group == index
            mean = np.where(inside, cost, 0.0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
            self._estimate(index, mean)
        self._decisions += 1
        best = self._best()
        if self._decisions % self._explore_every == 0:
            step = 1 if (self._decisions // self._explore_every) % 2 else -1
            best = np.clip(best + step, 0, len(LADDER) - 1)
        self.rung = best

    def _estimate(self, group: int, mean: Array) -> None:
        place = np.arange(len(mean)), group, self.rung[:, group]
        old = self._costs[place]
        self._costs[place] = np.where(np.isnan(old), mean, old + self._learning_rate * (mean - old))

    def _best(self) -> Array:
        """Return the cheapest known rung among the present one and its neighbours."""
        rungs = np.arange(len(LADDER))
        near = np.abs(rungs - self.rung[:, :, None]) <= 1
        costs = np.where(near & ~np.isnan(self._costs), self._costs, np.inf)
        best: Array = costs.argmin(axis=-1)
        return best
