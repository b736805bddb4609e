"""Forecasters by name, and the one that believes that nothing changes."""

import numpy as np
import pytest

from metaverse_env.errors import UnknownNameError
from metaverse_env.forecasters import HORIZON, PersistenceForecaster, load_forecaster
from metaverse_env.history import History
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command


def test_persistence_repeats_the_last_observation() -> None:
    world = SimulatedWorld("multi_zone", 2)
    telemetry = world.reset(seeds=[0, 1])
    history = History(2, world.zones)
    history.append(telemetry)
    last = world.step(Command.of(telemetry.allocation)).telemetry
    history.append(last)
    forecast = PersistenceForecaster().forecast(history, (1, 4))
    assert forecast.values.shape == (2, 30, 2, 4, 3)
    for tick in (1, 4):
        for quantile in range(3):
            assert np.array_equal(forecast.at(tick)[..., :3, quantile], last.usage)
            assert np.array_equal(forecast.at(tick)[..., 3, quantile], last.latency_ms)
    assert PersistenceForecaster().forecast(history).ticks == tuple(range(1, HORIZON + 1))


def test_a_forecast_is_its_own() -> None:
    world = SimulatedWorld("single_zone")
    history = History(1, world.zones)
    history.append(world.reset(seeds=[0]))
    values = PersistenceForecaster().forecast(history).values
    before = history.values.copy()
    values[:] = -1.0
    assert np.array_equal(history.values, before)


def test_forecasters_by_name() -> None:
    assert load_forecaster("none") is None
    assert load_forecaster(None) is None
    assert isinstance(load_forecaster("persistence"), PersistenceForecaster)
    mine = PersistenceForecaster()
    assert load_forecaster(mine) is mine
    with pytest.raises(UnknownNameError, match="Did you mean 'persistence'"):
        load_forecaster("persistance")
