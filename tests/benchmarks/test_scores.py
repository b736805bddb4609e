"""What an episode amounts to, by hand."""

import numpy as np
import pytest

from benchmarks.scores import METRICS, score
from metaverse_env.simulator.records import WORLD_REWARD


def test_two_ticks_by_hand() -> None:
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
    found = score(rewards, zones=3, tick_s=30.0)
    assert set(found) == {metric.name for metric in METRICS}
    assert found["cost_eur_per_h"] == pytest.approx([(2.5 + 4.1) / 2])
    assert found["violated_percent"] == pytest.approx([100.0 * (5.0 + 3.0) / 40.0])
    assert found["latency_ms"] == pytest.approx([(120.0 * 10 + 60.0 * 30) / 40.0])
    assert found["reward"] == pytest.approx([-0.75])
    assert found["changes_per_h"] == pytest.approx([3.0 * 60.0 / 3.0])  # 3 in a minute, among 3 zones
    assert found["quality_eur_per_h"] == pytest.approx([0.5])
    assert found["out_of_memory_per_h"] == pytest.approx([60.0])


def test_worlds_are_kept_apart_and_an_empty_one_violates_nothing() -> None:
    rewards = np.zeros((4, 2), dtype=WORLD_REWARD)
    rewards["users"][:, 1] = 7.0
    rewards["violated_user_share"][:, 1] = 1.0
    assert score(rewards, 1, 15.0)["violated_percent"].tolist() == [0.0, 100.0]
