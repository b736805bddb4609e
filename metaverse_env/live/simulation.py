"""Ticks of a simulated world under a policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from metaverse_env.contracts import Policy, reveal
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ConfigurationError
from metaverse_env.live.archive import Archive
from metaverse_env.live.commands import Inject
from metaverse_env.live.telling import told_of
from metaverse_env.plugins import resolve_own
from metaverse_env.recording.episode import Origin, Recording, take_turn
from metaverse_env.recording.keeping import Keeper
from metaverse_env.rendering.interface import Message, SourceState
from metaverse_env.rendering.interface import Source as Kind
from metaverse_env.rendering.snapshot import Wish
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.injecting import Injection
from metaverse_env.simulator.injecting import Kind as Kinds
from metaverse_env.traces import Trace
from metaverse_env.wrapping import simulated

LOADER: Final = "agents:load"
"""Makes a policy of its name: the floor knows policies by this string."""

MOST_KEPT: Final = 5_760
"""Ticks of an episode that are kept at most: a day of 15 s each [choice]."""

_WORDS: Final = {
    "flash_crowd": "a flash crowd comes to {}",
    "node_failure": "node-{} fails",
    "node_recovery": "node-{} is given back",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How a world is simulated.

    Attributes:
        scenario: A name, a file, or a scenario.
        policy: Who decides, as the loader of policies knows it.
        seed: Of the world; with the same commands it gives the same pictures.
        dynamics: ``"stgnn"``, ``"physics"`` or ``"trace"``.
        forecaster: ``"stgnn"``, ``"persistence"`` or ``"none"``.
        trace: Users, for ``dynamics="trace"``.
    """

    scenario: str | Scenario = "multi_zone"
    policy: str = "threshold"
    seed: int = 0
    dynamics: str = "stgnn"
    forecaster: str = "stgnn"
    trace: Trace | None = None

    def shell(self) -> Shell:
        """Make the world.

        Raises:
            MetaverseError: It cannot be.
        """
        made = Shell(self.scenario, 1, self.dynamics, self.forecaster, trace=self.trace, remember=True)
        if (world := simulated(made.world)) is not None:
            world.watch()
        made.reset([self.seed])
        return made


class Simulation:
    """A :class:`~metaverse_env.live.sources.Source` that computes its ticks when they are asked for.

    Args:
        terms: How.
        keep: Whether to keep its episode, up to :data:`MOST_KEPT` ticks, for :meth:`recording`.
        archive: Takes every kept episode when another one begins, and at the end; see :meth:`put_away`.

    Raises:
        MetaverseError: What cannot be made.
    """

    kind: Kind = "simulation"
    text = ""
    wishes: tuple[Wish, ...] = ()
    paced = False
    state: tuple[SourceState, str] = ("live", "")

    def __init__(self, terms: Terms, keep: bool = False, archive: Archive | None = None) -> None:
        self.terms, self.archive = terms, archive
        self._kept, self._deciders = Keeper() if keep or archive is not None else None, [terms.policy]
        self.shell, self.policy = terms.shell(), terms.policy
        self.step: Step | None = None
        self.ticks = 0
        self.injections: list[Injection] = []
        self._messages: list[Message] = []
        self._policy = self._loaded(terms.policy, self.shell)

    def _loaded(self, name: str, shell: Shell) -> Policy:
        policy: Policy = resolve_own("policies", LOADER)(name)
        reveal(policy, shell.world)
        policy.reset(shell.world.zones, 1)
        return policy

    def tick(self) -> bool:
        """Let the policy decide, and a tick pass."""
        turn = take_turn(self.shell, self._policy, self.ticks)
        self.step = turn.step
        self.ticks += 1
        self._messages += told_of(turn, "simulated", self.shell.world.zones.names)
        if self._kept is not None and len(self._kept) < MOST_KEPT:
            self._kept.add(turn)
        return True

    def recording(self) -> Recording:
        """Return the episode so far, as far as it was kept.

        Raises:
            ConfigurationError: It was not kept, or had no tick.
        """
        if self._kept is None:
            raise ConfigurationError("the episode was not kept; make the simulation with keep=True")
        trace = self.terms.trace
        file, scale = (None, 1.0) if trace is None else (trace.source, trace.scale)
        who, done = ", then ".join(self._deciders), tuple(self.injections)
        origin = Origin(self.terms.dynamics, file, scale, who, injections=done, forecaster=self.terms.forecaster)
        return self._kept.recording(self.shell, [self.terms.seed], origin)

    def messages(self) -> Sequence[Message]:
        """Return what the ticker has not been told yet."""
        told, self._messages = self._messages, []
        return told

    def switch_policy(self, name: str) -> None:
        """Let another policy decide from the next tick on."""
        self._policy, self.policy = self._loaded(name, self.shell), name
        self._deciders.append(name)

    def switch_scenario(self, name: str) -> None:
        """Start anew in another scenario with the same seed, under the same policy."""
        if self.terms.trace is not None:
            raise ConfigurationError("the users come from a trace, which is of one scenario; start again without it")
        self._begin(replace(self.terms, scenario=load_scenario(name), policy=self.policy))

    def restart(self) -> None:
        """Start the same episode anew, under the policy that decides now."""
        self._begin(replace(self.terms, policy=self.policy))

    def put_away(self) -> Path | None:
        """Save the episode so far in the archive; return where, or ``None`` if there is nothing to save.

        Raises:
            ConfigurationError: It cannot be written.
        """
        if self.archive is None or not self._kept:
            return None
        path = self.archive.add(self.recording())
        self._kept = Keeper()  # saved once
        return path

    def _begin(self, terms: Terms) -> None:
        shell = terms.shell()
        policy, saved = self._loaded(terms.policy, shell), self.put_away()
        if saved is not None:
            text = f"the episode before is kept in {saved}; this one goes to another file"
            self._messages.append(Message(float(shell.telemetry.weather["time_s"][0]), "note", text))
        self._policy = policy
        self.terms, self.shell, self.step, self.ticks = terms, shell, None, 0
        self._kept, self._deciders = None if self._kept is None else Keeper(), [terms.policy]
        self.injections.clear()

    def inject(self, asked: Inject) -> str:
        """Let a crowd come, a node fail, or a node that failed come back."""
        world, place = simulated(self.shell.world), asked.place
        if world is None or place is None:
            raise ConfigurationError(f"{asked.kind} needs a simulated world, and a place in it")
        kind: Kinds = "flash_crowd"
        if asked.kind != kind:
            lost = 0 <= place < world.zones.nodes and world.state.nodes["lost_s"][0, place] > 0.0
            kind = "node_recovery" if lost else "node_failure"
        injection = Injection(kind, place, self.ticks)
        if not world.inject(injection):
            raise ConfigurationError(f"zone {world.zones.names[place]} has an event or a flash crowd already")
        self.injections.append(injection)
        return _WORDS[kind].format(world.zones.names[place] if kind == "flash_crowd" else place + 1)

    def close(self) -> None:
        """Nothing is open."""
