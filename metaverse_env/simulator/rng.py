"""Counter-based random numbers: a draw is a function of (seed, episode, zone, tick, purpose) and of nothing else.

No generator is carried along, so row ``i`` of a batch equals the single world with its seed, whatever the batch size
and the order of the loops. A *draw* is a 64-bit integer; the samplers below turn one into a variate. Users and noise
start from different keys and can be varied apart.

Mixing is SplitMix64's finaliser (Steele, Lea, Flood 2014). Large Poisson and binomial variates use Hörmann's
transformed rejection (PTRS 1993, BTRS 1993); small ones invert the distribution function.
"""

import math
from typing import Any

import numpy as np
from numba import int64, uint64

from metaverse_env.compiling import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_ZONE = np.uint64(0xD1B54A32D192ED03)
_TO_UNIT = 2.0**-52
_BELL_SCALE = (3.0 / 65536.0**2) ** 0.5
_FEW_TRIALS = 6
"""Up to this many trials, drawing each is fastest."""
_MOST_BY_INVERSION = 200
"""No count with a mean below ten comes near this; it bounds the loop where rounding leaves a rest."""
_RECIPROCALS = 1.0 / np.maximum(np.arange(_MOST_BY_INVERSION + 1), 1)
"""Divisions would take most of the time of the loops."""
_SMALL_MEAN = 10.0
"""Below this mean, inversion is faster, and rejection would not be valid."""


@compiled
def mix(bits: Any) -> Any:
    """Scramble 64 bits so that neighbouring counters give unrelated results."""
    bits = uint64(bits)
    bits = (bits ^ (bits >> uint64(30))) * _MIX_A
    bits = (bits ^ (bits >> uint64(27))) * _MIX_B
    return bits ^ (bits >> uint64(31))


@compiled
def world_key(seed: int, episode: int, stream: int) -> int:
    """Return the key of one stream of one world's episode."""
    return mix(mix(uint64(seed) * _GOLDEN + uint64(stream)) + uint64(episode) * _ZONE)


@compiled
def tick_key(key: int, tick: int) -> int:
    """Return the key of one tick."""
    return mix(uint64(key) + uint64(tick) * _GOLDEN)


@compiled
def place_key(key: int, place: int) -> int:
    """Return the key of one zone or node at the tick whose key is given."""
    return mix(uint64(key) + uint64(place + 1) * _ZONE)


@compiled
def draw(key: int, purpose: int) -> int:
    """Return the draw for one purpose under a tick's key."""
    return mix(uint64(key) + uint64(purpose) * _GOLDEN)


@compiled
def uniform(bits: int) -> float:
    """Return a uniform variate in the open interval (0, 1): 52 bits, as with 53 the half would round up to 1."""
    return (float(int64(uint64(bits) >> uint64(12))) + 0.5) * _TO_UNIT


@compiled
def between(bits: int, low: float, high: float) -> float:
    """Return a uniform variate in (low, high)."""
    return low + (high - low) * uniform(bits)


@compiled
def bell(bits: Any) -> float:
    """Return an approximately normal variate, mean 0 and variance 1: the sum of four 16-bit uniforms (Irwin-Hall).

    For the innovations of autoregressive noise, which add up many of them and so are normal to the eye of any test;
    an order of magnitude cheaper than :func:`normal`. Bounded by 3.47.
    """
    bits = uint64(bits)
    low = uint64(0xFFFF)
    total = (bits & low) + ((bits >> uint64(16)) & low) + ((bits >> uint64(32)) & low) + (bits >> uint64(48))
    return (float(int64(total)) - 131070.0) * _BELL_SCALE


@compiled
def normal(bits: int) -> float:
    """Return a standard normal variate (Box-Muller on one draw and its successor)."""
    radius = math.sqrt(-2.0 * math.log(uniform(bits)))
    return radius * math.cos(2.0 * math.pi * uniform(mix(uint64(bits) + _GOLDEN)))


@compiled
def poisson(bits: int, mean: float) -> int:
    """Return a Poisson variate with the given mean (0 for a mean of 0)."""
    if mean >= _SMALL_MEAN:
        return _poisson_by_rejection(bits, mean)
    remaining, count = uniform(bits), 0
    if remaining <= 1.0 - mean:  # at most e^-mean, so nothing happens; most draws end here
        return 0
    probability = float(math.exp(np.float32(-mean)))
    while remaining > probability and count < _MOST_BY_INVERSION:
        remaining -= probability
        count += 1
        probability *= mean * _RECIPROCALS[count]
    return count


@compiled
def binomial(bits: int, trials: int, probability: float) -> int:
    """Return how many of ``trials`` succeed, each with ``probability`` in [0, 1]."""
    if trials <= 0 or probability <= 0.0:
        return 0
    if trials <= _FEW_TRIALS:
        return _count_successes(bits, trials, probability)
    if probability > 0.5:
        return trials - binomial_small(bits, trials, 1.0 - probability)
    return binomial_small(bits, trials, probability)


@compiled
def _count_successes(bits: int, trials: int, probability: float) -> int:
    count = 0
    for _ in range(trials):
        bits = mix(uint64(bits) + _GOLDEN)
        count += uniform(bits) < probability
    return count


@compiled
def binomial_small(bits: int, trials: int, probability: float) -> int:
    """Binomial for probabilities up to one half."""
    if trials * probability >= _SMALL_MEAN:
        return _binomial_by_rejection(bits, trials, probability)
    remaining, count = uniform(bits), 0
    if remaining <= 1.0 - trials * probability:  # at most (1 - p)^n, by Bernoulli's inequality
        return 0
    odds = probability / (1.0 - probability)
    term = float(math.exp(np.float32(trials * _log_complement(probability))))
    while remaining > term and count < min(trials, _MOST_BY_INVERSION):
        remaining -= term
        count += 1
        term *= odds * (trials - count + 1) * _RECIPROCALS[count]
    return count


@compiled
def _log_complement(p: float) -> float:
    """Return log(1 - p); the series is exact to 1e-9 below 0.03 and several times faster than the library."""
    if p < 0.03:
        return -p * (1.0 + p * (0.5 + p * (1.0 / 3.0 + p * (0.25 + p * 0.2))))
    return math.log1p(-p)


@compiled
def _poisson_by_rejection(bits: int, mean: float) -> int:
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    limit = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        bits = mix(uint64(bits) + _GOLDEN)
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
        bits = mix(uint64(bits) + _GOLDEN)
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
