"""The forecaster that knows: what it foretells is what comes, and only simulated worlds have such a future."""

from typing import Any

import numpy as np
import pytest

import metaverse_env
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.history import History
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.zones import build_graph
from predictors.perfect import PerfectForecaster


def test_what_it_foretells_comes_at_every_quantile() -> None:
    shell = Shell("multi_zone", 2, "physics", "perfect", remember=True)
    shell.reset([1, 2])
    shell.command(shell.view.pending)
    told = shell.view.forecast
    assert told is not None
    assert told.ticks == FORECAST_TICKS
    came = [shell.command(shell.view.pending).tick.outcome.zones for _ in range(16)]
    for index, tick in enumerate(FORECAST_TICKS):
        outcome = came[tick - 1]
        for quantile in range(3):
            np.testing.assert_allclose(told.values[:, :, index, 0, quantile], outcome["served"][..., 0], rtol=1e-5)
            np.testing.assert_allclose(told.values[:, :, index, 2, quantile], outcome["served"][..., 2], rtol=1e-5)
            np.testing.assert_allclose(told.values[:, :, index, 3, quantile], outcome["latency_ms"], rtol=1e-4)


def test_asking_it_changes_nothing() -> None:
    asked, left_alone = (Shell("complex", 1, "physics", name, remember=True) for name in ("perfect", "persistence"))
    for shell in (asked, left_alone):
        shell.reset([5])
    for _ in range(5):
        one, other = (shell.command(shell.view.pending).tick for shell in (asked, left_alone))
        assert one.telemetry.zones.tobytes() == other.telemetry.zones.tobytes()


def test_it_is_a_forecaster_by_name_without_intents() -> None:
    env: Any = metaverse_env.parallel_env("multi_zone", dynamics="physics", forecaster="perfect")
    seen, _ = env.reset(seed=0)
    assert np.isfinite(np.stack(list(seen.values()))).all()
    assert not PerfectForecaster().needs_intents


def test_it_needs_a_simulated_world() -> None:
    graph = build_graph(metaverse_env.load_scenario("single_zone"))
    with pytest.raises(LifecycleError, match="bind"):
        PerfectForecaster().forecast(History(1, graph, 0))
    with pytest.raises(ConfigurationError, match="needs a simulated world"):
        PerfectForecaster().bind(object())  # type: ignore[arg-type]


def test_the_network_that_hears_nothing_foretells_other_things_than_the_one_that_does() -> None:
    shells = [Shell("multi_zone", 1, "physics", name, remember=True) for name in ("stgnn", "stgnn_without_intents")]
    for shell in shells:
        shell.reset([5])
        for _ in range(20):
            shell.command(shell.view.pending)
    hearing, deaf = (shell.view.forecast.values for shell in shells)  # type: ignore[union-attr]
    assert shells[1].view.telemetry.intents.shape[2] == 0
    assert not np.allclose(hearing, deaf, rtol=1e-3)
    np.testing.assert_allclose(np.median(hearing / deaf), 1.0, atol=0.1)
