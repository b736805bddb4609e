"""The rules of a controller, learned or classical."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from metaverse_env.contracts import Policy, View, reveal
from metaverse_env.envs.shell import Shell
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.records import COMMAND
from metaverse_env.telemetry import Command, Telemetry
from metaverse_env.testing.rules import check, require, require_array, require_finite, require_within

Array = np.ndarray
WORLDS: Final = 3
TICKS: Final = 24


def check_policy(
    policy: Policy,
    scenario: str | Scenario = "complex",
    *,
    forecaster: Any = "persistence",
    deterministic: bool = True,
) -> None:
    """Hold a policy against :data:`POLICY_RULES`, in three worlds in which metrics go missing.

    Args:
        policy: The controller.
        scenario: Its world; one with another ``tick_s`` shows whether the policy keeps time by ``view.tick_s``.
        forecaster: What it may believe; ``"none"`` gives views without a forecast.
        deterministic: Whether the same views must give the same commands, in whatever company.

    Raises:
        ContractError: The first rule that it breaks.
    """
    rules = POLICY_RULES + (DETERMINISTIC_POLICY_RULES if deterministic else ())
    check(policy, rules, policy, lambda worlds: Shell(scenario, worlds, "physics", forecaster))


def _episode(policy: Policy, shell: Shell, seeds: list[int]) -> Iterator[tuple[View, Command]]:
    """Let a policy steer; yield what it saw and what it asked for, before that happens."""
    shell.reset(seeds)
    reveal(policy, shell.world)
    policy.reset(shell.world.zones, shell.world.worlds)
    for _ in range(TICKS):
        view = shell.view
        command = policy.act(view)
        yield view, command
        shell.command(command)


def asks_for_possible_things(policy: Policy, make_shell: Any) -> None:
    """A policy asks something of every zone: a finite allocation, and a share between 0 and 1 to hand over."""
    for view, command in _episode(policy, make_shell(WORLDS), list(range(WORLDS))):
        require(isinstance(command, Command), f"act returned a {type(command).__name__}, not a Command")
        require_array("command.zones", command.zones, view.telemetry.zones.shape, COMMAND)
        require_finite("command.zones", command.zones)
        require_within("allocation", command.allocation, 0.0)
        require_within("handover", command.handover, 0.0, 1.0)


def only_looks(policy: Policy, make_shell: Any) -> None:
    """A policy writes to nothing that it sees, and never again to a command that it gave."""
    given: list[tuple[Array, bytes]] = []
    shell = make_shell(WORLDS)
    shell.reset(list(range(WORLDS)))
    reveal(policy, shell.world)
    policy.reset(shell.world.zones, WORLDS)
    for _ in range(TICKS):
        before = _bytes(shell.view)
        command = policy.act(shell.view)
        require(_bytes(shell.view) == before, "the view has changed")
        given.append((command.zones, command.zones.tobytes()))
        shell.command(command)
    require(all(zones.tobytes() == before for zones, before in given), "an earlier command has changed")


def _bytes(view: View) -> tuple[bytes, ...]:
    telemetry: Telemetry = view.telemetry
    arrays = (
        telemetry.zones,
        telemetry.weather,
        telemetry.intents,
        view.pending.zones,
        view.history.values,
        view.limits,
    )
    forecast = () if view.forecast is None else (view.forecast.values,)
    return tuple(array.tobytes() for array in arrays + forecast)


def forgets_on_reset(policy: Policy, make_shell: Any) -> None:
    """After a reset a policy does what it did after the reset before."""
    first, second = (
        [command.zones.tobytes() for _, command in _episode(policy, make_shell(WORLDS), list(range(WORLDS)))]
        for _ in range(2)
    )
    require(first == second, "two episodes of one seed were steered differently")


def steers_each_world_alone(policy: Policy, make_shell: Any) -> None:
    """What a policy asks of a world does not depend on the worlds beside it."""
    together = [command.zones[1] for _, command in _episode(policy, make_shell(WORLDS), list(range(WORLDS)))]
    alone = [command.zones[0] for _, command in _episode(policy, make_shell(1), [1])]
    for tick, (beside, single) in enumerate(zip(together, alone, strict=True)):
        same = np.allclose(beside["allocation"], single["allocation"], rtol=1e-4)
        require(same and np.allclose(beside["handover"], single["handover"]), f"it differs at tick {tick}")


POLICY_RULES: Final = (asks_for_possible_things, only_looks)
DETERMINISTIC_POLICY_RULES: Final = (forgets_on_reset, steers_each_world_alone)
