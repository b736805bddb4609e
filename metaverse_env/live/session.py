"""One owner of what is shown and how it goes on: time, choices, ticker, picture. Pure but for its source."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from metaverse_env.errors import MetaverseError
from metaverse_env.live.board import Board
from metaverse_env.live.calling import ServerCalls
from metaverse_env.live.commands import Command
from metaverse_env.live.controls import meaning
from metaverse_env.live.looking import Onlooker, happened, stated
from metaverse_env.live.obeying import DO, checked_speed, with_name
from metaverse_env.live.pictures import Pictures
from metaverse_env.live.sources import Source
from metaverse_env.rendering.interface import KEYS, Interface, Message
from metaverse_env.rendering.layout import REFERENCE
from metaverse_env.rendering.shapes import Scene
from metaverse_env.rendering.snapshot import Snapshot
from metaverse_env.scenario.catalogue import SCENARIOS

POLICIES: Final = ("static", "threshold", "hpa", "keda", "vpa", "pid", "forecast", "mpc", "mappo", "hold")
"""What the control for policies goes through; any other can be asked for by name."""

TICKS_PER_S: Final = 2.0
"""How fast a session starts [choice]: a tick of 15 s in half a second, slow enough to follow a user with the eye."""

_SHORT: Final = 300
"""Characters of a message that the ticker is told at most [choice]."""


class Session:
    """What whoever watches looks at. Not for several threads at once.

    ::

        session = Session(Simulation(Terms("complex", policy="mpc", seed=3)))
        session.apply(Inject("flash_crowd", 4))
        session.advance(1.0 / 30.0)
        scene = session.frame((1280, 720))

    Args:
        source: Where its ticks come from; is closed with it.
        ticks_per_s: How fast time passes at first.
        scenario: What the source plays, as it can be asked for by name; the scenario's own name if empty.
        policies: Names that the control for policies goes through.
        scenarios: The same for scenarios.
        calls: A prediction server that is told of every tick.

    Attributes:
        interface: What is chosen and told.
        phase: How far between the last tick (0) and the present one (1) the picture is.
        ended: Whether somebody asked to end it.
        snapshot: What is shown of the world.
        error: What went wrong in the latest tick, if something did.
        photos_due: Screenshots that were asked for and not taken yet; whoever shows pictures takes them.
    """

    source: Source
    calls: ServerCalls | None
    interface: Interface
    scenario: str
    policies: tuple[str, ...]
    scenarios: tuple[str, ...]
    phase: float
    ended: bool
    photos_due: int
    snapshot: Snapshot
    error: MetaverseError | None

    def __init__(
        self,
        source: Source,
        *,
        ticks_per_s: float = TICKS_PER_S,
        scenario: str = "",
        policies: Sequence[str] = POLICIES,
        scenarios: Sequence[str] = tuple(SCENARIOS),
        calls: ServerCalls | None = None,
    ) -> None:
        self.source, self.calls = source, calls
        self.scenario = scenario or source.shell.scenario.name
        self.policies, self.scenarios = with_name(source.policy, policies), with_name(self.scenario, scenarios)
        self.interface = Interface(ticks_per_s=checked_speed(ticks_per_s), policy=source.policy)
        self.phase, self.ended, self.photos_due, self.error = 1.0, False, 0, None
        self._onlooker, self._pictures, self._board = Onlooker(), Pictures(), Board()
        self._changed, self._passed_s = True, 0.0
        self.snapshot = self._onlooker.look(source)
        self._tell_state()

    def apply(self, command: Command) -> bool:
        """Do what a command says. What cannot be done is told in the ticker, and nothing else changes.

        Returns:
            Whether it was done.
        """
        self._changed = True
        try:
            DO[type(command)](self, command)
        except MetaverseError as refusal:
            self.note(str(refusal), ok=False)
            return False
        self._tell_state()
        return True

    def press(self, key: str) -> bool:
        """Do what a key of :data:`~metaverse_env.rendering.interface.KEYS` means; return whether it means anything."""
        known = key in KEYS
        return known and (self.apply(meaning(KEYS[key], self)) or known)

    def click(self, x: float, y: float, size: tuple[int, int] = REFERENCE, **looks: bool) -> bool:
        """Do what a click on the picture of a size means; return whether it means anything.

        Args:
            x: To the right, px.
            y: Downwards, px.
            size: Of the picture that was clicked.
            **looks: Of it; see :meth:`frame`.
        """
        hit = self.frame(size, **looks).hit(x, y)
        if hit is not None and hit.name != "panel":  # which only keeps clicks from what lies below it
            self.apply(meaning(hit.name, self, hit.zone))
        return hit is not None

    def note(self, text: str, ok: bool = True) -> None:
        """Tell something in the ticker."""
        self._tell([Message(self.snapshot.time_s, "note", text if len(text) <= _SHORT else text[:_SHORT] + "…", ok)])

    def advance(self, dt_s: float) -> bool:
        """Let time pass.

        Args:
            dt_s: How much, s of whoever watches; every tick that falls into it is computed.

        Returns:
            Whether there is another picture than after the last call.
        """
        self._passed_s += dt_s
        moved = not self.interface.paused and self._move(dt_s)
        self._listen()
        changed, self._changed = self._changed or moved, False
        return changed

    def _move(self, dt_s: float) -> bool:
        before = self.phase
        if self.source.paced:
            self.phase = 0.0 if self.tick() else min(1.0, before + dt_s / self.snapshot.tick_s)
            return self.phase != before
        self.phase += dt_s * self.interface.ticks_per_s
        while self.phase >= 1.0 and not self.interface.paused:
            if not self.tick():
                self.phase = 1.0
                break
            self.phase -= 1.0
        return self.phase != before

    def tick(self) -> bool:
        """Let the source tick once, at once; what goes wrong in it pauses the session.

        Returns:
            Whether there was a tick.
        """
        try:
            if not self.source.tick():
                return False
        except MetaverseError as error:
            self.error = error
            self.note(str(error), ok=False)
            self.interface = replace(self.interface, paused=True)
            return False
        self.error = None
        self._look()
        if self.calls is not None:
            self.calls.report(self.source.shell, self.focus)
        return True

    def begin(self) -> None:
        """Show the source from its start, as after a change of the scenario."""
        self.interface, self._board = replace(self.interface, selected=None, messages=(), board=()), Board()
        self.phase = 1.0
        self._look()

    def _look(self) -> None:
        """Take note of a tick."""
        self._changed = True
        self.snapshot = self._onlooker.look(self.source)
        self._tell([*self.source.messages(), *happened(self.snapshot)])
        self._tell_state()

    def _listen(self) -> None:
        """Hear what a server has answered meanwhile, and what became of the source."""
        if self.calls is not None:
            self._tell(self.calls.messages())
        self._tell_state()

    def _tell(self, messages: Sequence[Message]) -> None:
        if messages:
            self._board.tell(messages, self._passed_s)
            self.interface, self._changed = self.interface.told(*messages, board=self._board.lines), True

    def _tell_state(self) -> None:
        told = stated(self.interface, self.source, self.calls)
        if told != self.interface:
            self.interface, self._changed = told, True

    def frame(self, size: tuple[int, int] = REFERENCE, *, controls: bool = True, any_script: bool = False) -> Scene:
        """Describe the picture now.

        Args:
            size: Width and height, px.
            controls: Whether it has buttons.
            any_script: Whether whoever draws it has letters of all scripts.

        Raises:
            ConfigurationError: It is too small for its texts.
        """
        interface = replace(self.interface, controls=controls, any_script=any_script)
        scene = self._pictures.scene(self.snapshot, self.source.shell.world.zones, interface, size)
        return scene.at(min(self.phase, 1.0))

    @property
    def over(self) -> bool:
        """Whether nothing more will come: somebody ended it, or the last tick of the source has been shown."""
        return self.ended or (self.source.state[0] == "ended" and self.phase >= 1.0)

    @property
    def policy(self) -> str:
        """Name of who decides."""
        return self.source.policy

    @property
    def focus(self) -> int:
        """The zone that matters: the selected one, else the one with the most users."""
        if self.interface.selected is not None:
            return self.interface.selected
        return int(np.argmax([zone.users for zone in self.snapshot.zones]))

    def take_photo(self) -> bool:
        """Return whether a screenshot is to be taken now, and count it as taken."""
        due = self.photos_due > 0
        self.photos_due -= due
        return due

    def close(self) -> None:
        """End threads and connections."""
        self.source.close()
        if self.calls is not None:
            self.calls.close()
