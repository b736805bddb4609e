"""Counter-based random numbers: a draw is a function of (seed, episode, zone, tick, purpose) and of nothing else.

No generator is carried along, so row ``i`` of a batch equals the single world with its seed, whatever the batch size
and the order of the loops. A *draw* is a 64-bit integer; the samplers below turn one into a variate. Users and noise
start from different keys and can be varied apart.

Mixing is SplitMix64's finaliser (Steele, Lea, Flood 2014). Variates that count are in :mod:`.counts`.
"""

import math
from typing import Any

import numpy as np
from numba import int64, uint64

from metaverse_env.compiling import compiled

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_ZONE = np.uint64(0xD1B54A32D192ED03)
_TO_UNIT = 2.0**-52
_TO_HALF_UNIT = 2.0**-32
_BELL_SCALE = (3.0 / 65536.0**2) ** 0.5


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
    return mix(mix(uint64(seed) * GOLDEN + uint64(stream)) + uint64(episode) * _ZONE)


@compiled
def tick_key(key: int, tick: int) -> int:
    """Return the key of one tick."""
    return mix(uint64(key) + uint64(tick) * GOLDEN)


@compiled
def place_key(key: int, place: int) -> int:
    """Return the key of one zone or node at the tick whose key is given."""
    return mix(uint64(key) + uint64(place + 1) * _ZONE)


@compiled
def draw(key: int, purpose: int) -> int:
    """Return the draw for one purpose under a tick's key."""
    return mix(uint64(key) + uint64(purpose) * GOLDEN)


@compiled
def uniform(bits: int) -> float:
    """Return a uniform variate in the open interval (0, 1): 52 bits, as with 53 the half would round up to 1."""
    return (float(int64(uint64(bits) >> uint64(12))) + 0.5) * _TO_UNIT


@compiled
def two_uniforms(bits: int) -> tuple[float, float]:
    """Return two independent uniform variates in (0, 1), of 32 bits each."""
    high, low = float(int64(uint64(bits) >> uint64(32))), float(int64(uint64(bits) & uint64(0xFFFFFFFF)))
    return (high + 0.5) * _TO_HALF_UNIT, (low + 0.5) * _TO_HALF_UNIT


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
    return radius * math.cos(2.0 * math.pi * uniform(mix(uint64(bits) + GOLDEN)))
