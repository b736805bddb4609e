"""What a process of the pool does: blocks of worlds under a policy, one after the other, on one thread."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from benchmarks.clock import DecisionClock
from benchmarks.conditions import Conditions
from benchmarks.scores import Scores
from benchmarks.suite import load_policy, run_block
from metaverse_env.errors import MetaverseError

THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""How libraries are told to keep to one thread: processes share the cores already."""


class Piece(NamedTuple):
    """A piece of work: a policy in a block of worlds.

    Attributes:
        condition: Which of the grid's conditions.
        policy: Its name.
        seeds: One world each, at most a block.
    """

    condition: int
    policy: str
    seeds: tuple[int, ...]


class Gauge:
    """What a process lets its parent see while it works, in memory that both share.

    Args:
        numbers: Of doubles, three: since when its policy thinks (monotonic s, 0 while it does not), how many of its
            thoughts are over, and how many ticks it has lived since it started.
    """

    SIZE: Final = 3

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    @property
    def thinking_s(self) -> float:
        """How long its policy has been thinking by now, s."""
        since_s: float = self._numbers[0]
        return time.monotonic() - since_s if since_s else 0.0

    @property
    def tick(self) -> int | None:
        """For which tick of the episode the policy is deciding; ``None`` in its reset, before the first."""
        return None if self._numbers[1] < 1.0 else int(self._numbers[1]) - 1

    @property
    def ticks(self) -> int:
        """How many ticks the process has lived."""
        return int(self._numbers[2])

    def begin(self) -> None:
        """A piece of work begins: nothing is thought yet."""
        self._numbers[1] = 0.0

    def think(self) -> None:
        """The policy begins to think."""
        self._numbers[0] = time.monotonic()

    def thought(self) -> None:
        """It is done."""
        self._numbers[0] = 0.0
        self._numbers[1] += 1.0

    def lived(self) -> None:
        """One more tick is over."""
        self._numbers[2] += 1.0


class WatchedClock(DecisionClock):
    """A clock whose hands the parent sees."""

    def __init__(self, gauge: Gauge) -> None:
        super().__init__()
        self._gauge = gauge

    def __enter__(self) -> Self:
        self._gauge.think()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, where)
        self._gauge.thought()


def work(connection: Connection, numbers: Any, conditions: Sequence[Conditions]) -> None:
    """Take pieces until there is none, and answer each with its scores or with what went wrong.

    Policies are made anew for every piece: what a piece gives does not depend on which process takes it, or when.
    """
    gauge = Gauge(numbers)
    shell = cache(lambda condition, worlds: conditions[condition].shell(worlds))
    with suppress(EOFError, BrokenPipeError):  # the parent was killed, and nobody wants to know any more
        while (piece := connection.recv()) is not None:
            connection.send(_answer(piece, conditions[piece.condition], shell, gauge))


def _answer(piece: Piece, terms: Conditions, shell: Any, gauge: Gauge) -> Scores | MetaverseError:
    gauge.begin()
    clock = WatchedClock(gauge)
    try:
        policy = load_policy(piece.policy, terms.scenario)
        worlds = shell(piece.condition, len(piece.seeds))
        return run_block(terms, piece.policy, policy, worlds, piece.seeds, gauge.lived, clock)
    except MetaverseError as error:
        return error


@contextmanager
def quiet_start() -> Iterator[None]:
    """Start processes that keep to one thread and leave Ctrl-C to their parent; both are inherited."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    mine = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if mine else None
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
