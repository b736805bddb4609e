"""Which lines the ticker shows: what happens, answers and failures stay long enough to be read, however fast time goes.

Lines that come with every tick fill what these leave. Time is that of whoever watches, s.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from metaverse_env.rendering.interface import Message
from metaverse_env.rendering.ticker import LINES

LASTING_S: Final = 5.0
"""How long a line that matters stays at least, unless one that matters more needs its place [choice]."""
MOST_LASTING: Final = 3
"""Of the ticker's lines, how many such lines have [choice]; the others tell what comes with every tick."""

_ROUTINE, _EVENT, _TROUBLE, _ANSWER = range(4)
"""How much a line matters."""


class _Line(NamedTuple):
    number: int
    message: Message
    rank: int
    until_s: float


class Board:
    """The lines of a ticker, of all messages that are told."""

    def __init__(self) -> None:
        self._lasting: list[_Line] = []
        self._routine: deque[_Line] = deque(maxlen=LINES)
        self._count = 0

    @property
    def lines(self) -> tuple[Message, ...]:
        """What is to be shown, the oldest first."""
        left = LINES - len(self._lasting)
        chosen = sorted([*self._lasting, *list(self._routine)[-left:]], key=lambda line: line.number)
        return tuple(line.message for line in chosen)

    def tell(self, messages: Iterable[Message], now_s: float) -> None:
        """Take note of messages that are told now."""
        for message in messages:
            line = _Line(self._count, message, _rank(message), now_s + LASTING_S)
            self._count += 1
            if line.rank == _ROUTINE:
                self._routine.append(line)
            else:
                self._pin(line, now_s)

    def _pin(self, line: _Line, now_s: float) -> None:
        said = (line.message.kind, line.message.text)
        self._lasting = [one for one in self._lasting if (one.message.kind, one.message.text) != said]
        if len(self._lasting) == MOST_LASTING:
            leaves = self._leaves(line, now_s)
            if leaves is None:
                return
            self._lasting.remove(leaves)
        self._lasting.append(line)

    def _leaves(self, line: _Line, now_s: float) -> _Line | None:
        """Return which line makes room: the oldest that was read, or matters less; ``None`` if all have to stay."""
        if read := [one for one in self._lasting if one.until_s <= now_s]:
            return read[0]
        least = min(one.rank for one in self._lasting)
        less = [one for one in self._lasting if one.rank == least < line.rank]
        if not less and line.rank == _ANSWER:
            return self._lasting[0]  # somebody asks faster than one can read, and waits for the latest answer
        return less[0] if less else None


def _rank(message: Message) -> int:
    if message.kind == "note":
        return _ANSWER
    if not message.ok:
        return _TROUBLE
    return _EVENT if message.kind in ("event", "real") else _ROUTINE
