"""What happens next inside a simulated world: by the formulas, by a trace, or by a trained network.

A dynamics advances a :class:`Simulation` by one tick and writes a fresh output. ``"stgnn"`` lives in an upper storey
and is reached as a string.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, runtime_checkable

import numpy as np

from metaverse_env.scenario import Scenario
from metaverse_env.simulator import entry
from metaverse_env.simulator.constants import Constants
from metaverse_env.simulator.kernel import Output, Replay, State
from metaverse_env.threads import over_worlds
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

DYNAMICS: Final = {
    "physics": "metaverse_env.simulator.dynamics:PhysicsDynamics",
    "trace": "metaverse_env.simulator.dynamics:PhysicsDynamics",
    "stgnn": "predictors.stgnn:load_dynamics",
}
"""Names for ``dynamics=``. A trace is the physics with users, and perhaps demand, that come from a file."""


@dataclass(frozen=True)
class Simulation:
    """Everything a dynamics works on; the arrays of ``state`` are changed in place."""

    scenario: Scenario
    graph: ZoneGraph
    constants: Constants
    state: State
    replay: Replay

    @cached_property
    def fixed(self) -> tuple[Array, ...]:
        """What does not change, as compiled functions take it: the fields of the replay and of the constants."""
        return (*self.replay, *self.constants)


@runtime_checkable
class Dynamics(Protocol):
    """What happens next."""

    needs_intents: bool

    def reset(self, simulation: Simulation, worlds: Array) -> None:
        """Forget what is remembered of the worlds that the mask ``worlds [W]`` names; they have just started anew."""
        ...

    def advance(self, simulation: Simulation, commands: Array, before: Array, out: Output) -> None:
        """Let one tick pass.

        Args:
            simulation: The worlds.
            commands: Record ``[W, Z]`` COMMAND, checked.
            before: Record ``[W, Z]`` TELEMETRY of the last tick.
            out: Zeroed arrays to write.
        """
        ...


class PhysicsDynamics:
    """The formulas of the world model; with a replay, its users and recorded demand."""

    needs_intents = False

    def reset(self, simulation: Simulation, worlds: Array) -> None:
        """Nothing is remembered beside the state."""

    def advance(self, simulation: Simulation, commands: Array, before: Array, out: Output) -> None:
        """Let one tick pass; on several threads when there are many worlds."""
        batched = (*simulation.state, commands, before, *out)
        over_worlds(entry.step_physics, batched, simulation.fixed)
