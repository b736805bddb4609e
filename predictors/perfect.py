"""A forecaster that knows the future of a simulated world: what better forecasts could be worth at most."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from metaverse_env.contracts import World
from metaverse_env.errors import LifecycleError
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import History
from metaverse_env.simulator.foresight import foresee, simulated
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Forecast
from metaverse_env.units import QUANTILES, TARGETS

Array = np.ndarray


class PerfectForecaster:
    """Foretells what will be, noise included, at every quantile; of latency, what it will be if no command changes it.

    It declares ``clairvoyant``, and so is handed its world by :meth:`bind`.
    """

    clairvoyant: ClassVar[bool] = True
    needs_intents: ClassVar[bool] = False
    horizon = HORIZON
    _world: SimulatedWorld | None = None

    def bind(self, world: World) -> None:
        """Take the world whose future is to be known.

        Raises:
            ConfigurationError: It is not simulated, and so has no future yet.
        """
        self._world = simulated(world, "forecaster 'perfect'")

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        """Return what will be; where a trace ends, its last tick.

        Raises:
            LifecycleError: Nobody has called :meth:`bind`.
        """
        if self._world is None:
            raise LifecycleError("a perfect forecaster needs its world first; call bind(world)")
        ahead = tuple(range(1, self.horizon + 1)) if ticks is None else tuple(ticks)
        seen = foresee(self._world, Command.of(self._world.state.zones["wanted"]), max(ahead))
        targets = np.concatenate([seen.needed, seen.latency_ms[..., None]], axis=-1)
        chosen = np.minimum(np.array(ahead), len(targets)) - 1
        values = np.moveaxis(targets[chosen], 0, 2)[..., None]
        shape = (*values.shape[:3], len(TARGETS), len(QUANTILES))
        return Forecast(np.broadcast_to(values, shape).astype(np.float32), ahead)
