"""Ticks of a cluster, only looked at: what a policy would ask for is told and never written."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from benchmarks.live.worker import Worker
from bridges.clock import SystemClock
from bridges.cluster import ClusterWorld
from bridges.connecting import Site
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ClusterError, ConfigurationError
from metaverse_env.live.commands import Inject
from metaverse_env.live.simulation import LOADER
from metaverse_env.live.telling import changed, told_of
from metaverse_env.plugins import resolve_own
from metaverse_env.recording.episode import Turn, take_turn
from metaverse_env.rendering.interface import Message, SourceState
from metaverse_env.rendering.interface import Source as Kind
from metaverse_env.rendering.reading import wishes_of
from metaverse_env.rendering.snapshot import Wish

PATIENCE_S: Final = 5.0
"""How long a reading that is under way is waited for before a new start, and at the end [choice]."""


def _shell(site: Site, forecaster: str, scenario: str | None, tick_s: float | None) -> Shell:
    """Return a cluster as it is now, as an environment sees it; nothing can be written through it."""
    world = ClusterWorld(site.cluster, site.telemetry, scenario=scenario, tick_s=tick_s, clock=site.clock)
    shell = Shell(world.scenario, forecaster=forecaster, world=world, remember=True)
    shell.reset([None])
    return shell


class ClusterSource:
    """A :class:`~metaverse_env.live.sources.Source` that watches a cluster.

    Of a real cluster, a thread waits for each tick, so that the picture does not; in one in memory time passes when a
    tick is asked for. Nothing is ever written: the world is made without ``apply``.

    Args:
        site: The cluster, what measures it, and their clock.
        text: Which one, in words.
        policy: Whose wishes are told.
        forecaster: What is believed of the future.
        tick_s: Length of a tick, s; the scenario's when ``None``.
        scenario: Prices, objective and limits.
        paced: Whether time passes by itself, as in a real cluster.

    Raises:
        MetaverseError: It cannot be read.
    """

    kind: Kind = "cluster"

    def __init__(
        self,
        site: Site,
        text: str,
        policy: str,
        *,
        forecaster: str = "stgnn",
        tick_s: float | None = None,
        scenario: str | None = None,
        paced: bool = True,
    ) -> None:
        self.text, self.paced, self.policy = text, paced, policy
        self._clock, self._made = site.clock, partial(_shell, site, forecaster, scenario, tick_s)
        self._worker: Worker[Turn] | None = None
        self.restart()
        self._worker = Worker() if paced else None

    def restart(self) -> None:
        """Look anew: at the zones that there are now.

        Raises:
            ClusterError: The cluster cannot be read.
        """
        if self._worker is not None and not self._left_alone(self._worker):
            raise ClusterError(f"the cluster is being read for more than {PATIENCE_S:g} s; try again")
        self.shell = self._made()
        self.step: Step | None = None
        self.ticks, self.wishes = 0, tuple[Wish, ...]()
        self._decides = self._loaded(self.policy)
        self._messages: list[Message] = []
        self._wish, self._problem = "", ""
        self._gone: tuple[str, ...] = ()

    def _loaded(self, name: str) -> Policy:
        policy: Policy = resolve_own("policies", LOADER)(name)
        if getattr(policy, "clairvoyant", False):
            raise ConfigurationError(f"policy {name!r} is told a simulated world's future; a cluster has none")
        policy.reset(self.shell.world.zones, 1)
        return policy

    @property
    def state(self) -> tuple[SourceState, str]:
        """Whether the cluster answers."""
        if self._problem:
            return "away", self._problem
        return ("waiting", "no tick has come yet") if self.paced and self.step is None else ("live", "")

    def tick(self) -> bool:
        """Take a tick that has come, or let the next one come."""
        if self._worker is None:
            self._take(self._turn())
            return True
        found = self._worker.result()
        if found is None:
            self._worker.begin(self._turn)  # unless it is under way
            return False
        self._take(found)
        return True

    def _turn(self) -> Turn:
        return take_turn(self.shell, self._decides, self.ticks)

    def _take(self, turn: Turn) -> None:
        self.step = turn.step
        self.ticks, self.wishes = self.ticks + 1, wishes_of(turn.view, turn.command)
        names, tick = self.shell.world.zones.names, turn.step.tick
        self._messages += told_of(turn, "real", names)
        time_s = float(tick.telemetry.weather["time_s"][0])
        wish = changed(turn.view.telemetry.zones["pending"][0], turn.command.allocation[0], names) or ""
        if wish not in ("", self._wish):
            self._messages.append(Message(time_s, "dry-run", f"{self.policy} would ask: {wish}"))
        self._wish = wish
        self._report(tick.report or {}, time_s)

    def _report(self, report: Mapping[str, Any], time_s: float) -> None:
        """Tell what failed, and which zones came or went."""
        problem = "; ".join(report.get("errors", ()))
        if problem and problem != self._problem:
            self._messages.append(Message(time_s, "real", problem, ok=False))
        self._problem = problem
        others = (*report.get("new", ()), *report.get("gone", ()))
        if others and others != self._gone:
            words = f"zones came or went: {', '.join(others[:4])}{', …' * (len(others) > 4)}; start anew to see them"
            self._messages.append(Message(time_s, "note", words, ok=False))
        self._gone = others

    def messages(self) -> Sequence[Message]:
        """Return what the ticker has not been told yet."""
        told, self._messages = self._messages, []
        return told

    def switch_policy(self, name: str) -> None:
        """Tell another policy's wishes, from the next tick on."""
        self._decides, self.policy = self._loaded(name), name  # a decision that is under way is the old one's

    def switch_scenario(self, name: str) -> None:
        """Refuse: a cluster is what it is."""
        raise ConfigurationError(f"a cluster plays no scenario; see {name} in a simulation")

    def inject(self, asked: Inject) -> str:
        """Refuse: a cluster is only looked at."""
        raise ConfigurationError(f"a cluster is only looked at; {asked.kind} is for a simulation")

    def _left_alone(self, worker: Worker[Turn]) -> bool:
        """Let nobody wait for a tick any more, so that the cluster is read by one thread at a time."""
        if isinstance(self._clock, SystemClock):
            self._clock.wake()
        return worker.idle_within(PATIENCE_S)

    def close(self) -> None:
        """End the thread, which may be waiting for a tick."""
        if self._worker is not None:
            if isinstance(self._clock, SystemClock):
                self._clock.stop()
            self._worker.close(PATIENCE_S)
