"""Changes that are too small to be worth their charge."""

from typing import NamedTuple

import numpy as np

from metaverse_env.units import RESOURCES

Array = np.ndarray


class DeadBand(NamedTuple):
    """How much is worth a change, in base-2 logarithms of an allocation over what is pending.

    A zone changes if one resource is to grow by ``up`` or shrink by ``down``, and then all of its resources do, for
    the charge is by zone.
    """

    up: float = 0.08
    down: float = 0.25

    def apply(self, actions: Array) -> Array:
        """Return continuous actions ``[agents, choices]``, scalings first, where zones that hold ask for no change.

        >>> DeadBand(0.1, 0.2).apply(np.array([[0.1, -0.1, 0.0, -1.0], [0.0, -0.1, 0.0, -1.0]]))
        array([[ 0.1, -0.1,  0. , -1. ],
               [ 0. ,  0. ,  0. , -1. ]])
        """
        scales = actions[:, : len(RESOURCES)]
        holding = ((scales < self.up) & (scales > -self.down)).all(axis=1)
        steady = actions.copy()
        steady[holding, : len(RESOURCES)] = 0.0
        return steady
