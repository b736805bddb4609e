"""The likelihood: lower bounds are lower bounds, and far samples do not pull harder."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from predictors.stgnn.dynamics.losses import draw_between, surprise, weighted_mean

AT_LEAST, AT_MOST = 1.0, -1.0


def surprise_of(seen: float, bound: float = 0.0, spread: float = 0.999) -> float:
    """Return the loss of one sample about 0; the spread is 1 with what is added to it."""
    one = torch.ones(1)
    return float(surprise(0.0 * one, spread * one, seen * one, bound * one))


def test_likelihood_by_hand() -> None:
    assert surprise_of(0.0) == pytest.approx(0.5 * math.log(2 * math.pi))
    assert surprise_of(2.0) - surprise_of(0.0) == pytest.approx(2.0)
    assert surprise_of(0.0, spread=1.999) - surprise_of(0.0) == pytest.approx(math.log(2.0))


def test_bounds_by_hand() -> None:
    """P(X >= 1) of a standard normal variate is 0.1587; P(X >= -9) is 1; and the same mirrored."""
    for bound in (AT_LEAST, AT_MOST):
        assert surprise_of(bound * 1.0, bound) == pytest.approx(-math.log(0.15866), abs=1e-3)
        assert surprise_of(bound * -9.0, bound) == pytest.approx(0.0, abs=1e-4)


def test_pull_is_bounded_far_away() -> None:
    assert surprise_of(30.0) - surprise_of(20.0) == pytest.approx(40.0)
    assert surprise_of(-30.0) - surprise_of(-20.0) == pytest.approx(40.0)
    assert surprise_of(30.0, AT_LEAST) - surprise_of(20.0, AT_LEAST) == pytest.approx(40.0)


def likeliest_median(seen: torch.Tensor, bound: torch.Tensor) -> float:
    """Return the median that minimises the loss over all medians and spreads of a grid."""
    medians, spreads = torch.linspace(-0.6, 0.6, 61), torch.linspace(0.02, 0.6, 30)
    grid = torch.cartesian_prod(medians, spreads)[:, :, None]
    losses = surprise(grid[:, 0], grid[:, 1], seen, bound).mean(dim=1)
    return float(grid[int(losses.argmin()), 0])


@pytest.mark.parametrize("given", [0.7, 1.0, 1.5])
def test_true_demand_is_learnt_from_what_was_used(given: float) -> None:
    """Demand of median 1 and spread 0.3, of which at most ``given`` is seen."""
    demand = 0.3 * torch.special.ndtri(torch.linspace(0.001, 0.999, 999))
    limit = torch.tensor(math.log(given))
    used, throttled = torch.minimum(demand, limit), demand >= limit
    assert likeliest_median(used, AT_LEAST * throttled) == pytest.approx(0.0, abs=0.021)
    taken_for_demand = likeliest_median(used, torch.zeros_like(used))
    assert taken_for_demand < (-0.1 if given <= 1.0 else 0.021)


@given(low=st.floats(-2.0, 2.0), width=st.floats(0.1, 2.0), rank=st.floats(0.01, 0.99))
def test_draws_within_limits_have_their_rank(low: float, width: float, rank: float) -> None:
    """The share of what lies within the limits that lies below the draw is the rank; tails end at four deviations."""
    limits = 0.5 + 2.0 * torch.tensor([low, low + width], dtype=torch.float64)
    half, two, place = (torch.tensor([value], dtype=torch.float64) for value in (0.5, 2.0, rank))
    draw = draw_between(half, two, limits[:1], limits[1:], place)
    below = torch.special.ndtr((torch.cat([limits, draw]) - half) / two)
    assert float((below[2] - below[0]) / (below[1] - below[0])) == pytest.approx(rank, abs=2e-3)


@pytest.mark.parametrize(("low", "high", "draw"), [(10.0, math.inf, 10.0), (-math.inf, -10.0, -10.0), (0.3, 0.3, 0.3)])
def test_hopeless_draws_stay_at_the_limit(low: float, high: float, draw: float) -> None:
    """Ten deviations above its median a zone may want what it was given, and hardly more; and the reverse."""
    one = torch.ones(1)
    assert float(draw_between(0.0 * one, one, low * one, high * one, 0.5 * one)) == pytest.approx(draw)


def test_draws_without_limits_are_quantiles() -> None:
    one = torch.ones(1)
    draw = draw_between(one, 2.0 * one, -torch.inf * one, torch.inf * one, 0.8413 * one)
    assert float(draw) == pytest.approx(3.0, abs=2e-3)


def test_means_do_not_broadcast() -> None:
    """A loss ``[N, 1]`` against weights ``[N]`` would broadcast to ``[N, N]`` and train on nonsense."""
    with pytest.raises(ValueError, match=r"equal shapes, got \(8, 1\), \(8,\)"):
        weighted_mean(torch.zeros(8, 1), torch.ones(8))
    assert float(weighted_mean(torch.tensor([1.0, np.pi]), torch.tensor([1.0, 0.0]))) == 1.0
