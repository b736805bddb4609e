"""From good parameters to better ones nearby: CMA-ES in the cube that the ranges span."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from cmaes import CMA

from agents.baselines.parameters import Range

FIRST_STEP: Final = 0.1
"""Standard deviation of the first steps, as a share of what is searched [choice]."""
LEAST_DIMENSIONS: Final = 2
"""CMA-ES has no variant for a single parameter, which gets an idle companion."""


class Downhill:
    """Asks for the value of one point after the other, a generation at a time.

    Args:
        ranges: Of the parameters, by name, each with what is searched.
        start: Where to begin.
        seed: Of what is drawn.
    """

    def __init__(self, ranges: Mapping[str, Range], start: Mapping[str, float], seed: int) -> None:
        self._ranges = ranges
        mean = np.full(max(LEAST_DIMENSIONS, len(ranges)), 0.5)
        mean[: len(ranges)] = [share_of(start[name], allowed) for name, allowed in ranges.items()]
        self._cma = CMA(mean, FIRST_STEP, bounds=np.tile([0.0, 1.0], (len(mean), 1)), seed=seed)
        self._asked = mean
        self._answers: list[tuple[np.ndarray, float]] = []

    def ask(self) -> dict[str, float]:
        """Return the next point."""
        self._asked = self._cma.ask()
        return {
            name: value_of(float(share), allowed)
            for share, (name, allowed) in zip(self._asked, self._ranges.items(), strict=False)
        }

    def tell(self, value: float) -> None:
        """Answer the last question; less is better."""
        self._answers.append((self._asked, value))
        if len(self._answers) == self._cma.population_size:
            self._cma.tell(self._answers)
            self._answers = []


def searched(allowed: Range) -> tuple[float, float]:
    """Return the least and most that are tried."""
    return allowed.search or (allowed.least, allowed.most)


def share_of(value: float, allowed: Range) -> float:
    """Return where a value lies in what is searched, from 0 to 1.

    >>> share_of(10.0, Range(0.0, 1e6, search=(1.0, 100.0), logarithmic=True))
    0.5
    """
    low, high = searched(allowed)
    if allowed.logarithmic:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def value_of(share: float, allowed: Range) -> float:
    """Return the value at a share of what is searched; a whole one where it must be.

    >>> value_of(0.5, Range(0.0, 1e6, search=(1.0, 100.0), logarithmic=True))
    10.0
    """
    low, high = searched(allowed)
    value = low * (high / low) ** share if allowed.logarithmic else low + share * (high - low)
    return float(round(value)) if allowed.whole else value
