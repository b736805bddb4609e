"""Changes that are too small to be worth their charge."""

from typing import Final, NamedTuple

import numpy as np

from metaverse_env.scenario.infrastructure import CostSpec
from metaverse_env.units import MB_PER_GB, RESOURCES

Array = np.ndarray

EARNED_BACK_WITHIN_H: Final = 0.01
"""Time in which a smaller allocation has to save what the change costs: 36 s, the best of 10 s to 6 min [M]."""


class DeadBand(NamedTuple):
    """How much is worth a change.

    A zone changes if one resource is to grow by ``up``, or if one is to shrink by ``down`` and all of them together
    are worth the charge; then all of its resources do, for the charge is by zone. Without the last condition small
    zones, whose demand is few users' and restless, would pay more for changes than for what they use.

    Attributes:
        up: Least growth, a base-2 logarithm of the allocation over what is pending.
        down: Least shrinking, likewise.
        worth: What a core, a MB and a Mbps less are worth, in charges for a change.
    """

    up: float = 0.08
    down: float = 0.25
    worth: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, cost: CostSpec) -> "DeadBand":
        """Return the usual band at these prices."""
        if cost.change_eur == 0.0:
            return cls()
        prices = cost.cpu_eur_per_core_h, cost.memory_eur_per_gb_h / MB_PER_GB, cost.bandwidth_eur_per_mbps_h
        cpu, memory, bandwidth = (price * EARNED_BACK_WITHIN_H / cost.change_eur for price in prices)
        return cls(worth=(cpu, memory, bandwidth))

    def apply(self, actions: Array, pending: Array) -> Array:
        """Return continuous actions, scalings first, where zones that hold ask for no change.

        Args:
            actions: ``[agents, choices]``.
            pending: ``[agents, 3]``, what they scale: cores, MB, Mbps.

        >>> actions = np.array([[0.1, -0.1, 0.0, -1.0], [0.0, -0.1, 0.0, -1.0]])
        >>> DeadBand(0.1, 0.2).apply(actions, np.ones((2, 3)))
        array([[ 0.1, -0.1,  0. , -1. ],
               [ 0. ,  0. ,  0. , -1. ]])
        """
        scales = actions[:, : len(RESOURCES)]
        shrinks = (scales <= -self.down).any(axis=1)
        if any(self.worth):
            shrinks &= (pending * (1.0 - np.exp2(scales))) @ np.array(self.worth) >= 1.0
        holding = (scales < self.up).all(axis=1) & ~shrinks
        steady = actions.copy()
        steady[holding, : len(RESOURCES)] = 0.0
        return steady
