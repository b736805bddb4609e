"""What will happen in a simulated world, found by letting a copy run ahead: for bounds that nobody can reach."""

from contextlib import suppress
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.contracts import World
from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY

Array = np.ndarray
MEMORY_TO_SPARE: Final = 3.0
"""Times the pending memory that copies get, so that nothing is killed in them and their demand is that of users."""
OTHER_NOISE: Final = 0x9E3779B97F4A7C15
"""Sets noise keys apart; an odd number without pattern, the golden ratio's."""


def simulated(world: World, who: str) -> SimulatedWorld:
    """Return a world that has a future to know.

    Args:
        world: What was handed to someone clairvoyant.
        who: Its name, for the message.

    Raises:
        ConfigurationError: It is not simulated, and so has no future yet.
    """
    if not isinstance(world, SimulatedWorld):
        raise ConfigurationError(f"{who} needs a simulated world, not a {type(world).__name__}; choose another")
    return world


class Foreseen(NamedTuple):
    """The ticks to come; fewer than were asked for where a trace ends.

    Attributes:
        needed: ``[T, W, Z, 3]``: the demand that each zone will serve, and of memory what will be in use, which lags.
        latency_ms: ``[T, W, Z]``, p95, if allocations stay as they are.
    """

    needed: Array
    latency_ms: Array


def foresee(world: SimulatedWorld, pending: Command, ticks: int, noise: int = 0) -> Foreseen:
    """Return what will come.

    Args:
        world: Stays as it is.
        pending: What zones keep in the copy, with memory to spare.
        ticks: How far to look, ``T``.
        noise: 0 for the noise that will be; any other number for another.
    """
    twin = world.fork()
    twin.state.worlds["noise_key"] += np.uint64((noise * OTHER_NOISE) % 2**64)
    generous = Command(pending.zones.copy())
    generous.allocation[:, :, MEMORY] *= MEMORY_TO_SPARE
    seen = [_look(twin, generous)]
    with suppress(LifecycleError):  # where a trace ends there is nobody to serve
        seen.extend(_look(twin, generous) for _ in range(ticks - 1))
    return Foreseen(*(np.stack(column) for column in zip(*seen, strict=True)))


def _look(world: SimulatedWorld, command: Command) -> tuple[Array, Array]:
    """Let a tick pass; return what it needed and its latency."""
    outcome = world.step(command).outcome.zones
    needed: Array = outcome["served"].copy()
    needed[:, :, MEMORY] = world.state.zones["memory_mb"]
    return needed, outcome["latency_ms"].copy()
