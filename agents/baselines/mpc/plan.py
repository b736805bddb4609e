"""Dynamic programming over levels between which every change costs the same.

Because it does, the best level to go to is the same wherever one comes from, and a step over ``K`` levels takes ``K``
operations instead of ``K^2``.
"""

import numpy as np

Array = np.ndarray


def first_level(stages: Array, change: Array | float) -> Array:
    """Return the level to take now, ``int […]``: the first step of the cheapest plan.

    Args:
        stages: ``[T, …, K]``, cost of each level in each stage; level 0 is what there is.
        change: Cost of changing the level, between stages and now; a number or ``[…, 1]``.

    >>> dear_now = np.array([[1.0, 3.0], [9.0, 3.0]])  # level 1 pays off only in the second stage
    >>> int(first_level(dear_now, change=0.5)), int(first_level(dear_now + [0.0, -2.5], change=0.5))
    (0, 1)
    """
    cost = stages[-1]
    for stage in stages[-2::-1]:
        cost = stage + np.minimum(cost, cost.min(axis=-1, keepdims=True) + change)
    moved = cost + change
    moved[..., 0] = cost[..., 0]
    chosen: Array = moved.argmin(axis=-1)
    return chosen
