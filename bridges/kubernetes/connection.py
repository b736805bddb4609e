"""One try of one request, bounded in time and size; the connection's failures told apart by what was done."""

import ssl
import threading
from collections.abc import Callable
from typing import NamedTuple, NoReturn

import urllib3
from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from bridges.contracts import Clock
from bridges.errors import MalformedError, OutcomeUnknownError, UnauthorisedError, UnavailableError
from bridges.kubernetes.answers import Answer, Request
from metaverse_env.errors import ConfigurationError

USER_AGENT = "metaverse-bridge"
CHUNK_BYTES = 65_536
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, ProxyError, LocationValueError, ClosedPoolError)


class Login(NamedTuple):
    """Where the server is and who we are.

    Attributes:
        server: Address without a path's end.
        pool: Connections, with certificates.
        authorisation: Gives the header's value, refreshed when due, or ``None``.
        close: Ends the connections.
    """

    server: str
    pool: urllib3.PoolManager
    authorisation: Callable[[], str | None]
    close: Callable[[], None]


class Connection:
    """Requests to one server under one login, which can be renewed.

    Args:
        log_in: Reads the credentials anew.
        clock: For deadlines.
        largest_bytes: An answer that is larger is refused.
    """

    def __init__(self, log_in: Callable[[], Login], clock: Clock, largest_bytes: int) -> None:
        self._log_in, self._clock, self._largest_bytes = log_in, clock, largest_bytes
        self.login, self._lock, self._broken = log_in(), threading.Lock(), False
        self.epoch = 0
        """How often the server came back after it had been away; what is known of it may have changed since."""

    def log_in_again(self, rejected: Login) -> None:
        """Read the credentials anew, unless another thread did so since these were rejected.

        Raises:
            UnauthorisedError: They cannot be read.
        """
        with self._lock:
            if self.login is rejected:
                try:
                    self.login = self._log_in()
                except ConfigurationError as error:
                    raise UnauthorisedError(str(error)) from error
                rejected.close()

    def close(self) -> None:
        """End all connections."""
        self.login.close()

    def send(self, request: Request, timeout_s: float) -> Answer:
        """Ask once.

        Raises:
            UnavailableError: There is no answer, and nothing was done.
            OutcomeUnknownError: There is no answer to a write that may have been done.
            MalformedError: The answer is too large.
        """
        until_s = self._clock.monotonic_s() + timeout_s
        try:
            answer = self._exchange(request, timeout_s, until_s)
        except HTTPError as error:
            self._broken = True
            _fail(request, error)
        if self._broken:
            self._broken, self.epoch = False, self.epoch + 1
        return answer

    def _exchange(self, request: Request, timeout_s: float, until_s: float) -> Answer:
        login = self.login
        response = login.pool.request(
            request.method,
            login.server + request.target,
            body=request.body,
            headers=self._headers(request, login),
            timeout=urllib3.Timeout(total=timeout_s),
            retries=False,  # what to do again is decided above, where the deadline is known
            redirect=False,  # the token is for this server alone
            preload_content=False,
        )
        try:
            body = self._body(request, response, until_s)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _headers(self, request: Request, login: Login) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        token = self._token(login)
        return {**headers, "Authorization": token} if token else headers

    def _token(self, login: Login) -> str | None:
        try:
            return login.authorisation()
        except OSError as error:
            raise UnauthorisedError(f"cannot read the token: {error}") from error

    def _body(self, request: Request, response: urllib3.BaseHTTPResponse, until_s: float) -> bytes:
        """Read to the end; one that comes in drops is cut off when the time is over."""
        chunks, size = [], 0
        socket = getattr(response.connection, "sock", None)  # none where the server closes it after this answer
        while chunk := response.read1(CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._largest_bytes:
                raise MalformedError(f"{request}: the answer is larger than {self._largest_bytes / 1e6:g} MB")
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                raise urllib3.exceptions.TimeoutError("the answer was not complete in time")
            if socket is not None:
                socket.settimeout(left_s)
        return b"".join(chunks)


def _fail(request: Request, error: HTTPError) -> NoReturn:
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, SSLError) and isinstance(error.args[0] if error.args else None, ssl.SSLCertVerificationError):
        raise UnavailableError(f"{request}: {why}; name the authority that signed the server's certificate") from error
    if request.changes and not isinstance(error, _NOT_SENT):
        raise OutcomeUnknownError(f"{request}: {why}; read back what was done") from error
    raise UnavailableError(f"{request}: {why}") from error
