"""A service on a port, from the first request to the last.

One process: several would each know a part of what the zones say. On SIGTERM the server says that it drains, goes on
answering for as long as whoever routes to it needs to notice, finishes what it has begun, and ends.
"""

import logging
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn

from predictors.server.app import build_app
from predictors.server.service import Service
from predictors.server.transport import uvicorn_config

LOG: Final = logging.getLogger(__name__)


def serve(service: Service, listening: socket.socket, drain_s: float, announce: Callable[[], None]) -> None:
    """Serve until SIGTERM.

    Args:
        service: To be served.
        listening: Where.
        drain_s: How long to go on after SIGTERM, s.
        announce: Called once, when requests are answered and signals are obeyed.

    Raises:
        Exception: What loading the model raised.
        KeyboardInterrupt: Ctrl-C, after what was begun is finished.
    """
    _Server(service, drain_s, announce).run(sockets=[listening])
    if service.error is not None:
        raise service.error


class _Server(uvicorn.Server):
    """Uvicorn, which drains before it shuts down, and shuts down if the model does not load."""

    def __init__(self, service: Service, drain_s: float, announce: Callable[[], None]) -> None:
        super().__init__(uvicorn_config(build_app(service)))
        self._service, self._drain_s, self._announce = service, drain_s, announce
        self._end_s: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal, or Ctrl-C, ends the drain at once."""
        if sig == signal.SIGTERM and self._end_s is None:
            self._end_s = time.monotonic() + self._drain_s
            self._service.drain()
            LOG.info("draining for %g s", self._drain_s)
        elif sig == signal.SIGTERM:
            self._end_s = 0.0
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether it is time to end."""
        over = self._end_s is not None and time.monotonic() >= self._end_s
        return await super().on_tick(counter) or over or self._service.error is not None
