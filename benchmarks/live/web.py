"""A live session in browsers: ``metaverse live --web``.

One process: a thread has the session, an event loop has everybody who looks. Ctrl-C and SIGTERM end it as they end the
prediction server; so does whoever ends the session in a page.
"""

import asyncio
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Final

import typer
import uvicorn
from fastapi import FastAPI

from benchmarks.live.gate import new_token
from benchmarks.live.messages import MOST_BYTES
from benchmarks.live.site import build_site
from benchmarks.live.viewers import Audience
from metaverse_env.live.session import Session
from predictors.server.logs import start_logging
from predictors.server.transport import is_loopback, listen, url_of, uvicorn_config

LOG: Final = logging.getLogger(__name__)

FINISH_S: Final = 2
"""How long answers may take to finish at the end, s [choice]; viewers are sent away at once."""


def serve(
    session: Session, host: str = "127.0.0.1", port: int = 0, as_json: bool = False, seconds: float | None = None
) -> None:
    """Show a session in browsers, and let them steer it, until it ends.

    Prints the address, which holds a token of this run, once it answers. The session is not closed.

    Args:
        session: Nobody else may touch it meanwhile.
        host: Address to listen on.
        port: The same; 0 for any that is free.
        as_json: Print and log as JSON: ``{"url": "http://127.0.0.1:8050/#…"}``.
        seconds: How long to show it; ``None`` until somebody ends it.

    Raises:
        MetaverseError: The address is taken, or not this machine's; or what the session raised.
        KeyboardInterrupt: Ctrl-C.
    """
    start_logging("warning", as_json)
    listening = listen(host, port)
    token = new_token()
    if not is_loopback(host):
        LOG.warning("whoever reads what is sent to %s, unencrypted, can look and steer", host)
    url = f"{url_of(listening)}/#{token}"
    words = json.dumps({"url": url}) if as_json else f"Look at {url}"
    run(Audience(session, seconds), listening, host, token, lambda: typer.echo(words))


def run(audience: Audience, listening: socket.socket, host: str, token: str, announce: Callable[[], None]) -> None:
    """The same on a socket that listens; ``announce`` is called when it answers."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        audience.open(asyncio.get_running_loop())
        yield
        audience.stage.stop()

    _Server(build_site(audience, token, host, lifespan), audience, announce).run(sockets=[listening])
    if audience.stage.error is not None:
        raise audience.stage.error


class _Server(uvicorn.Server):
    """Uvicorn, which ends with the session and tells viewers why."""

    def __init__(self, application: object, audience: Audience, announce: Callable[[], None]) -> None:
        config = uvicorn_config(application, websockets=True)
        config.ws_max_size, config.timeout_graceful_shutdown = MOST_BYTES, FINISH_S
        super().__init__(config)
        self._audience, self._announce = audience, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; SIGTERM is how services are ended, and no failure."""
        if sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether it is time to end."""
        return await super().on_tick(counter) or self._audience.stage.ended

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; viewers of a session that has ended are told not to come back."""
        if self._audience.stage.ended:
            await self._audience.dismiss()
        await super().shutdown(sockets)
