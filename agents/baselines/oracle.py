"""Controllers that know the future: bounds for all others, and no competitors.

A policy that sets ``clairvoyant`` is handed the simulated world itself (:func:`metaverse_env.contracts.reveal`), which
no other policy ever sees. Before every decision it lets copies of the world run ahead, and gives each zone just what
the highest demand of the next ticks needs.

:class:`Oracle` runs one copy, in which everything comes as it will come: users, activities, events, noise, delays.
:class:`UsersOracle` runs several with other noise from now on: it knows every user who will come and all that they will
do, but not the noise of demand, delays and metrics, and so provides for a quantile. It is stronger than one that knew
only intensities, since it knows who will arrive.

Neither optimises: a bound by a rule is a bound of what this rule can reach.
"""

import math
from typing import ClassVar

import numpy as np

from agents.baselines.parameters import controller, parameter
from metaverse_env.contracts import View, World
from metaverse_env.errors import LifecycleError
from metaverse_env.simulator.foresight import foresee, simulated
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


class _Clairvoyant:
    """What both kinds share: the world, and sizes for a demand that is known."""

    clairvoyant: ClassVar[bool] = True
    reads_forecast: ClassVar[bool] = False
    cpu_target: float
    memory_target: float
    bandwidth_target: float
    lookahead_s: float
    dead_band: float
    _world: SimulatedWorld | None = None

    def bind(self, world: World) -> None:
        """Take the world whose future is to be known.

        Raises:
            ConfigurationError: It is not simulated, and so has no future yet.
        """
        self._world = simulated(world, "a clairvoyant policy")

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Nothing is remembered but the world."""

    def act(self, view: View) -> Command:
        """Give every zone what it will need.

        Raises:
            LifecycleError: Nobody has called :meth:`bind`.
        """
        if self._world is None:
            raise LifecycleError("a clairvoyant policy needs its world first; call bind(world)")
        pending, ready = view.pending.allocation, view.telemetry.zones["ready"] > 0
        ticks = max(1, math.ceil(self.lookahead_s / view.tick_s))
        target = np.array([self.cpu_target, self.memory_target, self.bandwidth_target])
        wish = np.clip(self._demand(self._world, view.pending, ticks) / target, *view.limits)
        worth = (wish > pending) | ((wish < (1.0 - self.dead_band) * pending) & ready[:, :, None])
        return Command.of(np.where(worth, wish, pending))

    def _demand(self, world: SimulatedWorld, pending: Command, ticks: int) -> Array:
        """Return the highest demand ``[W, Z, 3]`` of the next ticks."""
        highest: Array = foresee(world, pending, ticks).needed.max(axis=0)
        return highest


@controller("oracle")
class Oracle(_Clairvoyant):
    """Knows everything that will happen."""

    cpu_target: float = parameter(0.65, 0.01, 1.0, "Utilisation of CPU at that demand [choice].", search=(0.5, 1.0))
    memory_target: float = parameter(0.97, 0.01, 1.0, "The same of memory [choice].", search=(0.7, 1.0))
    bandwidth_target: float = parameter(0.77, 0.01, 1.0, "The same of egress [choice].", search=(0.5, 1.0))
    lookahead_s: float = parameter(30.0, 0.0, 3600.0, "How far ahead [choice].", unit="s", search=(0.0, 120.0))
    dead_band: float = parameter(0.02, 0.0, 1.0, "Shrinking not worth asking for [choice].", search=(0.0, 0.3))


@controller("oracle_users")
class UsersOracle(_Clairvoyant):
    """Knows users, activities and events, but no noise."""

    cpu_target: float = parameter(0.65, 0.01, 1.0, "Utilisation of CPU at that quantile [choice].", search=(0.5, 1.0))
    memory_target: float = parameter(0.97, 0.01, 1.0, "The same of memory [choice].", search=(0.7, 1.0))
    bandwidth_target: float = parameter(0.68, 0.01, 1.0, "The same of egress [choice].", search=(0.5, 1.0))
    lookahead_s: float = parameter(30.0, 0.0, 3600.0, "How far ahead [choice].", unit="s", search=(0.0, 120.0))
    dead_band: float = parameter(0.05, 0.0, 1.0, "Shrinking not worth asking for [choice].", search=(0.0, 0.3))
    quantile: float = parameter(0.9, 0.0, 1.0, "Of the copies' demand, to provide for [choice].", search=(0.3, 1.0))
    copies: float = parameter(8.0, 1.0, 1000.0, "How many futures to look at [choice].", unit="copies", whole=True)

    def _demand(self, world: SimulatedWorld, pending: Command, ticks: int) -> Array:
        futures = [foresee(world, pending, ticks, noise).needed for noise in range(1, 1 + round(self.copies))]
        covered: Array = np.quantile(np.stack(futures), self.quantile, axis=0).max(axis=0)
        return covered
