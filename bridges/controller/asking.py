"""Asking a policy within a time: what it raises, says wrongly or does not say in time is a fault, never a stop."""

import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from bridges.shield.validity import fault_of
from metaverse_env.contracts import Policy, View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
TIMED_OUT: Final = "Timeout"


class Answer(NamedTuple):
    """A command, or why there is none: a code and words."""

    command: Command | None
    code: str = ""
    fault: str = ""


class Asker:
    """Asks one policy, in a thread of its own.

    A policy that does not come back in time is not asked again before it has; what it says then is thrown away, and it
    starts anew.

    Args:
        policy: Who is asked.
        timeout_s: How long it may think.
    """

    def __init__(self, policy: Policy, timeout_s: float) -> None:
        self.policy, self._timeout_s = policy, timeout_s
        self._zones: ZoneGraph | None = None
        self._orders: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Answer]] | None] = (
            queue.SimpleQueue()
        )
        self._late: queue.SimpleQueue[Answer] | None = None
        self._fresh = False
        self._thread = threading.Thread(target=self._work, name="policy", daemon=True)
        self._thread.start()

    def reset(self, zones: ZoneGraph) -> None:
        """Let the policy begin anew with these zones, when it is asked next."""
        self._zones, self._fresh = zones, False

    def ask(self, view: View) -> Answer:
        """Return the policy's command for what is seen."""
        if self._busy():
            return Answer(None, TIMED_OUT, f"still thinks about an earlier cycle; limit {self._timeout_s:g} s")
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._orders.put((lambda: self._decide(view), answers))
        try:
            answer = answers.get(timeout=self._timeout_s)
        except queue.Empty:
            self._late = answers
            return Answer(None, TIMED_OUT, f"no answer within {self._timeout_s:g} s")
        return self._checked(answer, view)

    def close(self) -> None:
        """Ask no more."""
        self._orders.put(None)

    def _busy(self) -> bool:
        if self._late is None:
            return False
        if self._late.empty():
            return True
        self._late, self._fresh = None, False
        return False

    def _checked(self, answer: Answer, view: View) -> Answer:
        if answer.fault or self._zones is None:
            return answer
        fault = fault_of(answer.command, self._zones.names, view.limits[1])
        return Answer(None, "Invalid", fault) if fault else answer

    def _decide(self, view: View) -> Any:
        if not self._fresh and self._zones is not None:
            self.policy.reset(self._zones, 1)
            self._fresh = True
        return self.policy.act(view)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            decide, answers = order
            try:
                answers.put(Answer(decide()))
            except Exception as error:  # noqa: BLE001  # a policy is somebody else's code: whatever it raises is a fault
                place = traceback.extract_tb(error.__traceback__)[-1]
                words = f"{type(error).__name__} in {place.name}:{place.lineno}: {error}"
                answers.put(Answer(None, "Raised", words))
