"""Worlds around worlds: nothing changes by wrapping alone, and what a wrapper changes shows."""

import numpy as np
import pytest

from metaverse_env import Command, World, WorldWrapper
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Tick
from metaverse_env.testing import check_world
from metaverse_env.traces import load_trace
from metaverse_env.wrapping import simulated, wrapped

PHYSICS = {"dynamics": "physics", "forecaster": "none"}


class Rationed(WorldWrapper):
    """Gives nine tenths of what is asked for."""

    def step(self, command: Command) -> Tick:
        return super().step(Command.of(0.9 * command.allocation, command.handover))


def rewards(shell: Shell) -> np.ndarray:
    shell.reset([3, 4])
    return np.stack([shell.command(Command.of(shell.view.pending.allocation)).reward.worlds for _ in range(6)])


def test_a_wrapped_world_is_a_world() -> None:
    world = WorldWrapper(WorldWrapper(SimulatedWorld("multi_zone", 2)))
    assert isinstance(world, World)
    check_world(world)
    assert simulated(world) is world.world.world  # type: ignore[attr-defined]


def test_wrapping_alone_changes_no_bit() -> None:
    plain, around = (Shell("complex", 2, wrap=wrap, **PHYSICS) for wrap in (None, WorldWrapper))  # type: ignore[arg-type]
    np.testing.assert_array_equal(rewards(plain), rewards(around))
    assert around.scenario == plain.scenario


def test_a_traces_peaks_are_known_inside(trace_files: dict[str, str]) -> None:
    trace = load_trace(trace_files["multi"])
    plain, around = (Shell("multi_zone", 2, "trace", "none", trace=trace, wrap=wrap) for wrap in (None, WorldWrapper))
    np.testing.assert_array_equal(rewards(plain), rewards(around))


def test_what_a_wrapper_changes_shows() -> None:
    plain, rationed = (rewards(Shell("multi_zone", 2, wrap=wrap, **PHYSICS)) for wrap in (None, Rationed))  # type: ignore[arg-type]
    assert (rationed["resource_eur_per_h"][-1] < 0.95 * plain["resource_eur_per_h"][-1]).all()


def test_what_is_no_wrapper_is_refused() -> None:
    world = SimulatedWorld("single_zone")
    with pytest.raises(ConfigurationError, match=r"wrapper 'len' failed in .*TypeError"):
        wrapped(world, len)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="wrapper 'id' returned a int, which is no world"):
        wrapped(world, id)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="it is called with a world and returns one"):
        Shell("single_zone", wrap="Rationed", **PHYSICS)  # type: ignore[arg-type]
