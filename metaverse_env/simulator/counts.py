"""Counts by chance: Poisson and binomial variates, each from one draw of :mod:`.rng`.

Small counts invert the distribution function, large ones use Hörmann's transformed rejection (PTRS 1993, BTRS 1993);
both are exact but for the last digits of an exponential. Most counts of a tick are 0, 1 or 2, and which of them is pure
chance: a branch on it is mispredicted as often as not, at the price of a hundred instructions. So up to three are
counted without any, by functions that become vector instructions in a loop: :func:`few_poisson`, :func:`few_happening`.
"""

import math
from typing import Final

import numpy as np
from numba import uint64

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.arithmetic import exp
from metaverse_env.simulator.rng import GOLDEN, mix, two_uniforms, uniform

FEW: Final = 3
"""The most that is counted without a branch."""
_MOST_BY_INVERSION: Final = 200
"""No count with a mean below ten comes near this; it bounds the loop where rounding leaves a rest."""
_RECIPROCALS: Final = 1.0 / np.maximum(np.arange(_MOST_BY_INVERSION + 1), 1)
"""Divisions would take most of the time of the loop."""
_SMALL_MEAN: Final = 10.0
"""Below this mean, inversion is faster, and rejection would not be valid."""
_SMALL_HAZARD: Final = 0.5


@stage
def _few(u: float, none: float, a: float, b: float) -> int:
    """Return the count whose distribution function reaches ``u``, 4 for 4 or more.

    ``P(0)`` is ``none`` and ``P(k) = (a + b/k) P(k - 1)``, as for Poisson and binomial variates. [V] Panjer, *Recursive
    evaluation of a family of compound distributions*, ASTIN Bulletin 12, 1981.
    """
    one = none * (a + b)
    two = one * (a + b * (1.0 / 2.0))
    three = two * (a + b * (1.0 / 3.0))
    up_to_one = none + one
    up_to_two = up_to_one + two
    return int(u > none) + int(u > up_to_one) + int(u > up_to_two) + int(u > up_to_two + three)


@compiled
def _invert(u: float, none: float, a: float, b: float) -> int:
    """Return the count whose distribution function reaches ``u``; see :func:`_few`."""
    remaining, probability, count = u, none, 0
    while remaining > probability and count < _MOST_BY_INVERSION:
        remaining -= probability
        count += 1
        probability *= a + b * _RECIPROCALS[count]
    return count


@stage
def few_poisson(bits: int, mean: float) -> int:
    """Return :func:`poisson` where it is at most :data:`FEW`, else more than that."""
    count = _few(uniform(bits), exp(-mean), 0.0, mean)
    return count if mean < _SMALL_MEAN else FEW + 1


@compiled
def poisson(bits: int, mean: float) -> int:
    """Return a Poisson variate with the given mean (0 for a mean of 0)."""
    if mean >= _SMALL_MEAN:
        return _poisson_by_rejection(bits, mean)
    return _invert(uniform(bits), exp(-mean), 0.0, mean)


@stage
def few_happening(bits: int, trials: int, hazard: float) -> int:
    """Return :func:`happening` where it is at most :data:`FEW`, else more than that."""
    odds, total = exp(hazard) - 1.0, trials * hazard
    count = _few(uniform(bits), exp(-total), -odds, (trials + 1) * odds)
    return count if (hazard < _SMALL_HAZARD) & (total < _SMALL_MEAN) else FEW + 1


@compiled
def happening(bits: int, trials: int, hazard: float) -> int:
    """Return how many of ``trials`` happen, where each has the probability ``1 - exp(-hazard)``.

    The same as :func:`binomial`, without a logarithm: that none of n happens has the probability ``exp(-n hazard)``.
    """
    if hazard >= _SMALL_HAZARD or trials * hazard >= _SMALL_MEAN:
        return binomial(bits, trials, -math.expm1(-hazard))
    odds = exp(hazard) - 1.0
    return min(_invert(uniform(bits), exp(-trials * hazard), -odds, (trials + 1) * odds), trials)


@stage
def few_successes(bits: int, trials: int, probability: float) -> int:
    """Return how many of up to :data:`FEW` trials succeed, each with ``probability``; without meaning for more."""
    first, second = two_uniforms(bits)
    third, _ = two_uniforms(mix(uint64(bits) + GOLDEN))
    return (
        int((first < probability) & (trials > 0))
        + int((second < probability) & (trials > 1))
        + int((third < probability) & (trials > 2))
    )


@compiled
def binomial(bits: int, trials: int, probability: float) -> int:
    """Return how many of ``trials`` succeed, each with ``probability`` in [0, 1]."""
    if trials <= 0 or probability <= 0.0:
        return 0
    if probability > 0.5:
        return trials - _binomial_up_to_half(bits, trials, 1.0 - probability)
    return _binomial_up_to_half(bits, trials, probability)


@compiled
def _binomial_up_to_half(bits: int, trials: int, probability: float) -> int:
    if trials * probability >= _SMALL_MEAN:
        return _binomial_by_rejection(bits, trials, probability)
    odds = probability / (1.0 - probability)
    none = math.exp(trials * math.log1p(-probability))
    return min(_invert(uniform(bits), none, -odds, (trials + 1) * odds), trials)


@compiled
def _poisson_by_rejection(bits: int, mean: float) -> int:
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    limit = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        bits = mix(uint64(bits) + GOLDEN)
        u, v = uniform(bits) - 0.5, uniform(mix(bits))
        distance = 0.5 - abs(u)
        count = math.floor((2.0 * a / distance + b) * u + mean + 0.43)
        if distance >= 0.07 and v <= limit:
            return int(count)
        if count < 0 or (distance < 0.013 and v > distance):
            continue
        accept = math.log(v * inverse_alpha / (a / (distance * distance) + b))
        if accept <= count * math.log(mean) - mean - math.lgamma(count + 1.0):
            return int(count)


@compiled
def _binomial_by_rejection(bits: int, trials: int, probability: float) -> int:
    spread = math.sqrt(trials * probability * (1.0 - probability))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * probability
    centre = trials * probability + 0.5
    alpha = (2.83 + 5.1 / b) * spread
    limit = 0.92 - 4.2 / b
    mode = math.floor((trials + 1) * probability)
    log_odds = math.log(probability / (1.0 - probability))
    log_mode = math.lgamma(mode + 1.0) + math.lgamma(trials - mode + 1.0)
    while True:
        bits = mix(uint64(bits) + GOLDEN)
        u, v = uniform(bits) - 0.5, uniform(mix(bits))
        distance = 0.5 - abs(u)
        count = math.floor((2.0 * a / distance + b) * u + centre)
        if count < 0 or count > trials:
            continue
        if distance >= 0.07 and v <= limit:
            return int(count)
        accept = math.log(v * alpha / (a / (distance * distance) + b))
        bound = log_mode - math.lgamma(count + 1.0) - math.lgamma(trials - count + 1.0) + (count - mode) * log_odds
        if accept <= bound:
            return int(count)
