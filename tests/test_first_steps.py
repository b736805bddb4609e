"""What a newcomer does wrong first, and what is said then."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import agents
import metaverse_env
from benchmarks.conditions import conditions
from benchmarks.grid.running import Grid, check
from metaverse_env import Command
from metaverse_env.errors import ActionError, ConfigurationError, PanelError, TraceError
from metaverse_env.forecasters import load_forecaster
from metaverse_env.plugins import resolve_own
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.traces import load_trace
from metaverse_env.wrapping import WorldWrapper


class Wrapped(WorldWrapper):
    """A world like the one inside."""


def test_an_allocation_without_worlds_and_zones() -> None:
    with pytest.raises(ActionError, match=r"needs shape \(worlds, zones, 3\).* got \(3,\)"):
        Command.of(np.ones(3))
    world = SimulatedWorld("multi_zone", worlds=2)
    world.reset(seeds=[0, 1])
    message = r"allocation needs shape \(2, 30, 3\) \(worlds, zones, resources\), got \(1, 30, 3\)"
    with pytest.raises(ActionError, match=message):
        world.step(Command.of(np.ones((1, 30, 3))))


def test_a_number_for_an_action_of_many_zones() -> None:
    env = gym.make("Metaverse/MultiZone-v0", dynamics="physics", forecaster="none").unwrapped
    env.reset(seed=0)
    with pytest.raises(ActionError, match=r"an action needs shape \(120,\) or \(30, 4\), got \(\)"):
        env.step(3)


@pytest.mark.parametrize("name", ["/tmp/x/my2.py:Readme", "my2.py:Readme", "x/my2:Readme"])
def test_a_file_in_place_of_a_module(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name the module, not the file: my2:Readme"):
        agents.load(name)
    with pytest.raises(ConfigurationError, match="name the module, not the file: my2:Readme"):
        resolve_own("wrapper", name)


def test_a_number_for_a_world() -> None:
    with pytest.raises(ConfigurationError, match=r"world = 3 is no world; .*num_envs"):
        metaverse_env.parallel_env("single_zone", world=3)


def test_a_network_by_its_file() -> None:
    with pytest.raises(ConfigurationError, match=r"forecaster=StgnnForecaster\('runs/mine/x'\)"):
        load_forecaster("runs/mine/x")


@pytest.mark.parametrize(
    "rows",
    ["time,service,cpu\n2024-01-01T00:00:00Z,adservice,1\n", "0,1,2\n0,2,2\n"],
)
def test_a_long_table_for_a_trace(rows: str, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text(rows)
    with pytest.raises(TraceError, match="metaverse forecast panel makes a panel"):
        load_trace(tmp_path / "long.csv")


def test_a_recording_for_a_trace(tmp_path: Path) -> None:
    np.savez(tmp_path / "episode.npz", about="{}", commands=np.zeros(3))
    with pytest.raises(PanelError, match=r"panel_of\(load_recording\('.*episode.npz'\)\)"):
        load_trace(tmp_path / "episode.npz")


@pytest.mark.parametrize(
    ("dynamics", "trace", "message"),
    [
        ("physics", "users.csv", "--trace replays users and --dynamics physics simulates them"),
        ("trace", None, "give --trace FILE too"),
    ],
)
def test_a_trace_and_a_dynamics(dynamics: str, trace: str | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        conditions(dynamics=dynamics, trace=trace)


def test_who_knows_the_future_in_a_wrapped_world(tmp_path: Path) -> None:
    terms = conditions("single_zone", dynamics="physics", forecaster="none", seeds=1, wrapper=f"{__name__}:Wrapped")
    with pytest.raises(ConfigurationError, match="policy 'oracle_users' in single_zone-physics: "):
        check(Grid(("threshold", "oracle_users"), (terms,), tmp_path), "threshold")
