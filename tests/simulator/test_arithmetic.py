"""Exponential and logarithm against the library's, over all that they may be given."""

import math
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.simulator import arithmetic


@compiled
def all_exp(values: Any, out: Any) -> None:
    for index in range(len(values)):
        out[index] = arithmetic.exp(values[index])


@compiled
def all_log2(values: Any, out: Any) -> None:
    for index in range(len(values)):
        out[index] = arithmetic.log2(values[index])


def test_exp_is_exact_to_nine_digits() -> None:
    values = np.concatenate([np.linspace(-708.0, 709.0, 100_001), np.linspace(-2.0, 2.0, 100_001)])
    out = np.empty_like(values)
    all_exp(values, out)
    assert np.abs(out / np.exp(values) - 1.0).max() < 3e-10


def test_small_exponents_keep_their_digits() -> None:
    values = np.concatenate([-np.geomspace(1e-9, 0.3, 1001), np.geomspace(1e-9, 0.3, 1001)])
    out = np.empty_like(values)
    all_exp(values, out)
    assert (out - 1.0) / np.expm1(values) == pytest.approx(1.0, rel=2e-7)


@pytest.mark.parametrize("x", [-709.0, -1e6, -math.inf])
def test_exp_of_nothing_like_a_number_is_next_to_nothing(x: float) -> None:
    assert 0.0 < arithmetic.exp(x) < 1e-307


def test_log2_is_exact_to_nine_digits() -> None:
    values = np.concatenate([np.geomspace(1e-300, 1e300, 100_001), np.linspace(0.5, 2.0, 100_001)])
    out = np.empty_like(values)
    all_log2(values, out)
    assert np.abs(out - np.log2(values)).max() < 3e-9


@pytest.mark.parametrize("exponent", [-1000, -3, 0, 1, 10, 1000])
def test_log2_of_powers_of_two_is_exact(exponent: int) -> None:
    assert arithmetic.log2(2.0**exponent) == exponent


def test_log2_of_nothing_is_less_than_that_of_any_number() -> None:
    assert arithmetic.log2(0.0) == -1023.0
