"""A simulated world: owns the state, lets ticks pass, and leaves the mathematics to the compiled physics."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.plugins import resolve
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator import entry
from metaverse_env.simulator.commands import check_command
from metaverse_env.simulator.constants import build_constants
from metaverse_env.simulator.dynamics import DYNAMICS, Dynamics, Simulation
from metaverse_env.simulator.injecting import Injection, inject
from metaverse_env.simulator.kernel import Output, State
from metaverse_env.simulator.leaving import BY_PHASE
from metaverse_env.simulator.records import (
    NODE_STATE,
    OUTCOME,
    TELEMETRY,
    WEATHER,
    WORLD_STATE,
    ZONE_STATE,
)
from metaverse_env.simulator.replay import NO_FIT, fit_to_trace
from metaverse_env.simulator.seeding import seed_worlds
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Command, Outcome, Telemetry, Tick
from metaverse_env.threads import over_worlds
from metaverse_env.traces import Trace
from metaverse_env.zones import ZoneGraph, build_graph

Array = np.ndarray


class SimulatedWorld:
    """``W`` independent simulations of the same scenario, batch-first.

    Args:
        scenario: A name, a file or a :class:`~metaverse_env.scenario.Scenario`.
        worlds: ``W``, how many run side by side.
        dynamics: ``"physics"``, ``"stgnn"``, ``"trace"``, or an object that is a
            :class:`~metaverse_env.simulator.dynamics.Dynamics`.
        trace: Users to replay, for ``dynamics="trace"``; its columns are the zones.
        intents: Whether telemetry carries intents even if the dynamics does not need them.

    Raises:
        ConfigurationError: An unknown name, or a trace without ``dynamics="trace"`` and the reverse.

    >>> world = SimulatedWorld("single_zone")
    >>> telemetry = world.reset(seeds=[7])
    >>> tick = world.step(Command.of(telemetry.allocation))
    >>> tick.telemetry.users.shape
    (1, 1)
    """

    def __init__(
        self,
        scenario: "str | Scenario" = "multi_zone",
        worlds: int = 1,
        dynamics: "str | Dynamics" = "physics",
        trace: Trace | None = None,
        intents: bool = False,
    ) -> None:
        if (dynamics == "trace") != (trace is not None):
            raise ConfigurationError("dynamics='trace' and trace=FILE belong together; give both or neither")
        if worlds < 1:
            raise ConfigurationError(f"worlds must be at least 1, got {worlds}")
        fit = NO_FIT if trace is None else fit_to_trace(load_scenario(scenario), trace)
        self.scenario = fit.scenario or load_scenario(scenario)
        self._starts, self._last_rows = fit.starts, fit.last_rows
        self.zones = build_graph(self.scenario)
        constants = build_constants(self.scenario, self.zones, fit.mean_users, fit.peak_demand)
        state = _blank_state(worlds, self.zones)
        self._simulation = Simulation(self.scenario, self.zones, constants, state, fit.replay)
        self.dynamics: Dynamics = self._load(dynamics) if isinstance(dynamics, str) else dynamics
        self._embedding = constants.bank.shape[3] if intents or self.dynamics.needs_intents else 0
        self._shape = (worlds, len(self.zones), self._embedding)
        self._output = Stock((1, WEATHER), (2, OUTCOME), (2, TELEMETRY), (3, np.dtype(np.float32)))
        self._telemetry: Telemetry | None = None

    def _load(self, name: str) -> Dynamics:
        dynamics: Dynamics = resolve("dynamics", name, DYNAMICS)()
        return dynamics

    @property
    def worlds(self) -> int:
        """How many worlds there are."""
        return len(self._simulation.state.worlds)

    @property
    def replays(self) -> bool:
        """Whether users come from a trace."""
        return len(self._last_rows) > 0

    @property
    def tick_s(self) -> float:
        """Length of a tick, s."""
        return self.scenario.tick_s

    @property
    def constants(self) -> Any:
        """The packed constants, for whoever computes with them (reward, observation)."""
        return self._simulation.constants

    @property
    def state(self) -> State:
        """The hidden state, for critics, tests and the renderer. Look, do not touch."""
        return self._simulation.state

    @property
    def embedding(self) -> int:
        """Width ``E`` of the intents in the telemetry; 0 when they are off."""
        return self._embedding

    def watch(self) -> None:
        """Note from now on where travellers come from, for pictures; what happens does not change.

        ``state.travelling`` becomes ``int32 [W, ticks, Z, 2 + D]``: after the users due by phase, those due by the slot
        of the neighbour that they come from. Of who is on the way already, that stays unknown.
        """
        travelling = self.state.travelling
        if travelling.shape[3] > BY_PHASE:
            return
        wider = np.zeros((*travelling.shape[:3], BY_PHASE + self.zones.neighbours.shape[1]), dtype=np.int32)
        wider[..., :BY_PHASE] = travelling
        self._simulation = replace(self._simulation, state=self.state._replace(travelling=wider))

    def fork(self) -> "SimulatedWorld":
        """Return a copy with the same future, which goes on by itself."""
        twin = copy.copy(self)
        twin._simulation = replace(self._simulation, state=State(*(array.copy() for array in self.state)))
        twin.dynamics = copy.deepcopy(self.dynamics)
        return twin

    def reset(
        self, *, seeds: Sequence[int | None], worlds: Array | None = None, noise_seeds: Sequence[int] | None = None
    ) -> Telemetry:
        """Start some worlds anew.

        Args:
            seeds: ``W`` seeds; ``None`` goes on to the next episode of that world's last seed.
            worlds: Mask ``bool [W]`` of the worlds to start; all when ``None``.
            noise_seeds: ``W`` seeds for demand noise, delays and metrics alone; the same as ``seeds`` when ``None``.

        Returns:
            The first telemetry of all worlds.

        Raises:
            ConfigurationError: Another number of seeds or worlds, or a seed that is none.
            LifecycleError: The first reset is not of all worlds.
        """
        mask = self._mask(worlds)
        seed_worlds(self._simulation.state.worlds, mask, seeds, noise_seeds)
        out, simulation, starts = self._blank_output(), self._simulation, self._starts
        for part in out:  # arrays may be reused, and what is not known yet is nothing
            part.view(np.uint8).fill(0)
        over_worlds(entry.reset_worlds, (mask, *simulation.state, *out), (starts, *simulation.fixed))
        self.dynamics.reset(simulation, mask)
        if self._telemetry is not None:
            _keep(self._telemetry, out, ~mask)
        self._telemetry = Telemetry(out.telemetry, out.weather, out.intents)
        return self._telemetry

    def _mask(self, worlds: Array | None) -> Array:
        mask = np.ones(self.worlds, dtype=np.bool_) if worlds is None else np.asarray(worlds)
        if mask.shape != (self.worlds,) or mask.dtype != np.bool_:
            raise ConfigurationError(f"a mask of worlds needs bool [{self.worlds}], got {mask.dtype} {mask.shape}")
        if self._telemetry is None and not mask.all():
            raise LifecycleError("the first reset must be of all worlds; call reset(seeds=…) without a mask first")
        return mask

    def step(self, command: Command) -> Tick:
        """Let one tick pass.

        Raises:
            LifecycleError: Before the first reset, or at the end of a trace's segment.
            ActionError: A command of another shape, or with a value that is not finite or is negative.
        """
        if self._telemetry is None:
            raise LifecycleError("step before reset; call reset(seeds=…) first")
        check_command(command, self.worlds, self.zones.names)
        if len(self._last_rows):
            self._check_trace_goes_on()
        out = self._blank_output()
        self.dynamics.advance(self._simulation, command.zones, self._telemetry.zones, out)
        self._telemetry = Telemetry(out.telemetry, out.weather, out.intents)
        return Tick(self._telemetry, Outcome(out.outcome, self.scenario.tick_s))

    def inject(self, injection: Injection) -> bool:
        """Let something happen to a world now, between two ticks; see :mod:`~metaverse_env.simulator.injecting`.

        Returns:
            Whether that changed anything: a crowd that is there already is left alone, and so is a failed node.

        Raises:
            LifecycleError: Before the first reset.
            ConfigurationError: No such kind, world, zone or node; or a flash crowd where a trace says who comes.
        """
        if self._telemetry is None:
            raise LifecycleError(f"{injection.kind} before reset; call reset(seeds=…) first")
        if self.replays and injection.kind == "flash_crowd":
            raise ConfigurationError("a flash crowd cannot be injected: users come from a trace, which says how many")
        return inject(injection, self.state, self.constants)

    def _check_trace_goes_on(self) -> None:
        records = self._simulation.state.worlds
        ended = np.flatnonzero(records["trace_row"] >= self._last_rows[records["trace_row"]])
        if len(ended):
            raise LifecycleError(
                f"world {ended[0]}: the trace has no sample after tick {records['tick'][ended[0]]}, for its segment "
                f"ends there. Reset this world, or give its scenario longer episode_ticks."
            )

    def _blank_output(self) -> Output:
        """Return arrays to be filled, fresh in every tick: what a user keeps from one tick is never overwritten."""
        weather, outcome, telemetry, intents = self._output.take(self._shape)
        return Output(telemetry, outcome, weather, intents)


def _keep(old: Telemetry, out: Output, worlds: Array) -> None:
    """Carry over the telemetry of the worlds that were not reset."""
    out.telemetry[worlds] = old.zones[worlds]
    out.weather[worlds] = old.weather[worlds]
    out.intents[worlds] = old.intents[worlds]


def _blank_state(worlds: int, graph: ZoneGraph) -> State:
    zones, degree = graph.neighbours.shape
    state = State(
        worlds=np.zeros(worlds, dtype=WORLD_STATE),
        nodes=np.zeros((worlds, graph.nodes), dtype=NODE_STATE),
        zones=np.zeros((worlds, zones), dtype=ZONE_STATE),
        remote=np.zeros((worlds, zones, degree), dtype=np.float32),
        travelling=np.zeros((worlds, int(graph.travel_ticks.max(initial=1)) + 1, zones, 2), dtype=np.int32),
    )
    state.worlds["episode"] = -1
    return state
