"""Panels to learn from, and networks that are not at their quiet start."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from metaverse_env.panels import Panel
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.series import make_series
from predictors.stgnn.panel.fitting import Fitting, build
from predictors.stgnn.panel.network import PanelNet

MakePanel = Callable[..., Panel]
Shaken = Callable[..., PanelNet]


def seasonal_panel(
    ticks: int = 400, zones: int = 4, features: int = 2, *, seed: int = 0, step_s: float | None = 3600.0,
    graph: bool = True, intents: int = 3, missing: float = 0.1,
) -> Panel:  # fmt: skip
    """Return a season of 24 ticks, zones of different size, values that multiply, and noise."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0.0, 6.0, (1, zones, features))
    season = np.sin(2.0 * np.pi * np.arange(ticks)[:, None, None] / 24.0 + phase)
    level = 0.1 * random.normal(size=(ticks, zones, features)).cumsum(axis=0)
    values = np.exp(season + level + 0.2 * random.normal(size=level.shape)) * 10.0 ** np.arange(zones)[:, None]
    values[random.random(values.shape) < missing] = np.nan
    around = np.arange(zones)
    return Panel(
        values.astype(np.float32), tuple(f"feature-{n}" for n in range(features)), tuple(f"zone-{n}" for n in around),
        timestamps=None if step_s is None else 1.6e9 // 3600.0 * 3600.0 + step_s * np.arange(ticks),
        edge_index=np.concatenate([[around, np.roll(around, 1)], [around, np.roll(around, 2)]], axis=1) if graph else None,
        edge_weight=random.uniform(0.5, 2.0, 2 * zones) if graph else None,
        intents=random.normal(size=(ticks, zones, intents)).astype(np.float32) if intents else None,
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    return seasonal_panel


@pytest.fixture(scope="session")
def linear() -> Linear:
    """Return linear forecasts of a panel that has everything: times, a graph, intents, holes."""
    return best_linear(make_series(seasonal_panel()), 6, (1, 3, 12))


@pytest.fixture(scope="session")
def shaken() -> Shaken:
    """Return what builds a network with every weight shaken."""

    def build_shaken(linear: Linear, **settings: object) -> PanelNet:
        net = build(linear, Fitting(**({"members": 2, "hidden": 16} | settings))).cpu()  # type: ignore[arg-type]
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        return net.eval()

    return build_shaken
