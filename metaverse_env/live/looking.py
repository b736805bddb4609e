"""What a session sees of its source: the world after each tick, who decides, and whether it answers."""

from dataclasses import replace

from metaverse_env.envs.shell import Step
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.sources import Source
from metaverse_env.rendering.interface import Interface, Message
from metaverse_env.rendering.news import news
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.snapshot import Snapshot, Trail


class Onlooker:
    """Looks at a source, and remembers its episode as far as a picture does."""

    def __init__(self) -> None:
        self._trail = Trail()
        self._seen: Step | None = None

    def look(self, source: Source) -> Snapshot:
        """Return the world after the latest tick; a source without one is at the start of an episode."""
        step = source.step
        if step is None:
            self._trail = Trail()
        elif step is not self._seen:
            self._trail = self._trail.extended(step.reward)
        self._seen = step
        snapshot = read_shell(source.shell, step, self._trail)
        self._trail = snapshot.trail
        return replace(snapshot, wishes=source.wishes) if source.wishes else snapshot


def happened(snapshot: Snapshot) -> list[Message]:
    """Return what befell the world in its tick, for the ticker; what was asked for it is told by its source."""
    trail = snapshot.trail
    fresh = [event for event in trail.recent() if event.tick == trail.tick and event.kind not in ("more", "less")]
    return [Message(line.time_s, "event", line.words, not line.bad) for line in news(snapshot, fresh)]


def stated(interface: Interface, source: Source, calls: ServerCalls | None) -> Interface:
    """Return the interface with what is to be said of the source, and of a server that is told of it."""
    kind, text = (source.kind, source.text) if calls is None else ("server", calls.url)
    state, words = source.state
    if calls is not None and state == "live":
        state, words = calls.state
    return replace(
        interface,
        policy=source.policy,
        scenario=source.shell.scenario.name,
        source=kind,
        source_text=text,
        state=state,
        state_text=words,
    )
