"""Two clocks: the machine's, and one that only goes when it is told to."""

import threading
import time


class SystemClock:
    """The machine's time; :meth:`stop` ends every wait, :meth:`wake` those under way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped, self._wakes = False, 0

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopped

    def stop(self) -> None:
        """End this and all later waits."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wake(self) -> None:
        """End the waits that are under way, and none that is still to come."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def unix_s(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time()

    def wait_until(self, monotonic_s: float) -> None:
        """Return then, or sooner when told to stop or woken."""
        with self._changed:
            wakes, left_s = self._wakes, max(0.0, monotonic_s - self.monotonic_s())
            self._changed.wait_for(lambda: self._stopped or self._wakes != wakes, left_s)


class ManualClock:
    """Time that passes by waiting, at once: for tests, examples and replays.

    >>> clock = ManualClock()
    >>> clock.wait_until(15.0)
    >>> clock.monotonic_s()
    15.0
    """

    def __init__(self, monotonic_s: float = 0.0, unix_s: float = 1_767_225_600.0) -> None:
        self._now_s, self._offset_s = monotonic_s, unix_s - monotonic_s

    def monotonic_s(self) -> float:
        """Return the seconds that passed."""
        return self._now_s

    def unix_s(self) -> float:
        """Return seconds since 1970, UTC."""
        return self._now_s + self._offset_s

    def wait_until(self, monotonic_s: float) -> None:
        """Let time pass until then."""
        self._now_s = max(self._now_s, monotonic_s)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds
