"""One thing at a time in another thread: begun, looked after, and waited for by nobody."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Worker(Generic[Result]):
    """A thread that does one thing at a time. All methods are for one other thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._work: Callable[[], Result] | None = None
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._busy = self._ending = False
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    def begin(self, work: Callable[[], Result]) -> None:
        """Begin something, unless something is under way or waits to be fetched."""
        with self._changed:
            if not self._busy and self._result is None and self._error is None:
                self._work, self._busy = work, True
                self._changed.notify_all()

    def result(self) -> Result | None:
        """Return what came of it, once; ``None`` where nothing has.

        Raises:
            BaseException: What it raised.
        """
        with self._changed:
            result, error = self._result, self._error
            self._result = self._error = None
        if error is not None:
            raise error
        return result

    def idle_within(self, seconds: float) -> bool:
        """Wait until nothing is under way, and forget what came of it; return whether that came to pass."""
        with self._changed:
            idle = self._changed.wait_for(lambda: not self._busy, seconds)
            self._result = self._error = None
        return idle

    def close(self, seconds: float) -> None:
        """End the thread; one that is busy for longer ends with the process."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending or self._work is not None)
                work, self._work = self._work, None
            if work is None:
                return
            result, error = None, None
            try:
                result = work()
            except BaseException as failure:  # noqa: BLE001  raised again where the result is fetched
                error = failure
            with self._changed:
                self._result, self._error, self._busy = result, error, False
                self._changed.notify_all()
