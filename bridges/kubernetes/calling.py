"""Any request: its deadline, its tries, its one answer or one error."""

import json
from collections.abc import Callable, Mapping
from typing import Self
from urllib.parse import urlencode

from bridges.contracts import Clock
from bridges.errors import UnauthorisedError
from bridges.kubernetes.answers import Request, judge
from bridges.kubernetes.connection import Connection
from bridges.kubernetes.discovery import Discovery, Features
from bridges.kubernetes.options import ClientOptions
from bridges.kubernetes.resources import Json
from bridges.kubernetes.retrying import Retrier
from metaverse_env.errors import ConfigurationError

Query = Mapping[str, str | int]


class Caller:
    """Requests under one account, of many threads. Every call ends in time, in an object or in one error.

    Reads, dry runs and what the server certainly did not do are asked again within the call's time; a write of which
    nobody knows raises :class:`~bridges.errors.OutcomeUnknownError`, and is the caller's to read back.

    Args:
        connection: To the server.
        clock: For deadlines and waits.
        options: How to speak.
    """

    def __init__(self, connection: Connection, clock: Clock, options: ClientOptions) -> None:
        self.clock, self.options = clock, options
        self.traffic = Retrier(options.retry, clock)
        """What went over the wire, and the circuit."""
        self._connection, self._discovery = connection, Discovery()
        self._until_s = float("inf")
        self._pass: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._connection.close()

    def until(self, monotonic_s: float) -> Self:
        """Return the same client, all of whose calls end at that time of its clock, such as a cycle's."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _until_s=min(monotonic_s, self._until_s))
        return other

    def behind(self, fence: Callable[[], None]) -> Self:
        """Return the same client, each of whose tries that may change something asks a fence right before it goes out.

        Waits for a turn, and between tries, may be long: who might write before them may not write after (T45).

        Args:
            fence: Raises to drop the request.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _pass=fence)
        return other

    def features(self) -> Features:
        """Return what the server offers; asked once, and again after it was away (T43, T58).

        Raises:
            ClusterError: It could not be asked.
        """
        return self._discovery.features(
            lambda path: self.call(Request("GET", path, verb="get", title=path)), self.epoch
        )

    @property
    def epoch(self) -> int:
        """How often the server came back after it had been away."""
        return self._connection.epoch

    def call(self, request: Request) -> Json:
        """Ask for anything; all other methods are made of this.

        Raises:
            ClusterError: One of :mod:`bridges.errors`, by what to do about it.
        """
        return self.traffic.run(lambda left_s: self._ask(request, left_s), self._end_s())

    def _end_s(self) -> float:
        return min(self._until_s, self.clock.monotonic_s() + self.options.call_timeout_s)

    def _ask(self, request: Request, left_s: float) -> Json:
        until_s, login = self.clock.monotonic_s() + left_s, self._connection.login
        try:
            return self._try(request, until_s)
        except UnauthorisedError:
            self._connection.log_in_again(login)  # once: the token may have been rotated
            return self._try(request, until_s)

    def _try(self, request: Request, until_s: float) -> Json:
        if self._pass is not None and request.changes:
            self._pass()
        left_s = min(self.options.try_timeout_s, max(0.001, until_s - self.clock.monotonic_s()))
        return judge(request, self._connection.send(request, left_s), self.clock.unix_s())


def address(path: str, query: Query) -> str:
    """Return a path with those values of a query that are not empty.

    >>> address("/api/v1/pods", {"limit": 2, "continue": "", "labelSelector": "app=a,tier!=b"})
    '/api/v1/pods?limit=2&labelSelector=app%3Da%2Ctier%21%3Db'
    """
    chosen = {name: value for name, value in query.items() if value not in {"", None}}
    return f"{path}?{urlencode(chosen)}" if chosen else path


def encode(body: Json, title: str) -> bytes:
    """Return a body as JSON.

    Raises:
        ConfigurationError: It holds NaN, an infinity, or what JSON has no word for (T63).
    """
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{title}: the body cannot be written as JSON: {error}") from error
