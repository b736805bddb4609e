"""The one owner of a live session: a thread that lets time pass, obeys, and draws for whoever can take more.

Everybody else, which is the event loop with the viewers, speaks to it through a bounded queue and reads the newest
picture of a size, which never changes once it is there. A viewer that has not shown what it was sent asks for nothing:
nobody draws for it and nothing waits for it, so that it sees fewer pictures and not older ones.
"""

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final, NamedTuple

from benchmarks.live.messages import Ask, Press, Size
from benchmarks.live.pictures import Picture, draw
from metaverse_env.errors import ConfigurationError, MetaverseError, UnknownNameError
from metaverse_env.live.commands import Command, Quit, Record, Screenshot, SwitchPolicy, SwitchScenario
from metaverse_env.live.controls import meaning
from metaverse_env.live.session import Session

FRAMES_PER_S: Final = 30
"""How often in a second it is looked whether there is another picture, at most [choice]."""

MOST_WAITING: Final = 64
"""Wishes that may wait for the session [choice]: more than a person has within a step."""

LONGEST_STEP_S: Final = 0.25
"""Most time that passes in one step [choice]: after a pause of the whole machine the world does not race."""

Refuse = Callable[[str], None]
Shown = Picture | str
"""A picture, or why there is none."""


class _Order(NamedTuple):
    ask: Ask
    refuse: Refuse


class Stage:
    """Runs a session in a thread of its own.

    Args:
        session: Nobody else may touch it from :meth:`start` to :meth:`stop`.
        changed: Called from the thread when there is another picture, or the end has come.
        seconds: End after so long; ``None`` for never.

    Attributes:
        wanted: Sizes, and whether somebody waits for a picture of each; written by the event loop.
        pictures: The newest one of each size; written by the thread.
        error: What the session raised, if that was its end.
    """

    def __init__(self, session: Session, changed: Callable[[], None], seconds: float | None = None) -> None:
        self._session, self._changed, self._seconds = session, changed, seconds
        self.wanted: Mapping[Size, bool] = {}
        self.pictures: Mapping[Size, Shown] = {}
        self.error: BaseException | None = None
        self._orders: queue.Queue[_Order] = queue.Queue(MOST_WAITING)
        self._numbers = count()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live session", daemon=True)

    def start(self) -> None:
        """Let time pass."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the step that is being made."""
        self._ending.set()
        self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether the session has come to its end: somebody asked for it, or it failed."""
        return self._ending.is_set()

    def ask(self, ask: Ask, refuse: Refuse) -> bool:
        """Hand a wish to the session; return whether there was room for it.

        Args:
            ask: What is wished for.
            refuse: Called from the thread with the reason, if it is refused.
        """
        try:
            self._orders.put_nowait(_Order(ask, refuse))
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        try:
            self._play()
        except BaseException as error:  # noqa: BLE001  raised again by whoever waits for the end
            self.error = error
        self._ending.set()
        self._changed()

    def _play(self) -> None:
        due_s = then_s = time.monotonic()
        end_s = math.inf if self._seconds is None else due_s + self._seconds
        while not (self._ending.is_set() or self._session.ended or then_s >= end_s):
            self._obey()
            now_s = time.monotonic()
            self._session.advance(min(now_s - then_s, LONGEST_STEP_S))
            self._draw()
            then_s, now_s = now_s, time.monotonic()
            due_s = max(due_s + 1.0 / FRAMES_PER_S, now_s)
            self._ending.wait(due_s - now_s)

    def _obey(self) -> None:
        for _ in range(self._orders.qsize()):
            order = self._orders.get_nowait()
            try:
                command = understood(order.ask, self._session)
            except MetaverseError as refusal:
                order.refuse(str(refusal))
            else:
                if command is not None:
                    self._session.apply(command)

    def _draw(self) -> None:
        """Draw for every size that somebody waits for; tell if anything came of it."""
        before, found = self.pictures, dict[Size, Shown]()
        for size, waits in self.wanted.items():
            if waits:
                found[size] = self._shown(size, before.get(size))
            elif size in before:
                found[size] = before[size]
        self.pictures = found
        if any(shown is not before.get(size) for size, shown in found.items()):
            self._changed()

    def _shown(self, size: Size, before: Shown | None) -> Shown:
        try:
            return draw(self._session, size, before if isinstance(before, Picture) else None, next(self._numbers))
        except ConfigurationError as refusal:
            return before if before == str(refusal) else str(refusal)


def understood(ask: Ask, session: Session) -> Command | None:
    """Return the command that a wish from outside means; ``None`` for nothing.

    The names of policies and scenarios are those that the session offers: others, which may name modules and files of
    this machine, are for its owner's command line.

    Raises:
        UnknownNameError: No such control, policy or scenario.
        ConfigurationError: What a page does itself.
    """
    command = meaning(ask.control, session, ask.zone) if isinstance(ask, Press) else ask
    if isinstance(command, SwitchPolicy) and command.name not in session.policies:
        raise UnknownNameError("policy", command.name, session.policies)
    if isinstance(command, SwitchScenario) and command.name not in session.scenarios:
        raise UnknownNameError("scenario", command.name, session.scenarios)
    if isinstance(command, (Screenshot, Record)):
        raise ConfigurationError("a page takes its own screenshots and films")
    if isinstance(command, Quit) and isinstance(ask, Press) and ask.control != "quit":
        return None  # two viewers closed the same panel, and the second one did not mean to end everything
    return command
