"""The generator of users against what was measured on real ones: world model, section 1, over 20 seeded weeks.

A residual is the log of users less its mean at that time of the day, as with the one week that a measurement has.
Single zones in single weeks scatter more than the few venues that were measured: of 600 of them 95 % must be in range.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

Change = Callable[..., Scenario]
WEEK_TICKS, SAMPLES_PER_DAY = 7 * 5760, 144
PLENTY = (32.0, 65536.0, 10000.0)


def simulate(scenario: Scenario, worlds: int) -> np.ndarray:
    """Return users every 10 minutes of a week from Monday 0:00 on, ``[7, 144, W, Z]``, where nobody lacks anything."""
    world = SimulatedWorld(scenario, worlds)
    start_s = world.reset(seeds=range(worlds)).weather["time_s"]
    command = Command.of(np.broadcast_to(np.asarray(PLENTY), (worlds, len(world.zones), 3)))
    samples = []
    for tick in range(WEEK_TICKS):
        zones = world.step(command).outcome.zones
        assert not zones["out_of_memory"].any()
        if tick % (WEEK_TICKS // (7 * SAMPLES_PER_DAY)) == 0:
            samples.append(zones["users"])
    users = np.array(samples)
    for place, first in enumerate(np.round(start_s / 600.0).astype(int)):
        users[:, place] = np.roll(users[:, place], first, axis=0)
    return users.reshape(7, SAMPLES_PER_DAY, worlds, -1)


@pytest.fixture(scope="module")
def weeks(scenario: Change) -> np.ndarray:
    return simulate(scenario(layout={"node_headroom": 100.0}), 20)


@pytest.fixture(scope="module")
def residuals(weeks: np.ndarray) -> np.ndarray:
    """Return ``[T, W, Z]``."""
    logs = np.log1p(weeks)
    return (logs - logs.mean(axis=0)).reshape(-1, *weeks.shape[2:])


def flat(weeks: np.ndarray) -> np.ndarray:
    return weeks.reshape(-1, *weeks.shape[2:])


def assert_mostly_within(values: np.ndarray, low: float, high: float, share: float = 0.95) -> None:
    """Hold every seed's median, and nearly every single value ``[W, Z]``, against a range."""
    medians = np.median(values, axis=1)
    assert (medians >= low).all()
    assert (medians <= high).all()
    assert ((values >= low) & (values <= high)).mean() >= share


def test_coefficient_of_variation(weeks: np.ndarray) -> None:
    users = flat(weeks)
    assert_mostly_within(users.std(axis=0) / users.mean(axis=0), 0.2, 1.6, share=1.0)


def test_p99_over_mean(weeks: np.ndarray) -> None:
    users = flat(weeks)
    assert_mostly_within(np.quantile(users, 0.99, axis=0) / users.mean(axis=0), 1.3, 6.2)


def test_gini_of_popularity(weeks: np.ndarray) -> None:
    users = np.sort(flat(weeks).mean(axis=0), axis=1)
    count = users.shape[1]
    gini = users @ (2 * np.arange(1, count + 1) - count - 1) / (count * users.sum(axis=1))
    assert gini.min() >= 0.14
    assert gini.max() <= 0.8


def test_residual_autocorrelation_at_ten_minutes(residuals: np.ndarray) -> None:
    correlation = (residuals[1:] * residuals[:-1]).mean(axis=0) / residuals.var(axis=0)
    assert_mostly_within(correlation, 0.86, 0.97)


def between_zones(series: np.ndarray, lag: int = 0) -> np.ndarray:
    """Return each world's mean correlation between different zones, of ``[T, W, Z]``."""
    scaled = (series - series.mean(axis=0)) / series.std(axis=0)
    count = series.shape[2]
    different = ~np.eye(count, dtype=bool)
    later, earlier = scaled[lag:], scaled[: len(scaled) - lag]
    return np.array([(later[:, w].T @ earlier[:, w] / len(later))[different].mean() for w in range(series.shape[1])])


def test_residual_correlation_between_zones(residuals: np.ndarray) -> None:
    correlation = between_zones(residuals)
    assert correlation.min() >= 0.3
    assert correlation.max() <= 0.7


def test_zones_move_together_but_hardly_lead_each_other(weeks: np.ndarray) -> None:
    increments = np.diff(flat(weeks)[::12], axis=0)  # over two hours, where counting noise is small
    assert 0.2 < between_zones(increments).mean() < 0.45
    assert abs(between_zones(increments, lag=1).mean()) < 0.1


def test_the_mean_is_what_was_asked_for_and_events_add_to_it(weeks: np.ndarray) -> None:
    assert 57.0 < weeks.mean() < 70.0


@pytest.mark.parametrize("ratio", [2.0, 5.0])
def test_peak_over_trough_of_the_mean_day(scenario: Change, ratio: float) -> None:
    workload: dict[str, Any] = {"week_peak_to_trough": ratio, "event_per_day": 0.0, "phase_spread_h": 0.0}
    weeks = simulate(scenario(layout={"node_headroom": 100.0}, workload=workload), 4)
    hours = weeks.mean(axis=(0, 2, 3)).reshape(24, 6).mean(axis=1)
    assert hours.max() / hours.min() == pytest.approx(ratio, rel=0.15)
