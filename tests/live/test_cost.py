"""What watching costs a world: a ratio within one run, since machines differ."""

import time
from collections.abc import Callable

from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command

TICKS = 400
ROUNDS = 15


def seconds_of(world: SimulatedWorld, command: Command) -> float:
    began_s = time.perf_counter()
    for _ in range(TICKS):
        world.step(command)
    return time.perf_counter() - began_s


def ratio(one: Callable[[], float], other: Callable[[], float]) -> float:
    """Return how much longer one takes than the other: the best of rounds in which they take turns."""
    times_s = [(one(), other()) for _ in range(ROUNDS)]
    return min(first for first, _ in times_s) / min(second for _, second in times_s)


def worlds() -> tuple[SimulatedWorld, SimulatedWorld, Command]:
    made = [SimulatedWorld("multi_zone") for _ in range(2)]
    for world in made:
        telemetry = world.reset(seeds=[0])
        command = Command.of(telemetry.allocation.copy())
        seconds_of(world, command)
    return made[0], made[1], command


def test_a_world_that_is_watched_is_nearly_as_fast_as_another() -> None:
    watched, left_alone, command = worlds()
    watched.watch()
    assert ratio(lambda: seconds_of(watched, command), lambda: seconds_of(left_alone, command)) < 1.3
