"""The speed of forecasts: what is measured is a full forecast, and limits are told from figures."""

import numpy as np
import pytest

from benchmarks.forecasting import Row, cpu_s, filled_history
from metaverse_env.history import HISTORY_FEATURES
from metaverse_env.scenario import load_scenario


def test_the_history_is_full() -> None:
    history = filled_history(load_scenario("single_zone"), 2)
    assert history.length == history.ticks
    assert (history.values[..., HISTORY_FEATURES.index("allocated_cpu_cores")] > 0.0).all()


def test_a_call_that_does_twice_as_much_takes_twice_as_long() -> None:
    table = np.random.default_rng(0).normal(size=(400, 400))
    once, twice = (cpu_s(lambda count=count: [np.sort(table) for _ in range(count)], 3) for count in (1, 2))  # type: ignore[misc]
    assert twice / once == pytest.approx(2.0, rel=0.4)


@pytest.mark.parametrize(
    ("name", "value", "reached"),
    [
        ("1 world, whole forecast", 3.9, True),
        ("1 world, whole forecast", 4.1, False),
        ("1 world, torch over ONNX Runtime", 2.6, True),
        ("1 world, torch over ONNX Runtime", 2.4, False),
        ("1 world, 4 ticks", 1.0, None),
    ],
)
def test_limits(name: str, value: float, reached: bool | None) -> None:
    assert Row(name, value, "").reached is reached
