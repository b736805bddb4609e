"""Worlds around worlds: what an experiment changes of a world without touching the simulator.

A wrapper sees every command before the world does, and every tick before controllers and rewards do::

    class Rationed(WorldWrapper):
        def step(self, command):
            return super().step(Command.of(0.9 * command.allocation, command.handover))
"""

import traceback
from collections.abc import Callable, Sequence

import numpy as np

from metaverse_env.contracts import Described, World
from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Telemetry, Tick
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


class WorldWrapper:
    """A world that does what another one does; override :meth:`reset` and :meth:`step`.

    Args:
        world: The one inside.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def zones(self) -> ZoneGraph:
        """The zones of the world inside."""
        return self.world.zones

    @property
    def tick_s(self) -> float:
        """Length of a tick, s."""
        return self.world.tick_s

    @property
    def worlds(self) -> int:
        """How many independent worlds there are, ``W``."""
        return self.world.worlds

    @property
    def unwrapped(self) -> World:
        """The innermost world."""
        return getattr(self.world, "unwrapped", self.world)

    def reset(self, *, seeds: Sequence[int | None], worlds: Array | None = None) -> Telemetry:
        """Start worlds anew; see :meth:`metaverse_env.contracts.World.reset`."""
        return self.world.reset(seeds=seeds, worlds=worlds)

    def step(self, command: Command) -> Tick:
        """Let one tick pass under a command."""
        return self.world.step(command)


def simulated(world: World) -> SimulatedWorld | None:
    """Return the simulation inside a world, or ``None`` where a cluster is."""
    inner = getattr(world, "unwrapped", world)
    return inner if isinstance(inner, SimulatedWorld) else None


def described(world: World) -> Described | None:
    """Return the innermost world if it knows its own scenario and constants, or ``None``."""
    inner = getattr(world, "unwrapped", world)
    return inner if isinstance(inner, Described) else None


def wrapped(world: World, wrap: Callable[[World], World]) -> World:
    """Return what a wrapper makes of a world.

    Raises:
        ConfigurationError: It raises, or makes no world.
    """
    name = getattr(wrap, "__name__", repr(wrap))
    try:
        made = wrap(world)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise ConfigurationError(
            f"wrapper {name!r} failed in {place.filename}:{place.lineno}: {type(error).__name__}: {error}; it is "
            f"called with a world and returns one"
        ) from error
    if not isinstance(made, World):
        raise ConfigurationError(
            f"wrapper {name!r} returned a {type(made).__name__}, which is no world; return an object with zones, "
            f"tick_s, worlds, reset and step, such as a metaverse_env.WorldWrapper"
        )
    return made
