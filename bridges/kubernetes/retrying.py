"""When to ask again: jittered waits within a deadline, a circuit that opens, and a limit on requests per second."""

import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

import tenacity

from bridges.contracts import Clock
from bridges.errors import CircuitOpenError, MalformedError, OutcomeUnknownError, UnavailableError
from metaverse_env.errors import ClusterError, ConfigurationError

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How patient to be with a server.

    Attributes:
        tries: Of one call, the first included.
        first_wait_s: Longest wait after the first failure; it doubles with each further one.
        longest_wait_s: Where the doubling ends. What the server itself asks for may be longer.
        breaker_failures: The circuit opens after so many failures in a row, of whatever calls.
        breaker_open_s: Nothing is asked for so long; then one request tries it.
        requests_per_s: Sustained rate of requests, tries included.
        burst: So many at once after a pause; in any second go at most ``requests_per_s + burst``.
    """

    tries: int = 4
    first_wait_s: float = 0.2
    longest_wait_s: float = 5.0
    breaker_failures: int = 6
    breaker_open_s: float = 5.0
    requests_per_s: float = 40.0
    burst: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(f"{field.name} {value!r}: a finite number above 0 is needed")


def jittered_s(policy: RetryPolicy, failures: int, draw: float) -> float:
    """Return a wait, s, uniform between 0 and the doubled bound: "full jitter", so that clients spread out.

    >>> [jittered_s(RetryPolicy(), failures, 1.0) for failures in (1, 2, 3, 9)]
    [0.2, 0.4, 0.8, 5.0]

    Args:
        policy: With the bounds.
        failures: So many so far, at least 1.
        draw: Uniform in [0, 1).
    """
    return draw * min(policy.longest_wait_s, policy.first_wait_s * 2.0 ** min(failures - 1, 60))


class Bucket:
    """A token bucket: who takes one waits until it is there. Shared by threads."""

    def __init__(self, clock: Clock, per_s: float, burst: int) -> None:
        self._clock, self._every_s, self._depth_s = clock, 1.0 / per_s, (burst - 1) / per_s
        self._lock = threading.Lock()
        self._next_s = -math.inf

    def take(self, until_s: float) -> float:
        """Wait for a turn, and return for how long, s.

        Raises:
            UnavailableError: The turn would come after ``until_s``.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            turn_s = max(self._next_s, now_s - self._depth_s)
            if max(turn_s, now_s) > until_s:
                raise UnavailableError(
                    f"the limit of {1.0 / self._every_s:g} requests/s leaves no turn before the deadline "
                    f"in {max(0.0, until_s - now_s):.2f} s; ask for less in a cycle, or raise requests_per_s",
                    turn_s - now_s,
                )
            self._next_s = turn_s + self._every_s
        if turn_s <= now_s:
            return 0.0
        self._clock.wait_until(turn_s)
        return turn_s - now_s


class Breaker:
    """A circuit: closed, open after failures in a row, half open for one request at a time. Shared by threads."""

    def __init__(self, clock: Clock, failures: int, open_s: float) -> None:
        self._clock, self._most, self._open_s = clock, failures, open_s
        self._lock = threading.Lock()
        self._failures, self._closed_at_s = 0, -math.inf
        self.opened = 0
        """How often it opened."""

    @property
    def open(self) -> bool:
        """Whether nothing is asked now."""
        return self._clock.monotonic_s() < self._closed_at_s

    def enter(self) -> None:
        """Let a request through.

        Raises:
            CircuitOpenError: The circuit is open.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            if now_s < self._closed_at_s:
                left_s = self._closed_at_s - now_s
                message = f"not asked: {self._failures} failures in a row; it will be tried in {left_s:.1f} s"
                raise CircuitOpenError(message, left_s)
            if self._failures >= self._most:  # half open: this one tries, the others go on waiting
                self._closed_at_s = now_s + self._open_s

    def failed(self) -> None:
        """Count a failure."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._most:
                self.opened += self._failures == self._most
                self._closed_at_s = self._clock.monotonic_s() + self._open_s

    def succeeded(self) -> None:
        """Close: the server answers."""
        with self._lock:
            self._failures, self._closed_at_s = 0, -math.inf


class Retrier:
    """Asks until there is an answer, the server says no, or the time is over.

    Only what certainly was not done is asked again; a write of unknown outcome is the caller's to read back.

    Args:
        policy: How patient.
        clock: For waits and deadlines; when it is told to stop, nothing is asked again.
        draw: Uniform in [0, 1).
    """

    def __init__(self, policy: RetryPolicy, clock: Clock, draw: Callable[[], float] | None = None) -> None:
        self._policy, self._clock, self._draw = policy, clock, draw or secrets.SystemRandom().random
        self._bucket = Bucket(clock, policy.requests_per_s, policy.burst)
        self.breaker = Breaker(clock, policy.breaker_failures, policy.breaker_open_s)
        self.requests, self.retries, self.throttled_s = 0, 0, 0.0
        """How many requests went out, how many of them again, and how long they waited for their turn."""

    def run(self, ask: Callable[[float], Result], until_s: float) -> Result:
        """Return the answer.

        Args:
            ask: Asks once; is given the seconds that are left.
            until_s: Monotonic time at which all is over.

        Raises:
            UnavailableError: There was none in time, or the server asks for more patience than there is.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_again),
            wait=self._wait_s,
            stop=lambda state: self._over(state, until_s),
            sleep=self._sleep,
            reraise=True,
        )
        answer: Result = retrying(self._once, ask, until_s)
        return answer

    def _once(self, ask: Callable[[float], Result], until_s: float) -> Result:
        self.breaker.enter()
        self.throttled_s += self._bucket.take(until_s)
        left_s = until_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise UnavailableError("no time left to ask")
        self.requests += 1
        try:
            answer = ask(left_s)
        except ClusterError as error:
            if _alive(error):
                self.breaker.succeeded()
            else:
                self.breaker.failed()
            raise
        self.breaker.succeeded()
        return answer

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = getattr(error, "retry_after_s", None) or 0.0
        return float(asked_s + jittered_s(self._policy, state.attempt_number, self._draw()))

    def _over(self, state: tenacity.RetryCallState, until_s: float) -> bool:
        late = self._clock.monotonic_s() + state.upcoming_sleep >= until_s
        return late or state.attempt_number >= self._policy.tries or bool(getattr(self._clock, "stopped", False))

    def _sleep(self, seconds: float) -> None:
        self.retries += 1
        self._clock.wait_until(self._clock.monotonic_s() + seconds)


def _alive(error: ClusterError) -> bool:
    """Tell a server that says no, or when to come again, from one that is away."""
    if isinstance(error, UnavailableError):
        return error.retry_after_s is not None
    return not isinstance(error, (OutcomeUnknownError, MalformedError))


def _worth_again(error: BaseException) -> bool:
    return isinstance(error, UnavailableError) and not isinstance(error, CircuitOpenError)
