"""Observations of whole episodes of random actions: within their space, and no feature that never says anything."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from metaverse_env.observation import WORLD_FEATURES

IDS = ("Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0")
DYNAMICS = ("physics", "stgnn")
CASES = tuple(product(IDS, DYNAMICS, ("vertical", "horizontal"), ("discrete", "continuous")))
WORLDS = 12


def observations(env: Any) -> Iterator[np.ndarray]:
    """Yield the observations of one episode."""
    env.action_space.seed(0)
    yield env.reset(seed=0)[0]
    for _ in range(240):
        observation, reward, *_ = env.step(env.action_space.sample())
        assert np.isfinite(reward).all()
        yield observation


@cache
def extremes(env_id: str, dynamics: str, scaling: str, action_type: str) -> dict[str, tuple[float, float]]:
    """Return the least and the most of every feature over zones, worlds and ticks of one episode."""
    arguments = {"dynamics": dynamics, "scaling": scaling, "action_type": action_type}
    env: Any = gym.make_vec(env_id, WORLDS, forecaster="persistence", **arguments)
    rows = np.concatenate(list(observations(env)))
    observer = env.shell.observer
    names = [feature.name for feature in observer.zone_features]
    zones = rows[:, : -len(WORLD_FEATURES)].reshape(-1, len(names))
    ranges = dict(zip(names, zip(zones.min(axis=0), zones.max(axis=0), strict=True), strict=True))
    for place, feature in enumerate(WORLD_FEATURES):
        column = rows[:, place - len(WORLD_FEATURES)]
        ranges[feature.name] = column.min(), column.max()
    return ranges


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_feature_stays_within_one(case: tuple[str, ...]) -> None:
    ranges = extremes(*case)
    assert {name: pair for name, pair in ranges.items() if not -1.0 <= pair[0] <= pair[1] <= 1.0} == {}


def test_no_feature_is_dead() -> None:
    catalogue = [extremes(*case) for case in CASES]
    variation = {name: max(float(ranges[name][1] - ranges[name][0]) for ranges in catalogue) for name in catalogue[0]}
    assert {name: most for name, most in variation.items() if most < 0.25} == {}


def test_what_no_disturbance_touches_is_constant() -> None:
    ranges = extremes("Metaverse/SingleZone-v0", "physics", "vertical", "discrete")
    assert ranges["observed"] == (1.0, 1.0)
    assert ranges["price"] == (0.0, 0.0)
    assert ranges["handover"] == (-1.0, -1.0)
    assert ranges["neighbour_utilisation"] == (-1.0, -1.0)
    assert ranges["neighbour_trend"] == (0.0, 0.0)
