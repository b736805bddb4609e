"""What a plan is expected to cost, EUR: resources, and users above the objective.

A zone's users are taken to be violated in a tick in which a resource's demand exceeds ``knee x allocation``. Demand is
taken to be log-normal, with the forecast's median and spread. Resources count one by one: the chance that any of them
is short is at most the sum of theirs.
"""

from typing import Final

import numpy as np

from agents.baselines.believing import SCORES
from agents.baselines.chances import chance_above

Array = np.ndarray
_LEAST: Final = 1e-6


def spread(values: Array, least: float) -> tuple[Array, Array]:
    """Return log-median and sigma of demand from forecast quantiles ``[…, 3]``.

    Args:
        values: The quantiles .5, .9 and .99.
        least: Sigma is at least this: no forecast is as sure as it says.

    >>> median, sigma = spread(np.array([1.0, 2.0, 4.0]), 0.05)
    >>> float(median), round(float(sigma), 4)
    (0.0, 0.5409)
    """
    logs = np.log(np.maximum(values, _LEAST))
    return logs[..., 0], np.maximum((logs[..., 1] - logs[..., 0]) / SCORES[1], least)


def chance_short(log_median: Array, sigma: Array, usable: Array) -> Array:
    """Return the chance that demand exceeds what is usable.

    >>> float(chance_short(np.array(0.0), np.array(0.3), np.array(1.0)))
    0.5
    """
    score = (np.log(np.maximum(usable, _LEAST)) - log_median) / sigma
    return chance_above(score)
