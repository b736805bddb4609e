"""What a policy sees of a cluster: the environment's own shell around it, made anew when zones come or go."""

from collections.abc import Mapping
from typing import Any, Final

from bridges.cluster import ClusterWorld
from bridges.controller.watching import Moments, Watched
from metaverse_env.contracts import Predictor, View
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.forecasters import load_forecaster
from metaverse_env.scenario import Scenario
from metaverse_env.telemetry import Command

_SETTLED: Final = 2
"""So many cycles in a row a zone must have come or gone: a Deployment that is made anew is not gone."""


class Sight:
    """The shell around a cluster, tick by tick.

    Args:
        watched: The cluster and its telemetry.
        moments: The cycle's time.
        scenario: Constants of reward, observation and limits; ``None`` takes limits from what zones have.
        tick_s: Length of a tick, s.
        forecaster: A name or an object.
        scaling: ``"vertical"``, ``"horizontal"``, or the scenario's.
    """

    def __init__(
        self,
        watched: Watched,
        moments: Moments,
        scenario: str | Scenario | None,
        tick_s: float,
        forecaster: Any,
        scaling: str | None = None,
    ) -> None:
        self._watched, self._moments, self._asked = watched, moments, (scenario, tick_s, scaling)
        self.forecaster: Predictor | None = load_forecaster(forecaster)
        self.world, self.shell = self._made()
        self.step: Step | None = None
        self._differs = 0

    def _made(self) -> tuple[ClusterWorld, Shell]:
        scenario, tick_s, scaling = self._asked
        world = ClusterWorld(
            self._watched, self._watched.telemetry, scenario=scenario, tick_s=tick_s, clock=self._moments
        )
        if scaling not in (None, world.scenario.scaling):
            other = world.scenario.with_changes(scaling=scaling)
            world = ClusterWorld(self._watched, self._watched.telemetry, scenario=other, clock=self._moments)
        shell = Shell(world.scenario, forecaster=self.forecaster, world=world, remember=True)
        shell.reset([None])
        return world, shell

    def look(self, command: Command) -> bool:
        """Wait for the next tick and read; return whether the zones are others than before, and all begins anew.

        Args:
            command: What has been asked of the cluster until now.

        Raises:
            ClusterError: Zones came or went, and the cluster cannot be read again.
        """
        self.step = self.shell.command(command)
        now = tuple(one.zone for one in self.world.snapshot.workloads)
        self._differs = self._differs + 1 if now != self.zones and self._watched.error is None else 0
        if self._differs < _SETTLED or not now:
            return False
        self.world, self.shell = self._made()
        self.step, self._differs = None, 0
        return True

    @property
    def zones(self) -> tuple[str, ...]:
        """Names of the zones that are seen."""
        return self.world.zones.names

    @property
    def scenario(self) -> Scenario:
        """Limits, prices and objective."""
        return self.shell.scenario

    @property
    def view(self) -> View:
        """What a policy may see now."""
        return self.shell.view

    @property
    def report(self) -> Mapping[str, Any]:
        """What the world tells of its latest tick; empty before the first."""
        return (self.step.tick.report if self.step is not None else None) or {}
