"""Every registered environment, with every dynamics, scaling and kind of action, against every rule and foreign checker."""

import warnings
from itertools import product
from typing import Any

import gymnasium as gym
import pytest
from stable_baselines3.common.env_checker import check_env as check_for_sb3

import metaverse_env
from metaverse_env.testing import ENVIRONMENT_RULES, check_env_id
from metaverse_env.testing.rules import Rule, check

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # they import PettingZoo's old examples
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test

IDS = ("Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0")
SCENARIOS = ("single_zone", "multi_zone", "complex")
DYNAMICS = ("physics", "trace", "stgnn")
SCALINGS = ("vertical", "horizontal")
ACTION_TYPES = ("discrete", "continuous")

Arguments = dict[str, Any]


@pytest.fixture(params=product(DYNAMICS, SCALINGS, ACTION_TYPES), ids="-".join)
def kind(request: pytest.FixtureRequest) -> Arguments:
    dynamics, scaling, action_type = request.param
    return {"dynamics": dynamics, "scaling": scaling, "action_type": action_type, "forecaster": "persistence"}


@pytest.fixture(params=IDS)
def env_id(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    return request.param


def with_trace(kind: Arguments, name: str, trace_files: dict[str, str]) -> Arguments:
    """Add the trace of as many zones as the environment may have."""
    if kind["dynamics"] != "trace":
        return kind
    return {**kind, "trace": trace_files["single" if "single" in name.lower() else "multi"]}


@pytest.mark.parametrize("rule", ENVIRONMENT_RULES, ids=lambda rule: rule.__name__)
def test_rule(rule: Rule, env_id: str, kind: Arguments, trace_files: dict[str, str]) -> None:
    arguments = with_trace(kind, env_id, trace_files)

    def make(number: int = 0, **extra: Any) -> Any:
        if number == 0:
            return gym.make(env_id, **arguments, **extra)
        return gym.make_vec(env_id, number, "vector_entry_point", **arguments, **extra)

    check(env_id, [rule], make)


def test_the_defaults_keep_every_rule(env_id: str) -> None:
    check_env_id(env_id)


def test_stable_baselines_finds_nothing(env_id: str, kind: Arguments, trace_files: dict[str, str]) -> None:
    check_for_sb3(gym.make(env_id, **with_trace(kind, env_id, trace_files)), warn=True)


def test_pettingzoo_parallel(scenario: str, kind: Arguments, trace_files: dict[str, str]) -> None:
    arguments = with_trace(kind, scenario, trace_files)
    parallel_api_test(metaverse_env.parallel_env(scenario, episode_ticks=30, **arguments), num_cycles=40)


@pytest.mark.filterwarnings("ignore:We recommend agents to be named", "ignore:Action space for each agent probably")
def test_pettingzoo_aec(scenario: str, kind: Arguments, trace_files: dict[str, str]) -> None:
    arguments = with_trace(kind, scenario, trace_files)
    api_test(metaverse_env.env(scenario, episode_ticks=5, **arguments), num_cycles=60)


def test_pettingzoo_seed(scenario: str, kind: Arguments, trace_files: dict[str, str]) -> None:
    arguments = with_trace(kind, scenario, trace_files)
    parallel_seed_test(lambda: metaverse_env.parallel_env(scenario, episode_ticks=10, **arguments), num_cycles=20)
