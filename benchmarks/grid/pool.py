"""Processes that share the work of a grid, and a parent that ends those whose policy thinks for ever.

The pools of the standard library end as a whole when one process is killed, and cannot look into a piece of work to see
how long one decision of it takes; so this one is our own.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Final, NamedTuple, Self

from benchmarks.conditions import Conditions
from benchmarks.grid.worker import Gauge, Piece, quiet_start, work
from benchmarks.scores import Scores
from metaverse_env.errors import MetaverseError, PolicyError

LOOK_S: Final = 0.1
"""How often the parent looks at clocks and progress [choice]."""
LAST_S: Final = 5.0
"""How long a process that has nothing left to do may take to end [choice]."""
_CONTEXT: Final = multiprocessing.get_context("spawn")
"""Not forked: a forked child would inherit threads' locks, and compiled code that is being written."""


class Report(NamedTuple):
    """What came of a piece of work: its scores, or what went wrong."""

    piece: Piece
    found: Scores | MetaverseError


class _Process:
    """One process and what it is working on."""

    def __init__(self, conditions: Sequence[Conditions]) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        numbers = _CONTEXT.RawArray("d", Gauge.SIZE)
        self.gauge, self._seen = Gauge(numbers), 0
        self.piece: Piece | None = None
        self._process = _CONTEXT.Process(target=work, args=(theirs, numbers, tuple(conditions)), daemon=True)
        with quiet_start():
            self._process.start()
        theirs.close()

    def give(self, piece: Piece) -> None:
        self.piece = piece
        self.connection.send(piece)

    def answer(self) -> Report:
        """Return what it answers; where it ended instead, say so."""
        piece = self._let_go()
        try:
            return Report(piece, self.connection.recv())
        except (EOFError, ConnectionError):
            self._process.join()
            fault = f"its process ended with exit code {self._process.exitcode}; what it wrote before stands above"
            return Report(piece, PolicyError(f"policy {piece.policy!r}: {fault}"))

    def overdue(self, limit_s: float) -> bool:
        return self.piece is not None and self.gauge.thinking_s > limit_s

    def give_up(self, limit_s: float) -> Report:
        """End a process whose policy does not come to a decision."""
        tick = self.gauge.tick
        self.end(at_once=True)
        piece = self._let_go()
        where = "its reset" if tick is None else f"its decision at tick {tick}"
        return Report(
            piece,
            PolicyError(
                f"policy {piece.policy!r}: {where} took more than {limit_s:g} s, in the worlds of seeds "
                f"{piece.seeds[0]} to {piece.seeds[-1]}, and was ended. If it needs longer, raise --decision-limit-s."
            ),
        )

    def _let_go(self) -> Piece:
        if self.piece is None:
            raise RuntimeError("a process without work has nothing to answer")
        piece, self.piece = self.piece, None
        return piece

    def more_ticks(self) -> int:
        """Return how many ticks passed since the last time."""
        before, self._seen = self._seen, self.gauge.ticks
        return self._seen - before

    @property
    def lives(self) -> bool:
        return self._process.is_alive()

    def end(self, at_once: bool = False) -> None:
        if not at_once and self.lives:
            self.connection.send(None)
            self._process.join(LAST_S)
        self._process.kill()
        self._process.join()


class Pool:
    """Runs pieces of work in processes; use it as a context, which ends them all.

    Args:
        conditions: What pieces refer to by number.
        jobs: How many processes.
        limit_s: The longest that a policy may think at a time, s.
        progress: Told who lived how many more ticks.
    """

    def __init__(
        self,
        conditions: Sequence[Conditions],
        jobs: int,
        limit_s: float,
        progress: Callable[[str, int], object] = lambda policy, ticks: None,
    ) -> None:
        self.conditions, self.jobs, self.limit_s, self.progress = tuple(conditions), jobs, limit_s, progress
        self._processes: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.end(at_once=process.piece is not None)

    def run(self, pieces: Sequence[Piece]) -> Iterator[Report]:
        """Yield what comes of each piece, as it comes.

        Where a policy failed in a condition, its other blocks there are left out: they would fail too, and hanging
        takes long.
        """
        left = deque(pieces)
        while left or self._busy:
            self._hand_out(left)
            for report in self._reports():
                if isinstance(report.found, MetaverseError):
                    left = deque(piece for piece in left if piece[:2] != report.piece[:2])
                yield report

    def finished(self) -> Iterator[Report]:
        """Yield what is finished by now and nobody has taken yet: for whoever is interrupted."""
        for process in self._busy:
            if process.connection.poll():
                yield process.answer()

    @property
    def _busy(self) -> list[_Process]:
        return [process for process in self._processes if process.piece is not None]

    def _hand_out(self, left: deque[Piece]) -> None:
        self._processes = [process for process in self._processes if process.lives]
        idle = [process for process in self._processes if process.piece is None]
        while left and (idle or len(self._processes) < self.jobs):
            if not idle:
                self._processes.append(_Process(self.conditions))
                idle.append(self._processes[-1])
            idle.pop().give(left.popleft())

    def _reports(self) -> Iterator[Report]:
        """Wait a moment; yield who is ready, and who takes too long."""
        wait([process.connection for process in self._busy], LOOK_S)
        for process in self._busy:
            if process.piece is not None and (ticks := process.more_ticks()):
                self.progress(process.piece.policy, ticks)
            if process.connection.poll():
                yield process.answer()
            elif process.overdue(self.limit_s):
                yield process.give_up(self.limit_s)
