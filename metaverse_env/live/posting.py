"""JSON to a server and back, with nothing but the standard library: bounded in time and size, no redirects."""

import http.client
import json
import socket
import ssl
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from metaverse_env.errors import ConfigurationError

MOST_BYTES: Final = 1 << 20
"""A longer answer is cut off, and then is no JSON [choice]; the longest that is expected has a fiftieth of it."""

_TRIES: Final = 2
"""A connection that was kept may have been closed meanwhile; then a new one is tried at once."""


class Reply(NamedTuple):
    """What came of a request.

    Attributes:
        status: Of HTTP; ``None`` where there was no answer.
        reason: The status in words, or why there was no answer.
        body: The JSON of it, or ``None``.
    """

    status: int | None
    reason: str
    body: Any = None


class Client:
    """One server, one connection that is kept. For one thread.

    Args:
        url: ``http://`` or ``https://``, a host, perhaps a port and a path in front of all others.
        key: Sent as ``X-API-Key``.
        timeout_s: For connecting, and for each part of an answer.

    Raises:
        ConfigurationError: Another address, or one with a password in it.
    """

    def __init__(self, url: str, key: str | None, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._parts, self._timeout_s = _checked(self.url), timeout_s
        self._headers = {"Content-Type": "application/json"} | ({} if key is None else {"X-API-Key": key})
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: Any) -> Reply:
        """Send JSON, and read JSON; failures are replies, too."""
        kept = self._connection is not None
        for left in reversed(range(_TRIES if kept else 1)):
            try:
                return self._post(path, json.dumps(body))
            except (http.client.HTTPException, OSError) as error:
                self.close()
                if not left or isinstance(error, TimeoutError):
                    return Reply(None, _words(error, self._timeout_s))
        raise AssertionError("unreachable")

    def _post(self, path: str, text: str) -> Reply:
        if self._connection is None:
            self._connection = self._connected()
        self._connection.request("POST", self._parts[2] + path, text, self._headers)
        answer = self._connection.getresponse()
        said = answer.read(MOST_BYTES)
        if not answer.isclosed() and answer.read(1):
            self.close()  # more than was read would be taken for the next answer
        try:
            return Reply(answer.status, answer.reason, json.loads(said))
        except (ValueError, RecursionError):
            return Reply(answer.status, answer.reason)

    def _connected(self) -> http.client.HTTPConnection:
        scheme, place, _ = self._parts
        if scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(place, timeout=self._timeout_s)

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _checked(url: str) -> tuple[str, str, str]:
    """Return scheme, host with port, and path of an address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"server {url!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"server {url!r} is no address; give one such as http://127.0.0.1:8000")
    if "@" in parts.netloc:
        raise ConfigurationError("an address with a password in it would be shown; METAVERSE_API_KEY holds a key")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host if port is None else f"{host}:{port}", parts.path


def _words(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, socket.gaierror):
        return f"no such host: {error.strerror or error}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"it speaks no HTTP, or not to the end: {type(error).__name__}"
