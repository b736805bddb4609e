"""Exponential and logarithm as plain arithmetic: no call into a library and no branch.

A call costs the inner loop more than the function itself, for nothing stays in registers across it and no two calls
overlap. These are short polynomials around an exponent that is read off the bits: within 3e-10 of e^x, relative, and
within 3e-9 of the logarithm. That is well below the ``float32`` in which results are kept.
"""

import math
from typing import Final

import numpy as np

from metaverse_env.compiling import stage

_EXP: Final = (0.500000001346, 0.166666666816, 0.041666465006, 0.00833331093444, 0.00139336410333, 0.000198909808889)
"""q in ``e^r = 1 + r (1 + r q(r))``, lowest power first, through the 6 Chebyshev points of half an octave around 0."""
_LOG2: Final = (
    1.44269504000, -0.721347354479, 0.480898520324, -0.360696541807, 0.288552561458,
    -0.239608121926, 0.204857647495, -0.191388376188, 0.184760335058, -0.107497896563,
)  # fmt: skip
"""q in ``log2(1 + f) = f q(f)``, likewise, through the 10 Chebyshev points of 1 + f from sqrt(1/2) to sqrt(2)."""

_OCTAVE: Final = math.log(2.0)
_PER_OCTAVE: Final = 1.0 / _OCTAVE
_BIAS: Final = 1023
_MANTISSA_BITS: Final = 52
_LEAST: Final = -708.0
"""Below it e^x is no normal number."""
_ROOT_OF_HALF_BITS: Final = np.float64(math.sqrt(0.5)).view(np.int64).item()


@stage
def exp(x: float) -> float:
    """Return e^x for x up to 709; below -708, e^-708.

    >>> round(exp(1.0), 8), exp(0.0)
    (2.71828183, 1.0)
    """
    x, c = max(x, _LEAST), _EXP
    biased = np.int64(x * _PER_OCTAVE + (_BIAS + 0.5))
    r = x - (biased - _BIAS) * _OCTAVE
    square = r * r
    q = (c[0] + r * c[1]) + square * ((c[2] + r * c[3]) + square * (c[4] + r * c[5]))
    scale: float = np.int64(biased << _MANTISSA_BITS).view(np.float64)
    return scale * (1.0 + r * (1.0 + r * q))


@stage
def log2(x: float) -> float:
    """Return the binary logarithm of a positive number, exact for powers of two; -1023 for zero.

    >>> log2(8.0), log2(1.0), round(log2(10.0), 7)
    (3.0, 0.0, 3.3219281)
    """
    bits, c = np.float64(x).view(np.int64), _LOG2
    exponent = (bits - _ROOT_OF_HALF_BITS) >> _MANTISSA_BITS
    f = np.int64(bits - (exponent << _MANTISSA_BITS)).view(np.float64) - 1.0
    square = f * f
    fourth = square * square
    low = (c[0] + f * c[1]) + square * (c[2] + f * c[3])
    high = (c[4] + f * c[5]) + square * (c[6] + f * c[7]) + fourth * (c[8] + f * c[9])
    return float(exponent) + f * (low + fourth * high)
