"""Scenarios with a few constants changed, and records of the physics to fill by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.scenario.workload import Activity
from metaverse_env.simulator.constants import Constants, build_constants

PLAIN_ACTIVITIES = (Activity(name="idle"), Activity(name="social"))
"""Two that change nothing."""

CALM: dict[str, dict[str, Any]] = {
    "workload": {
        "event_per_day": 0.0,
        "migration_per_h": 0.0,
        "qoe_churn": 0.0,
        "week_peak_to_trough": 1.0,
        "weekend_factor": 1.0,
        "zipf_exponent": 0.0,
        "shared_ou_sigma": 0.0,
        "own_ou_sigma": 0.0,
    },
    "intents": {"activities": PLAIN_ACTIVITIES},
    "demand": {"noise_cv": (0.0, 0.0, 0.0), "noisy_neighbour_per_h": 0.0},
}
"""Groups of a world in which chance alone moves users, and nothing moves their demand."""


def change(name: str = "multi_zone", **groups: Any) -> Scenario:
    """Return a scenario of the catalogue with fields of its groups, or fields of its own, replaced."""
    base = load_scenario(name)
    changes = {
        group: getattr(base, group).model_copy(update=values) if isinstance(values, dict) else values
        for group, values in groups.items()
    }
    return base.with_changes(**changes)


def change_calm(**groups: Any) -> Scenario:
    """Return the calm world with more fields replaced."""
    merged = {name: {**CALM.get(name, {}), **groups.get(name, {})} for name in CALM | groups if name in CALM}
    return change(**{**groups, **merged})


@pytest.fixture(scope="session")
def scenario() -> Callable[..., Scenario]:
    return change


@pytest.fixture(scope="session")
def calm() -> Callable[..., Scenario]:
    return change_calm


@pytest.fixture(scope="session")
def constants() -> Constants:
    """Return the packed constants of the reference world."""
    return build_constants(load_scenario("multi_zone"))


@pytest.fixture
def rules(constants: Constants) -> Any:
    """Return the reference world's numbers, to be changed at will: a copy of the record."""
    return constants.rules.copy()[0]


@pytest.fixture(scope="session")
def blank() -> Callable[..., Any]:
    """Return a function that makes one record of a type with some fields set, as compiled code takes it."""

    def make(dtype: np.dtype, **fields: Any) -> Any:
        record = np.zeros(1, dtype=dtype)[0]
        for name, value in fields.items():
            record[name] = value
        return record

    return make


@pytest.fixture(scope="session")
def deviations() -> Callable[[np.ndarray, np.ndarray], float]:
    """Return by how many standard deviations a chi-square exceeds what is expected (Wilson and Hilferty 1931)."""
    return _deviations


@pytest.fixture(scope="session")
def pooled() -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return a function that merges neighbouring classes until each is expected often enough."""
    return _pooled


def _deviations(counts: np.ndarray, expected: np.ndarray) -> float:
    """Return by how many standard deviations a chi-square exceeds what is expected (Wilson and Hilferty 1931)."""
    free = len(counts) - 1
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return ((statistic / free) ** (1.0 / 3.0) - (1.0 - 2.0 / (9.0 * free))) / math.sqrt(2.0 / (9.0 * free))


def _pooled(counts: np.ndarray, expected: np.ndarray, least: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Merge neighbouring classes until each is expected often enough."""
    merged: list[list[float]] = [[0.0, 0.0]]
    for count, mean in zip(counts, expected, strict=True):
        if merged[-1][1] >= least:
            merged.append([0.0, 0.0])
        merged[-1][0] += count
        merged[-1][1] += mean
    if merged[-1][1] < least:
        last = merged.pop()
        merged[-1] = [merged[-1][0] + last[0], merged[-1][1] + last[1]]
    return np.array(merged)[:, 0], np.array(merged)[:, 1]
