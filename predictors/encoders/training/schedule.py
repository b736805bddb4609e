"""Which samples a step learns from, and how fast: functions of the seed and the step alone."""

import math
from typing import Final

import numpy as np

FINAL_SHARE: Final = 0.02
"""Of the learning rate, at the end of its cosine [choice]."""


def places_of(step: int, size: int, batch_size: int, seed: int) -> list[int]:
    """Return the places of the samples of a step; over the steps every sample comes equally often, in shuffled rounds.

    A batch that begins in one round and ends in the next may hold a sample twice.

    Args:
        step: From 0.
        size: How many samples there are.
        batch_size: Of a step.
        seed: Of the shuffling.

    >>> sorted(place for step in range(3) for place in places_of(step, 6, 2, seed=0))
    [0, 1, 2, 3, 4, 5]
    """
    rounds: dict[int, np.ndarray] = {}
    places = []
    for position in range(step * batch_size, (step + 1) * batch_size):
        number, place = divmod(position, size)
        if number not in rounds:
            rounds[number] = np.random.default_rng([seed, number]).permutation(size)
        places.append(int(rounds[number][place]))
    return places


def rate_of(step: int, steps: int, warmup_steps: int, peak: float) -> float:
    """Return the learning rate of a step: up in a line, down in a half cosine [Loshchilov and Hutter 2017].

    >>> [round(rate_of(step, 12, 2, 1.0), 2) for step in (0, 1, 2, 7, 12)]
    [0.5, 1.0, 1.0, 0.51, 0.02]
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return peak * (FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))))
