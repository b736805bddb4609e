"""Where the ticks of a session come from: a simulation, a cluster, or an episode that was recorded."""

from collections.abc import Sequence
from typing import Protocol

from metaverse_env.envs.shell import Shell, Step
from metaverse_env.live.commands import Inject
from metaverse_env.rendering.interface import Message, SourceState
from metaverse_env.rendering.interface import Source as Kind
from metaverse_env.rendering.snapshot import Wish


class Source(Protocol):
    """What a session shows, tick by tick. Called from one thread; never waits longer than a tick takes to compute.

    Attributes:
        shell: The world as an environment sees it: zones, scenario, telemetry, forecast.
        step: What the latest tick gave; ``None`` before the first.
        ticks: Ticks that are over.
        policy: Name of who decides.
        kind: What it is.
        text: Which one: a cluster, a file; empty for a simulation.
        wishes: What a controller whom nobody obeys asked for at the latest tick, for each zone; else empty.
        paced: Whether ticks come at their own pace, rather than when :meth:`tick` is called.
    """

    shell: Shell
    step: Step | None
    ticks: int
    policy: str
    kind: Kind
    text: str
    wishes: tuple[Wish, ...]
    paced: bool

    @property
    def state(self) -> tuple[SourceState, str]:
        """Whether there are further ticks, and why not, in words."""
        ...

    def tick(self) -> bool:
        """Let one tick pass, or take one that has come; return whether there was one.

        Raises:
            MetaverseError: The policy or the world failed; the source can be asked again.
        """
        ...

    def messages(self) -> Sequence[Message]:
        """Return what the ticker has not been told yet."""
        ...

    def switch_policy(self, name: str) -> None:
        """Let another policy decide.

        Raises:
            MetaverseError: There is none of this name, it cannot run here, or nobody decides here.
        """
        ...

    def switch_scenario(self, name: str) -> None:
        """Start anew in another scenario.

        Raises:
            MetaverseError: There is none of this name, or it cannot be chosen here.
        """
        ...

    def restart(self) -> None:
        """Start the same episode anew.

        Raises:
            MetaverseError: It cannot be lived again.
        """
        ...

    def inject(self, asked: Inject) -> str:
        """Let something happen to the world at a place; return in words what was done.

        Raises:
            MetaverseError: It cannot be done here.
        """
        ...

    def close(self) -> None:
        """End threads and connections."""
        ...
