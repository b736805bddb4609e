"""Living a recording again, and where two of them part."""

from typing import NamedTuple, cast

import numpy as np

from metaverse_env.contracts import View, World
from metaverse_env.envs.shell import Shell
from metaverse_env.recording.episode import LAYOUT, Recording
from metaverse_env.recording.injected import Injected
from metaverse_env.recording.keeping import record
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


class Difference(NamedTuple):
    """Where two recordings part: the first tick (0 is the reset) in which a column differs, and by how much at most."""

    tick: int
    array: str
    column: str
    largest: float


class Replayed:
    """The policy that asks again for what was asked for once; ``commands`` are a recording's, ``[T, W, Z]``."""

    def __init__(self, commands: Array) -> None:
        self.commands, self._tick = commands, 0

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Go back to the first tick."""
        self._tick = 0

    def act(self, view: View) -> Command:
        """Return the command of the next tick."""
        self._tick += 1
        return Command(self.commands[self._tick - 1].copy())


def replay(recording: Recording, tolerance: float = 0.0) -> Difference | None:
    """Let the recorded commands happen again in a new world and compare everything.

    Args:
        recording: What to live again.
        tolerance: Differences up to this are let pass; another machine may round otherwise.

    Returns:
        Where the two part, or ``None`` if they are the same.
    """
    world = lived(recording)
    shell = Shell(recording.scenario, forecaster="none", world=world)
    again = record(shell, Replayed(recording.commands), recording.seeds, recording.ticks)
    return first_difference(recording, again, tolerance)


def lived(recording: Recording) -> World:
    """Make the worlds of a recording again; what was injected into them happens again.

    Raises:
        TraceError: Its trace cannot be read any more.
        UnknownNameError: No dynamics has its name.
    """
    world = recording.origin.world(recording.scenario, len(recording.seeds))
    if not recording.origin.injections:
        return world
    return cast(World, Injected(world, recording.origin.injections))  # its zones are those of the world inside


def first_difference(one: Recording, other: Recording, tolerance: float = 0.0) -> Difference | None:
    """Return where two recordings of the same length part, or ``None``; ``tolerance`` is absolute, in each unit."""
    found = [
        difference
        for array, layout in LAYOUT.items()
        for column in layout.names or ()
        if (difference := _parting(one, other, array, column, tolerance)) is not None
    ]
    return min(found, key=lambda difference: difference.tick, default=None)


def _parting(one: Recording, other: Recording, array: str, column: str, tolerance: float) -> Difference | None:
    before, after = (np.asarray(getattr(item, array)[column], dtype=np.float64) for item in (one, other))
    largest = np.abs(after - before).reshape(len(before), -1).max(axis=1)
    apart = np.flatnonzero(~(largest <= tolerance))
    if not len(apart):
        return None
    index = int(apart[0])
    return Difference(index + one.ticks + 1 - len(before), array, column, float(largest[index]))
