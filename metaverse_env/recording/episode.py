"""An episode in memory: the loop of policy and world, and everything that came of it."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.contracts import Policy, View, reveal
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ActionError, MetaverseError, PolicyError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.injecting import Injection
from metaverse_env.simulator.records import COMMAND, OUTCOME, REWARD, TELEMETRY, WEATHER, WORLD_REWARD
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import Trace, load_trace

Array = np.ndarray

LAYOUT: Final = {
    "telemetry": TELEMETRY,
    "weather": WEATHER,
    "commands": COMMAND,
    "outcomes": OUTCOME,
    "rewards": REWARD,
    "world_rewards": WORLD_REWARD,
}
"""The arrays of a recording and their columns."""
_UNWATCHED: Final = nullcontext()


@dataclass(frozen=True)
class Origin:
    """How the recorded world was made, beside its scenario and seeds.

    Attributes:
        dynamics: Name of the dynamics.
        trace: File of the trace, when the users came from one.
        trace_scale: Users over the file's numbers.
        policy: Who decided, for people.
        intents: Whether users were heard; :func:`record` finds out. What they say changes nothing but ``signals``.
        injections: What was done to the worlds while they ran, beside the policy's commands.
        forecaster: Who forecast while it was lived, for whoever shows it again; empty where nobody knows. It is no part
            of the world.
    """

    dynamics: str = "physics"
    trace: str | None = None
    trace_scale: float = 1.0
    policy: str = ""
    intents: bool = False
    injections: tuple[Injection, ...] = ()
    forecaster: str = ""

    def world(self, scenario: Scenario, worlds: int) -> SimulatedWorld:
        """Make such a world again; what was injected is for :class:`~metaverse_env.recording.injected.Injected`.

        Raises:
            TraceError: The trace cannot be read any more.
            UnknownNameError: No dynamics has this name.
        """
        return SimulatedWorld(scenario, worlds, self.dynamics, self._users(), self.intents)

    def _users(self) -> Trace | None:
        if self.trace is None:
            return None
        return load_trace(self.trace).times(self.trace_scale)


@dataclass(frozen=True, eq=False)
class Recording:
    """One episode of ``W`` worlds over ``T`` ticks.

    Attributes:
        scenario: The world's constants.
        seeds: ``W`` seeds.
        origin: What else is needed to make the world again.
        zone_names: ``Z`` names.
        telemetry: Record ``[T + 1, W, Z]`` of TELEMETRY; the first is what reset returned.
        weather: Record ``[T + 1, W]``: time in the week and price level.
        commands: Record ``[T, W, Z]``: what was asked for.
        outcomes: Record ``[T, W, Z]`` of OUTCOME: what truly happened.
        rewards: Record ``[T, W, Z]`` of REWARD.
        world_rewards: Record ``[T, W]`` of WORLD_REWARD.
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    origin: Origin
    zone_names: tuple[str, ...]
    telemetry: Array
    weather: Array
    commands: Array
    outcomes: Array
    rewards: Array
    world_rewards: Array

    @property
    def ticks(self) -> int:
        """``T``."""
        return len(self.commands)


class Turn(NamedTuple):
    """One tick as it was lived: what was seen, what was asked for, and what came of it."""

    view: View
    command: Command
    step: Step


def play(
    shell: Shell,
    policy: Policy,
    seeds: Sequence[int],
    ticks: int,
    noise_seed: int | None = None,
    thinking: AbstractContextManager[Any] = _UNWATCHED,
) -> Iterator[Turn]:
    """Start all worlds and the policy anew, and yield every tick.

    Args:
        shell: The worlds, one for each seed.
        policy: Who decides.
        seeds: ``W`` seeds.
        ticks: How long.
        noise_seed: As in :meth:`Shell.reset`.
        thinking: Entered around whatever the policy itself does: its reset, then each decision; never the simulation.

    Raises:
        ActionError: The policy returns no command, or one that the world refuses.
        PolicyError: The policy raised.
    """
    shell.reset(list(seeds), noise_seed=noise_seed)
    reveal(policy, shell.world)
    with thinking:
        _called(policy, "reset", "", shell.world.zones, len(seeds))
    for tick in range(ticks):
        yield take_turn(shell, policy, tick, thinking)


def take_turn(shell: Shell, policy: Policy, tick: int, thinking: AbstractContextManager[Any] = _UNWATCHED) -> Turn:
    """Let a policy decide and one tick pass.

    Args:
        shell: The worlds, after their reset.
        policy: Who decides, after its reset.
        tick: How many there were before, for messages.
        thinking: Entered around the decision.

    Raises:
        ActionError: The policy returns no command, or one that the world refuses.
        PolicyError: The policy raised.
    """
    view = shell.view
    with thinking:
        command = _decide(policy, view, tick)
    return Turn(view, command, _obey(shell, policy, command, tick))


def _called(policy: Policy, method: str, when: str, *arguments: Any) -> Any:
    """Call a policy's method; whatever goes wrong inside it is told with its place."""
    try:
        return getattr(policy, method)(*arguments)
    except MetaverseError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise PolicyError(
            f"{type(policy).__name__}.{method} failed{when} in {place.filename}:{place.lineno}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _decide(policy: Policy, view: View, tick: int) -> Command:
    """Ask a policy for its command."""
    command = _called(policy, "act", f" at tick {tick}", view)
    if not isinstance(command, Command):
        raise ActionError(
            f"{type(policy).__name__}.act returned a {type(command).__name__} at tick {tick}; a policy returns "
            f"Command.of(allocation [W, Z, 3], handover [W, Z])"
        )
    return command


def _obey(shell: Shell, policy: Policy, command: Command, tick: int) -> Step:
    """Let a tick pass; of a command that the world refuses, say who gave it and when."""
    try:
        return shell.command(command)
    except ActionError as error:
        raise ActionError(f"the command of {type(policy).__name__}.act at tick {tick}: {error}") from error
