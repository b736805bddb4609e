"""What an episode amounts to, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.scores import METRICS
from benchmarks.tally import Tally, jain, spread
from metaverse_env.simulator.records import OUTCOME, WORLD_REWARD

DECISIONS_MS = np.array([2.0, 3.0])


def two_ticks() -> np.ndarray:
    rewards = np.zeros((2, 1), dtype=WORLD_REWARD)
    rewards["resource_eur_per_h"][:, 0] = 2.0, 4.0
    rewards["change_eur_per_h"][:, 0] = 0.5, 0.1
    rewards["quality_eur_per_h"][:, 0] = 1.0, 0.0
    rewards["users"][:, 0] = 10.0, 30.0
    rewards["violated_user_share"][:, 0] = 0.5, 0.1
    rewards["mean_latency_ms"][:, 0] = 120.0, 60.0
    rewards["reward"][:, 0] = -1.0, -0.5
    rewards["changes"][:, 0] = 2.0, 1.0
    rewards["out_of_memory_kills"][:, 0] = 0.0, 1.0
    return rewards


def two_ticks_of_zones() -> np.ndarray:
    """The same ticks of 30 s, zone by zone; nobody ever comes to the third."""
    outcomes = np.zeros((2, 1, 3), dtype=OUTCOME)
    outcomes["users"][:, 0] = (4.0, 6.0, 0.0), (10.0, 20.0, 0.0)
    outcomes["latency_p99_ms"][:, 0] = (200.0, 100.0, 9000.0), (50.0, 80.0, 9000.0)
    outcomes["violated_user_s"][:, 0] = (120.0, 30.0, 0.0), (0.0, 90.0, 0.0)
    outcomes["excess_user_ms"][:, 0] = (80.0, 10.0, 0.0), (0.0, 30.0, 0.0)
    return outcomes


def tallied(outcomes: np.ndarray, rewards: np.ndarray, tick_s: float = 30.0) -> dict[str, np.ndarray]:
    tally = Tally(*outcomes.shape[1:], tick_s)
    for tick, world in zip(outcomes, rewards, strict=True):
        tally.add(tick, world)
    return tally.scores(DECISIONS_MS)


def test_two_ticks_by_hand() -> None:
    found = tallied(two_ticks_of_zones(), two_ticks())
    assert set(found) == {metric.name for metric in METRICS}
    assert found["cost_eur_per_h"] == pytest.approx([(2.5 + 4.1) / 2])
    assert found["violated_percent"] == pytest.approx([100.0 * (5.0 + 3.0) / 40.0])
    assert found["latency_ms"] == pytest.approx([(120.0 * 10 + 60.0 * 30) / 40.0])
    assert found["reward"] == pytest.approx([-0.75])
    assert found["changes_per_h"] == pytest.approx([3.0 * 60.0 / 3.0])  # 3 in a minute, among 3 zones
    assert found["quality_eur_per_h"] == pytest.approx([0.5])
    assert found["out_of_memory_per_h"] == pytest.approx([60.0])


def test_the_depth_the_tail_and_the_zones_by_hand() -> None:
    found = tallied(two_ticks_of_zones(), two_ticks())
    assert found["latency_p99_ms"] == pytest.approx([(4 * 200 + 6 * 100 + 10 * 50 + 20 * 80) / 40.0])
    # 120 user-ms above the objective, for 30 s each, over 240 user-seconds that are above it.
    assert found["violation_depth_ms"] == pytest.approx([120.0 * 30.0 / 240.0])
    # Of zone 1, 120 of 420 user-seconds are violated, of zone 2 120 of 780; zone 3 had none.
    first, second = 120.0 / 420.0, 120.0 / 780.0
    assert found["zone_spread_points"] == pytest.approx([100.0 * (first - second) / 2.0])
    good = (1.0 - first, 1.0 - second)
    assert found["fairness_jain"] == pytest.approx([sum(good) ** 2 / (2.0 * (good[0] ** 2 + good[1] ** 2))])
    assert found["decision_ms"] == pytest.approx([2.5])
    assert found["decision_p99_ms"] == pytest.approx([2.99])


def test_worlds_are_kept_apart_and_an_empty_one_violates_nothing() -> None:
    rewards, outcomes = np.zeros((4, 2), dtype=WORLD_REWARD), np.zeros((4, 2, 1), dtype=OUTCOME)
    rewards["users"][:, 1] = 7.0
    rewards["violated_user_share"][:, 1] = 1.0
    found = tallied(outcomes, rewards, 15.0)
    assert found["violated_percent"].tolist() == [0.0, 100.0]
    assert found["violation_depth_ms"].tolist() == [0.0, 0.0]
    assert found["fairness_jain"].tolist() == [1.0, 1.0]
    assert all(np.isfinite(values).all() for values in found.values())


positive = arrays(np.float64, st.integers(1, 12), elements=st.floats(0.01, 100.0))


@given(positive, st.floats(0.1, 10.0))
def test_jains_index_is_between_one_zone_and_all_and_knows_no_unit(values: np.ndarray, factor: float) -> None:
    assert 1.0 / len(values) - 1e-9 <= jain(values) <= 1.0 + 1e-9
    assert jain(factor * values) == pytest.approx(jain(values))
    assert jain(np.full_like(values, values[0])) == pytest.approx(1.0)


@given(positive)
def test_the_spread_is_that_of_the_zones_that_count(values: np.ndarray) -> None:
    assert spread(np.append(values, np.nan)) == pytest.approx(np.std(values))
