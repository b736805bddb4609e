"""What training minimises: a likelihood in log space that takes a throttled sample for what it is, a bound.

Of a zone that used all it was given one knows only that it wanted at least as much. Taking that for its demand would
teach that want never exceeds what is given. The likelihood of such a sample is that of all demands above it (Tobin,
1958), and the likelihood of its latency is a mean over the loads that it may have been under. The pull of a sample far
off the median is bounded, for kills and node losses are no Gaussian's tail.
"""

import math
from typing import Final

import torch
from torch import Tensor

_FAR: Final = 4.0
"""Deviations beyond which a sample's pull no longer grows."""
_LEAST_SPREAD: Final = 1e-3
_HALF_LOG_2_PI: Final = 0.5 * math.log(2.0 * math.pi)


def surprise(median: Tensor, spread: Tensor, seen: Tensor, bound: Tensor) -> Tensor:
    """Return the negative log-likelihood of normal variates, of some of which only a bound was seen.

    Args:
        median: Of the prediction, any shape.
        spread: Its standard deviation.
        seen: What was seen.
        bound: 1 where the variate is only known to be at least what was seen, -1 where at most, 0 where it is that.

    >>> one = torch.ones(1)
    >>> round(float(surprise(0 * one, one, 0 * one, one)), 3)  # as likely above as below: ln 2
    0.693
    """
    spread = spread + _LEAST_SPREAD
    deviation = (seen - median) / spread
    exact = _bounded_square(deviation) + torch.log(spread) + _HALF_LOG_2_PI
    missed = bound * deviation
    beyond = -torch.special.log_ndtr(-torch.clamp(missed, max=_FAR)) + _FAR * torch.relu(missed - _FAR)
    return torch.where(bound == 0.0, exact, beyond)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of values, of which those of weight 0 are left out.

    Raises:
        ValueError: Shapes differ: broadcasting would give a loss that falls and a network that is wrong.
    """
    if values.shape != weights.shape:
        raise ValueError(f"a loss needs equal shapes, got {tuple(values.shape)}, {tuple(weights.shape)}")
    return (weights * values).sum() / weights.sum().clamp(min=1.0)


def draw_between(median: Tensor, spread: Tensor, low: Tensor, high: Tensor, rank: Tensor) -> Tensor:
    """Return quantiles of a normal variate that is known to be within limits.

    Args:
        median: Of the variate.
        spread: Its standard deviation.
        low: That it is not below; may be minus infinity.
        high: That it is not above; may be infinity.
        rank: Which quantile, in (0, 1).

    >>> one = torch.ones(1)
    >>> round(float(draw_between(0 * one, one, 0 * one, torch.inf * one, 0.5 * one)), 3)  # the median of a half normal
    0.674
    """
    limits = (torch.clamp((limit - median) / spread, -_FAR, _FAR) for limit in (low, high))
    above_low, above_high = (torch.special.ndtr(-limit) for limit in limits)
    share = above_low - rank * (above_low - above_high)
    return torch.clamp(median - spread * torch.special.ndtri(share), low, high)


def _bounded_square(deviation: Tensor) -> Tensor:
    """Return half the square, going on straight from :data:`_FAR`."""
    size = torch.abs(deviation)
    return torch.where(size < _FAR, 0.5 * size**2, _FAR * (size - 0.5 * _FAR))
