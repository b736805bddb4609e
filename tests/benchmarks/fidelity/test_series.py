"""Figures and distances by hand."""

import math

import numpy as np
import pytest

from benchmarks.fidelity.series import FIGURES, autocorrelation, distances, figures

ALL = np.ones((6, 2), dtype=bool)


def test_figures_by_hand() -> None:
    values = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 8.0]])
    found = figures(values, ALL)
    assert tuple(found) == FIGURES
    assert found["mean"] == pytest.approx(2.0)
    assert found["p50"] == pytest.approx(1.5)
    assert found["cv"] == pytest.approx(math.sqrt((6 * 1.0 + 5 * 0.0 + 36.0) / 12.0) / 2.0)


def test_what_does_not_count_is_not_there() -> None:
    random = np.random.default_rng(0)
    values, counts = random.random((50, 4)) + 0.5, random.random((50, 4)) < 0.8
    assert figures(np.where(counts, values, 1e6), counts) == figures(values, counts)


def test_correlation_is_within_series() -> None:
    """Two series that differ for good and alternate about their means: the difference between them is no correlation."""
    wave = np.array([1.0, -1.0] * 30)
    values = np.stack([10.0 + wave, 90.0 + wave], axis=1)
    counts = np.ones_like(values, dtype=bool)
    assert autocorrelation(values, counts, 1) == pytest.approx(-1.0)
    assert autocorrelation(values, counts, 4) == pytest.approx(1.0)


def test_correlation_of_an_autoregression() -> None:
    random, value, rows = np.random.default_rng(1), np.zeros(200), []
    for _ in range(600):
        value = 0.8 * value + 0.6 * random.standard_normal(200)
        rows.append(value)
    values = np.stack(rows)
    for lag in (1, 4):
        assert autocorrelation(values, np.ones_like(values, dtype=bool), lag) == pytest.approx(0.8**lag, abs=0.02)


def test_distances_are_relative_but_for_correlations() -> None:
    found = distances({"p95": 200.0, "acf4": 0.5}, {"p95": 100.0, "acf4": 0.75})
    assert found == {"p95": pytest.approx(math.log(2.0), abs=1e-3), "acf4": -0.25}
