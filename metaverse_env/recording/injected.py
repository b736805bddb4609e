"""A world to which happens again what was done to one before."""

from collections.abc import Sequence

from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.injecting import Injection
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick
from metaverse_env.wrapping import WorldWrapper


class Injected(WorldWrapper):
    """Injects, at their ticks, what was injected once.

    Args:
        world: The world; a reset starts anew.
        injections: What, in any order.
    """

    def __init__(self, world: SimulatedWorld, injections: Sequence[Injection]) -> None:
        super().__init__(world)
        self._simulated, self._injections = world, tuple(injections)
        for one in self._injections:
            if not 0 <= one.world < world.worlds:
                raise ConfigurationError(f"{one.kind} at tick {one.tick}: there is no world {one.world}")

    def step(self, command: Command) -> Tick:
        """Inject what is due, and let one tick pass."""
        ticks = self._simulated.state.worlds["tick"]
        for one in self._injections:
            if ticks[one.world] == one.tick:
                self._simulated.inject(one)
        return super().step(command)
