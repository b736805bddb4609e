"""The thin shell around a world, shared by every environment: belief, observation, command, reward, in that order.

Batch-first: a single environment is one world of the same code, so single and vector results agree by construction.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from metaverse_env.action import ActionCodec, ActionType
from metaverse_env.contracts import Predictor, View, World, reveal
from metaverse_env.errors import ConfigurationError, LifecycleError
from metaverse_env.forecasters import load_forecaster
from metaverse_env.history import History
from metaverse_env.observation import FORECAST_TICKS, Observer
from metaverse_env.panels import Panel
from metaverse_env.reward import Reward, RewardFunction
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.constants import build_constants
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Forecast, Telemetry, Tick
from metaverse_env.traces import Trace, load_trace
from metaverse_env.wrapping import described, wrapped

Array = np.ndarray


class Step(NamedTuple):
    """What one step of the shell gives: ``observation [W, size]``, the tick, and its reward."""

    observation: Array
    tick: Tick
    reward: Reward


def episode_length(asked: int | None, scenario: Scenario) -> int:
    """Return the ticks until truncation: the scenario's, or ``max_episode_steps``, which can only shorten an episode.

    Raises:
        ConfigurationError: Less than one tick, or more than the scenario's.
    """
    if asked is not None and not 1 <= asked <= scenario.episode_ticks:
        raise ConfigurationError(
            f"max_episode_steps = {asked} ticks must be from 1 to the {scenario.episode_ticks} of scenario "
            f"{scenario.name!r}; give episode_ticks={asked} for longer episodes"
        )
    return scenario.episode_ticks if asked is None else asked


def _pending_of(telemetry: Telemetry) -> Command:
    """Return what a world says it was asked for: of a cluster perhaps less than was commanded, or nothing."""
    return Command.of(telemetry.zones["pending"], telemetry.zones["handover"])


class Shell:
    """Observation, action and reward around ``W`` worlds.

    Args:
        scenario: A name, a file or a scenario.
        worlds: ``W``, when the world is simulated here.
        dynamics: ``"stgnn"``, ``"physics"``, ``"trace"`` or an object.
        forecaster: ``"stgnn"``, ``"persistence"``, ``"none"`` or an object.
        scaling: Overrides the scenario's ``"vertical"`` or ``"horizontal"``.
        episode_ticks: Overrides the scenario's length of an episode.
        action_type: ``"discrete"`` or ``"continuous"``.
        trace: File, :class:`~metaverse_env.traces.Trace` or :class:`~metaverse_env.panels.Panel` of telemetry, for
            ``dynamics="trace"``.
        mean_users: Scales a trace to this mean of users per zone.
        world: Any other :class:`~metaverse_env.contracts.World`, such as a cluster. One that is
            :class:`~metaverse_env.contracts.Described` brings its own scenario, which then holds.
        remember: Whether to keep the history that policies see; by default only a forecaster's need keeps it.
        wrap: Makes another world of it, such as a :class:`~metaverse_env.wrapping.WorldWrapper`.
    """

    def __init__(
        self,
        scenario: str | Scenario,
        worlds: int = 1,
        dynamics: Any = "stgnn",
        forecaster: Any = "stgnn",
        scaling: str | None = None,
        episode_ticks: int | None = None,
        action_type: ActionType = "discrete",
        trace: str | Trace | Panel | None = None,
        mean_users: float | None = None,
        world: World | None = None,
        remember: bool | None = None,
        wrap: Callable[[World], World] | None = None,
    ) -> None:
        asked = {"scaling": scaling, "episode_ticks": episode_ticks}
        changes = {name: value for name, value in asked.items() if value is not None}
        chosen = load_scenario(scenario)
        chosen = chosen.with_changes(**changes) if changes else chosen
        self.forecaster: Predictor | None = load_forecaster(forecaster)
        if world is not None and not isinstance(world, World):
            raise ConfigurationError(
                f"world = {world!r} is no world; give an object with zones, tick_s, worlds, reset and step, such as a "
                f"SimulatedWorld; worlds side by side are gym.make_vec's num_envs"
            )
        inner = world if world is not None else self._simulate(chosen, worlds, dynamics, trace, mean_users)
        self.world = inner if wrap is None else wrapped(inner, wrap)
        reveal(self.forecaster, self.world)
        if (own := described(self.world)) is not None:
            self.scenario, self.constants = own.scenario, own.constants
        else:
            self.scenario, self.constants = chosen, build_constants(chosen, self.world.zones)
        self.observer = Observer(self.constants, forecast=self.forecaster is not None)
        self.codec = ActionCodec(self.scenario, self.world.zones.names, action_type)
        self.reward_function = RewardFunction(self.scenario, self.constants)
        horizontal = self.scenario.scaling == "horizontal"
        self._pod_size = np.array(self.scenario.actuation.pod_size, dtype=np.float32) if horizontal else None
        self._remembers = self.forecaster is not None if remember is None else remember
        self.history: History | None = None
        self._telemetry: Telemetry | None = None
        self._before: Telemetry | None = None
        self._pending = Command.of(np.zeros((self.world.worlds, len(self.world.zones), 3)))
        self._forecast: Forecast | None = None
        self._observation: Array | None = None

    def _simulate(self, scenario: Scenario, worlds: int, dynamics: Any, trace: Any, mean_users: float | None) -> World:
        users = load_trace(trace) if trace is not None and not isinstance(trace, Trace) else trace
        if mean_users is not None:
            if users is None:
                raise ConfigurationError("mean_users scales a trace; give trace=FILE and dynamics='trace'")
            users = users.scaled(mean_users)
        intents = getattr(self.forecaster, "needs_intents", False)
        return SimulatedWorld(scenario, worlds, dynamics, users, intents)

    @property
    def started(self) -> bool:
        """Whether there was a first reset."""
        return self._telemetry is not None

    def reset(self, seeds: Sequence[int | None], worlds: Array | None = None, noise_seed: int | None = None) -> Array:
        """Start worlds anew (those of the mask ``worlds [W]``, or all); return the observations of all.

        Raises:
            ConfigurationError: A seed that is none, or a ``noise_seed`` for a world that is not simulated.
        """
        telemetry = self._start(seeds, worlds, noise_seed)
        pending, before = _pending_of(telemetry), telemetry
        if self.history is None or self._before is None or worlds is None or worlds.all():
            made = self.history  # another one is a sign of another episode
            self.history = made.anew() if made else History(len(seeds), self.world.zones, telemetry.intents.shape[2])
            self.history.append(telemetry)
        else:
            pending.zones[~worlds] = self._pending.zones[~worlds]
            before = Telemetry(telemetry.zones.copy(), telemetry.weather, telemetry.intents)
            before.zones[~worlds] = self._before.zones[~worlds]
            self.history.clear(worlds)
            self.history.rewrite(telemetry)
        self._pending = pending
        return self._observe(telemetry, before)

    def _start(self, seeds: Sequence[int | None], worlds: Array | None, noise_seed: int | None) -> Telemetry:
        if noise_seed is None:
            return self.world.reset(seeds=seeds, worlds=worlds)
        if not isinstance(self.world, SimulatedWorld):
            raise ConfigurationError(
                f"noise_seed = {noise_seed} is for simulated worlds, and this is none; leave it out"
            )
        return self.world.reset(seeds=seeds, worlds=worlds, noise_seeds=[noise_seed + w for w in range(len(seeds))])

    def action_masks(self) -> Array:
        """Return which actions do something of their own; see :meth:`~metaverse_env.action.ActionCodec.masks`.

        Raises:
            LifecycleError: Before the first reset.
            ActionError: Continuous actions.
        """
        if self._telemetry is None:
            raise LifecycleError("nothing to mask before reset; call reset() first")
        return self.codec.masks(self._pending)

    def step(self, actions: Any) -> Step:
        """Let one tick pass under actions; see :class:`~metaverse_env.action.ActionCodec`."""
        if self._telemetry is None:
            raise LifecycleError("step before reset; call reset() first")
        return self.command(self.codec.decode(actions, self._pending))

    def command(self, command: Command) -> Step:
        """Let one tick pass under a command: what classical controllers give, without the codec between."""
        if self._telemetry is None or self.history is None:
            raise LifecycleError("step before reset; call reset() first")
        before = self._telemetry
        tick = self.world.step(command)
        self._pending = command if tick.report is None else _pending_of(tick.telemetry)
        if self._remembers:
            self.history.append(tick.telemetry)
        reward = self.reward_function(tick.outcome, tick.telemetry)
        return Step(self._observe(tick.telemetry, before), tick, reward)

    def _observe(self, telemetry: Telemetry, before: Telemetry) -> Array:
        self._telemetry, self._before = telemetry, before
        if self.forecaster is not None and self.history is not None:
            self._forecast = self.forecaster.forecast(self.history, FORECAST_TICKS)
        self._observation = self.observer(telemetry, before, self._forecast, self._pending)
        return self._observation

    @property
    def telemetry(self) -> Telemetry:
        """The latest observation.

        Raises:
            LifecycleError: Before the first reset.
        """
        if self._telemetry is None:
            raise LifecycleError("nothing to see before reset; call reset() first")
        return self._telemetry

    @property
    def view(self) -> View:
        """What a policy may see now.

        Raises:
            LifecycleError: Before the first reset.
        """
        if self._telemetry is None or self.history is None:
            raise LifecycleError("nothing to see before reset; call reset() first")
        objective_ms = self.scenario.service.latency_objective_ms
        seen = self._telemetry, self._forecast, self._pending, self.history
        constant = self.codec.limits, objective_ms, self.world.tick_s, self._pod_size
        return View(*seen, *constant, self._observation, self.codec)
