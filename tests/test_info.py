"""The page about ``info`` is complete, and what environments put into it is on the page."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import metaverse_env
from metaverse_env.info import (
    KEYS,
    OUTCOME_COLUMNS,
    REWARD_TERMS,
    TEAM_KEYS,
    TELEMETRY_COLUMNS,
    VECTOR_KEYS,
    Entry,
    page,
)
from metaverse_env.observation import feature_table
from metaverse_env.simulator.records import OUTCOME, TELEMETRY, WORLD_REWARD

PLAIN: dict[str, Any] = {"dynamics": "physics", "forecaster": "none"}
DOCS = Path(__file__).parents[1] / "docs"


def names(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    return tuple(entry.name for entry in entries)


def test_the_pages_are_what_the_commands_print() -> None:
    assert (DOCS / "info.md").read_text(encoding="utf-8") == page(), "run: python -m metaverse_env.info > docs/info.md"
    observations = (DOCS / "observations.md").read_text(encoding="utf-8")
    assert observations == feature_table() + "\n", "run: python -m metaverse_env.observation > docs/observations.md"


@pytest.mark.parametrize(
    ("entries", "layout"), [(TELEMETRY_COLUMNS, TELEMETRY), (OUTCOME_COLUMNS, OUTCOME), (REWARD_TERMS, WORLD_REWARD)]
)
def test_every_column_is_described_once_with_its_units(entries: tuple[Entry, ...], layout: np.dtype[np.void]) -> None:
    assert sorted(names(entries)) == sorted(layout.names or ())
    for entry in entries:
        length = int(np.prod(layout[entry.name].shape))
        assert length == len(entry.unit.split(", ")), entry


def test_the_single_environment_has_these_keys() -> None:
    env = gym.make("Metaverse/MultiZone-v0", **PLAIN)
    _, at_reset = env.reset(seed=0)
    info = env.step(env.action_space.sample())[4]
    assert tuple(sorted(info)) == tuple(sorted(names(KEYS)))
    assert set(names(KEYS)) - set(at_reset) == {"outcome", "reward_terms"}
    assert tuple(info["reward_terms"]) == names(REWARD_TERMS)
    assert info["telemetry"].keys() == names(TELEMETRY_COLUMNS)


def test_the_team_has_these_keys() -> None:
    env = metaverse_env.parallel_env(**PLAIN)
    _, infos = env.reset(seed=0)
    assert infos["zone-1"] == {}
    infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})[4]
    assert set(infos["zone-1"]) == set(names(TEAM_KEYS))


def test_the_vector_environment_has_these_keys() -> None:
    env = gym.make_vec("Metaverse/SingleZone-v0", 2, autoreset_mode=AutoresetMode.SAME_STEP, episode_ticks=1, **PLAIN)
    env.reset(seed=0)
    infos = env.step(env.action_space.sample())[4]
    keys = {*names(KEYS), *names(VECTOR_KEYS)} - {"_KEY"}
    assert set(infos) == keys | {f"_{key}" for key in keys}
