"""Who may look and steer: a browser that was opened at the address that the command printed, and programs that know it.

Three checks, none of which a page of another site can pass from within a visitor's browser:

* **Host**: requests name an IP address or ``localhost``. A name that another site lets point to this machine (DNS
  rebinding) is refused.
* **Origin**: a browser says which page opens a WebSocket; only our own may. Programs send none.
* **Token**: made anew in every run; without it there is no picture and no control.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from predictors.server.problems import ProblemError

PROTOCOL: Final = "metaverse-live-1"
"""The WebSocket's subprotocol; beside it the browser offers the token, which so stands in no address and in no log."""

_TOKEN: Final = "token."  # noqa: S105  a prefix, not a secret
_TOKEN_BYTES: Final = 24
"""Of randomness in a token; [choice], more than can ever be guessed."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer: the page loads nothing from elsewhere, runs nothing that is not a file of it, and is no frame."""


def new_token() -> str:
    """Return a token for one run; it can stand in an address and in a header."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Gate:
    """Stands before an application.

    Args:
        app: What is behind it.
        token: What a visitor has to know to pass, except to the files of the page, which are no secret.
        host: The name or address that the server was told to listen on; it may be named, too.
        open_paths: The page's files.
    """

    app: ASGIApp
    token: str
    host: str
    open_paths: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with a problem; give every answer :data:`HEADERS`."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            self.admit(scope)
        except ProblemError as problem:
            await problem.response(scope["path"])(scope, receive, _with_headers(send))
        else:
            await self.app(scope, receive, _with_headers(send))

    def admit(self, scope: Scope) -> None:
        """Judge a request.

        Raises:
            ProblemError: 403 a foreign host or origin, 401 a missing or wrong token.
        """
        headers = Headers(scope=scope)
        named = headers.get("host", "")
        if not _is_ours(named, self.host):
            raise ProblemError(403, "Open the address that `metaverse live --web` printed; its host is an IP address.")
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{named}":
            raise ProblemError(403, "Pages of other sites may not look or steer.")
        if scope["path"] not in self.open_paths and not hmac.compare_digest(
            _offered(headers).encode(), self.token.encode()
        ):
            raise ProblemError(401, _WRONG_TOKEN, {"WWW-Authenticate": "Bearer"})


_WRONG_TOKEN: Final = (
    "The address holds no token, or that of an earlier run: open the one that `metaverse live --web` printed last."  # noqa: S105
)


def _is_ours(named: str, host: str) -> bool:
    """Tell whether a Host header names this machine by an address, or as it was asked to be named.

    >>> [_is_ours(named, "127.0.0.1") for named in ("127.0.0.1:80", "[::1]:80", "localhost", "a.example:80", "[", "")]
    [True, True, True, False, False, False]
    """
    try:
        name = urlsplit(f"//{named}").hostname or ""
        if name in ("localhost", host.lower()):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def _offered(headers: Headers) -> str:
    """Return the token of a request: as a Bearer token, or beside the subprotocol; empty without one."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    protocols = (each.strip() for each in headers.get("sec-websocket-protocol", "").split(","))
    return next((each.removeprefix(_TOKEN) for each in protocols if each.startswith(_TOKEN)), "")


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sent
