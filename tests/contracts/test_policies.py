"""What keeps the policy contract passes; the controllers themselves are held against it where they live."""

from collections.abc import Callable

import numpy as np

from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell
from metaverse_env.scenario import load_scenario
from metaverse_env.telemetry import Command
from metaverse_env.testing import check_policy
from metaverse_env.zones import ZoneGraph


class FollowLoad:
    """Allocate twice what is in use, smoothed: a policy that remembers."""

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        self.usage = np.zeros((worlds, len(zones), 3), dtype=np.float32)

    def act(self, view: View) -> Command:
        self.usage = 0.5 * self.usage + 0.5 * view.telemetry.usage
        return Command.of(np.clip(2.0 * self.usage, *view.limits), 0.1)


class Stateless:
    """Hold, by a function alone."""

    def __init__(self, act: Callable[[View], Command]) -> None:
        self.act = act

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Nothing is remembered."""


def test_a_policy_that_remembers_passes() -> None:
    check_policy(FollowLoad())


def test_a_policy_that_holds_passes_without_a_forecast() -> None:
    check_policy(Stateless(lambda view: view.pending), "single_zone", forecaster="none")


def test_a_policy_that_gambles_passes_if_it_may() -> None:
    random = np.random.default_rng(0)

    def act(view: View) -> Command:
        factor = random.uniform(0.9, 1.1, size=view.telemetry.allocation.shape)
        return Command.of(view.telemetry.allocation * factor)

    check_policy(Stateless(act), deterministic=False)


def test_a_view_knows_the_length_of_a_tick() -> None:
    shell = Shell(load_scenario("single_zone").with_changes(tick_s=20.0), 1, "physics", "none")
    shell.reset([0])
    assert shell.view.tick_s == 20.0
