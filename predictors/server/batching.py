"""A bounded queue in front of one forecaster: whatever waits when it is free is done together.

There is no fixed wait: the first of a batch waits until the event loop has heard everyone whose request was already
there, which is as long as a turn of the loop, and the others as long as the forecaster is busy. It works in a thread
beside the loop, unless it is so quick that the way to the thread and back would take longer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple

from predictors.server.engine import Result, Work
from predictors.server.problems import RETRY_S, ProblemError, unavailable

QUICK_S: Final = 0.001
"""Work is done by the loop itself while the last batch took less: shorter than a turn of a loaded loop, s [choice]."""
SWEEP_S: Final = 0.1
"""How often a full queue is searched for callers who have gone, s [choice]."""


class Job(NamedTuple):
    """Work that waits, who waits for it, and how to ask whether they still do."""

    item: Work
    future: asyncio.Future[Result]
    gone: Callable[[], Awaitable[bool]]


class Batcher:
    """Takes work from the event loop's tasks to the thread, and results back.

    Args:
        most: Items that may wait.
        on_batch: Is told the size of every batch.
    """

    def __init__(self, most: int, on_batch: Callable[[int], Any]) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="forecaster")
        self._most, self._on_batch = most, on_batch
        self._work: Callable[[Sequence[Work]], list[Result]] = _nobody
        self._waiting: list[Job] = []
        self._busy = False
        self._took_s = QUICK_S  # not known before the first
        self._swept_s = 0.0

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._waiting)

    def start(self, work: Callable[[Sequence[Work]], list[Result]]) -> None:
        """Let work be done by a function, which returns one result for each item and never raises."""
        self._work = work

    async def results(self, items: Sequence[Work], gone: Callable[[], Awaitable[bool]]) -> list[Result]:
        """Return the results of items that are queued together.

        Args:
            items: One or more.
            gone: Tells whether nobody waits for them any more.

        Raises:
            ProblemError: 429, the queue is full.
        """
        if len(self._waiting) + len(items) > self._most:
            await self._sweep()
        if len(self._waiting) + len(items) > self._most:
            headers = {"Retry-After": str(RETRY_S)}
            raise ProblemError(429, f"More than {self._most} reports would wait; come back later.", headers)
        loop = asyncio.get_running_loop()
        jobs = [Job(item, loop.create_future(), gone) for item in items]
        self._waiting += jobs
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next, loop)
        return [await job.future for job in jobs]

    def close(self) -> None:
        """Let the thread end, and answer whoever still waits, or comes yet, that nobody works any more."""
        self._work, self._took_s = _nobody, 0.0
        self.thread.shutdown()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin what waits, if anything does."""
        batch, self._waiting = [job for job in self._waiting if not job.future.done()], []
        self._busy = bool(batch)
        if not self._busy:
            return
        self._on_batch(len(batch))
        items = [job.item for job in batch]
        if self._took_s < QUICK_S:
            _settle(batch, self._timed(items))
            self._busy = False
        else:
            call = loop.run_in_executor(self.thread, self._timed, items)
            call.add_done_callback(partial(self._finish, loop, batch))

    def _finish(self, loop: asyncio.AbstractEventLoop, batch: list[Job], call: asyncio.Future[list[Result]]) -> None:
        _settle(batch, call.result())
        self._next(loop)

    def _timed(self, items: Sequence[Work]) -> list[Result]:
        start_s = time.perf_counter()
        results = self._work(items)
        self._took_s = time.perf_counter() - start_s
        return results

    async def _sweep(self) -> None:
        """Drop the work that nobody waits for any more."""
        now_s = time.monotonic()
        if now_s - self._swept_s < SWEEP_S:
            return
        self._swept_s = now_s
        for job in list(self._waiting):
            if await job.gone() and not job.future.done():
                job.future.set_result(unavailable("Nobody waits for the answer."))
        self._waiting = [job for job in self._waiting if not job.future.done()]


def _nobody(items: Sequence[Work]) -> list[Result]:
    return [unavailable("There is no model at work.")] * len(items)


def _settle(batch: Sequence[Job], results: Sequence[Result]) -> None:
    """Give everyone who still waits their result."""
    for job, result in zip(batch, results, strict=True):
        if not job.future.done():
            job.future.set_result(result)
