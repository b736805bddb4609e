"""A bounded queue in front of one thread: whatever waits when the thread is free is done together.

There is no fixed wait: the first of a batch waits until the event loop has heard everyone whose request was already
there, which is as long as a turn of the loop, and the others as long as the thread is busy.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple

from predictors.server.engine import Result, Work
from predictors.server.problems import RETRY_S, ProblemError, unavailable

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
        self._work: Callable[[Sequence[Work]], list[Result]] | None = None
        self._waiting: list[Job] = []
        self._busy = False
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
            ProblemError: 429 the queue is full; 503 nobody works (yet, or any more).
        """
        if len(self._waiting) + len(items) > self._most:
            await self._sweep()
        if len(self._waiting) + len(items) > self._most:
            headers = {"Retry-After": str(RETRY_S)}
            raise ProblemError(429, f"More than {self._most} reports would wait; come back later.", headers)
        if self._work is None:
            raise unavailable("The model is not there.")
        loop = asyncio.get_running_loop()
        jobs = [Job(item, loop.create_future(), gone) for item in items]
        self._waiting += jobs
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next, loop)
        return [await job.future for job in jobs]

    def close(self) -> None:
        """Let the thread end, and answer whoever still waits that nobody works any more."""
        self._work = None
        for job in self._waiting:
            job.future.set_result(unavailable("The server is stopping."))
        self._waiting = []
        self.thread.shutdown()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [job for job in self._waiting if not job.future.done()]
        self._waiting = []
        self._busy = bool(batch) and self._work is not None
        if self._busy and self._work is not None:
            self._on_batch(len(batch))
            call = loop.run_in_executor(self.thread, self._work, [job.item for job in batch])
            call.add_done_callback(partial(self._finish, loop, batch))

    def _finish(self, loop: asyncio.AbstractEventLoop, batch: list[Job], call: asyncio.Future[list[Result]]) -> None:
        for job, result in zip(batch, call.result(), strict=True):
            if not job.future.done():
                job.future.set_result(result)
        self._next(loop)

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
