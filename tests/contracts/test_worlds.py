"""Simulated worlds of every scenario, dynamics and scaling against every rule of a world and of a dynamics."""

from itertools import product

import pytest

from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.testing import DYNAMICS_RULES, WORLD_RULES, check_dynamics, check_world
from metaverse_env.testing.rules import Rule, check
from metaverse_env.testing.worlds import repeats_itself
from metaverse_env.traces import load_trace

SCENARIOS = ("single_zone", "multi_zone", "complex")
DYNAMICS = ("physics", "trace", "stgnn")


@pytest.fixture(params=[*product(SCENARIOS, DYNAMICS, ("vertical", "horizontal"), ("1", "3"))], ids="-".join)
def world(request: pytest.FixtureRequest, trace_files: dict[str, str]) -> SimulatedWorld:
    name, dynamics, scaling, worlds = request.param
    scenario = load_scenario(name).with_changes(scaling=scaling)
    trace = load_trace(trace_files["single" if name == "single_zone" else "multi"]) if dynamics == "trace" else None
    return SimulatedWorld(scenario, int(worlds), dynamics, trace, intents=scaling == "vertical")


@pytest.mark.parametrize("rule", [*WORLD_RULES, repeats_itself, *DYNAMICS_RULES], ids=lambda rule: rule.__name__)
def test_rule(rule: Rule, world: SimulatedWorld) -> None:
    check(world, [rule], world)


def test_the_checks_run_the_rules() -> None:
    check_dynamics("physics", "single_zone")
    check_world(SimulatedWorld("single_zone"))
