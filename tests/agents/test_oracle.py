"""Those who know the future: what they know is what happens, and nobody else is told."""

import numpy as np
import pytest

import agents
from agents.baselines.oracle import Oracle
from agents.through_codec import ThroughCodec
from metaverse_env.contracts import reveal
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.recording import play
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.foresight import foresee
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.testing import check_policy


@pytest.mark.parametrize("name", agents.CLAIRVOYANT)
def test_keeps_the_contract(name: str) -> None:
    check_policy(agents.load(name))


def test_what_is_foreseen_comes() -> None:
    world = SimulatedWorld("multi_zone", 2)
    pending = Command.of(world.reset(seeds=[1, 2]).allocation * 3.0)
    seen = foresee(world, pending, 3).needed
    came = np.stack([world.step(pending).outcome.zones["served"] for _ in range(3)])
    np.testing.assert_allclose(seen[..., [0, 2]], came[..., [0, 2]], rtol=1e-5)
    np.testing.assert_allclose(seen[-1, ..., 1], world.state.zones["memory_mb"], rtol=1e-5)


def test_looking_ahead_changes_nothing() -> None:
    looked, left_alone = (SimulatedWorld("complex", 1) for _ in range(2))
    pending = Command.of(looked.reset(seeds=[3]).allocation)
    left_alone.reset(seeds=[3])
    foresee(looked, pending, 8, noise=1)
    for _ in range(4):
        one, other = looked.step(pending), left_alone.step(pending)
        assert one.telemetry.zones.tobytes() == other.telemetry.zones.tobytes()
        assert one.outcome.zones.tobytes() == other.outcome.zones.tobytes()


def test_other_noise_changes_demand_and_not_who_comes() -> None:
    world = SimulatedWorld("multi_zone", 1)
    pending = Command.of(world.reset(seeds=[5]).allocation * 3.0)
    twin = world.fork()
    twin.state.worlds["noise_key"] += np.uint64(12345)
    mine, other = world.step(pending).outcome.zones, twin.step(pending).outcome.zones
    np.testing.assert_array_equal(mine["users"], other["users"])
    assert (mine["demand"] != other["demand"]).mean() > 0.5


def test_only_those_who_declare_it_are_handed_the_world() -> None:
    class Curious:
        def bind(self, world: object) -> None:
            raise AssertionError("handed the world without declaring it")

    reveal(Curious(), SimulatedWorld("single_zone"))
    oracle = Oracle()
    reveal(oracle, SimulatedWorld("single_zone"))
    bound = ThroughCodec(Oracle(), load_scenario("single_zone"))
    assert len(list(play(Shell("single_zone", 1, "physics", "none"), bound, (0,), 3))) == 3


def test_says_what_it_needs() -> None:
    shell = Shell("single_zone", 1, "physics", "none")
    shell.reset([0])
    with pytest.raises(LifecycleError, match="bind"):
        Oracle().act(shell.view)
    with pytest.raises(ConfigurationError, match="simulated"):
        Oracle().bind(object())  # type: ignore[arg-type]  # that is the point
