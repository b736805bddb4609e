"""What the network reads: by hand."""

import math

import numpy as np
import pytest

from predictors.stgnn.dynamics.features import (
    DYNAMICS_FEATURES,
    KEPT,
    LAGS,
    MEMORY,
    forget,
    hear,
    remember_users,
    write_people,
    write_row,
)
from predictors.stgnn.features import EMBEDDING, HISTORY_WIDTH

Array = np.ndarray


def zone() -> Array:
    return np.zeros(1, dtype=MEMORY)[0]


def row_of(memory: Array, users: float) -> dict[str, float]:
    row = np.zeros(len(DYNAMICS_FEATURES), dtype=np.float32)
    write_row(memory, math.log(users), row)
    return dict(zip(DYNAMICS_FEATURES, map(float, row), strict=True))


def test_users_are_relative_to_the_present() -> None:
    memory = zone()
    forget(memory, math.log(10.0), 0.0)
    remember_users(memory, math.log(40.0))
    row = row_of(memory, 20.0)
    assert row["users"] == pytest.approx(math.log(20.0) / 4.0)
    assert row["users_change@-1"] == pytest.approx(math.log(2.0))
    assert [row[f"users_change@-{lag}"] for lag in range(2, LAGS + 1)] == pytest.approx([-math.log(2.0)] * 3)


def test_intents_are_means_over_signals_that_fade() -> None:
    """Two signals, then a tick of one that says the opposite: its weight is what half of an older one's was."""
    memory, intent = zone(), np.zeros(EMBEDDING, dtype=np.float32)
    forget(memory, 0.0, 0.0)
    intent[3] = 1.0
    hear(memory, 2.0, intent)
    hear(memory, 1.0, -intent)
    row = row_of(memory, 1.0)
    for name, kept in zip(("quick", "slow"), KEPT, strict=True):
        signals = 2.0 * kept + 1.0
        assert row[f"intent_{name}_3"] == pytest.approx((2.0 * kept - 1.0) / (1.0 + signals), abs=1e-6)
        assert row[f"{name}_signals"] == pytest.approx(math.log1p(signals) / 4.0, abs=1e-6)
        assert row[f"intent_{name}_4"] == 0.0


def test_silence_says_nothing() -> None:
    """Ticks without signals leave the means as they are, but for one that is believed a little less."""
    memory, intent = zone(), np.ones(EMBEDDING, dtype=np.float32)
    forget(memory, 0.0, 0.0)
    hear(memory, 8.0, intent)
    before = row_of(memory, 1.0)["intent_slow_0"]
    hear(memory, 0.0, np.zeros(EMBEDDING, dtype=np.float32))
    assert before == pytest.approx(8.0 / 9.0)
    assert row_of(memory, 1.0)["intent_slow_0"] == pytest.approx(8.0 * KEPT[1] / (1.0 + 8.0 * KEPT[1]))


def test_a_recording_is_read_tick_by_tick() -> None:
    """Every row holds the users and the intents of its own tick, and starts as if there had long been the first users."""
    users = np.array([10.0, 20.0, 5.0], dtype=np.float32)
    measured = np.zeros((3, 1, 1, 12), dtype=np.float32)
    measured[:, 0, 0, 0] = users
    values = np.zeros((3, 1, 1, HISTORY_WIDTH + EMBEDDING), dtype=np.float32)
    values[1, 0, 0, 10], values[1, 0, 0, HISTORY_WIDTH] = 4.0, 0.5
    rows = np.zeros((3, 1, 1, len(DYNAMICS_FEATURES)), dtype=np.float32)
    write_people(measured, values, np.zeros((1, 1), dtype=MEMORY), rows)
    table = {name: rows[:, 0, 0, column] for column, name in enumerate(DYNAMICS_FEATURES)}
    np.testing.assert_allclose(table["users"], np.log(users) / 4.0, rtol=1e-6)
    np.testing.assert_allclose(table["users_change@-1"], np.log([1.0, 0.5, 4.0]), atol=1e-6)
    np.testing.assert_allclose(table["users_change@-4"], np.log(10.0 / users), atol=1e-6)
    np.testing.assert_allclose(table["intent_quick_0"][:2], [0.0, 4.0 * 0.5 / 5.0], rtol=1e-6)
    assert 0.0 < table["intent_quick_0"][2] < table["intent_quick_0"][1]
