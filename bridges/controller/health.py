"""Whether the controller lives and is ready, and its metrics, over HTTP: GET of three paths and nothing else."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from bridges.contracts import Clock
from bridges.prometheus import Exporter
from metaverse_env.errors import ConfigurationError

LOG: Final = logging.getLogger(__name__)
_READ_TIMEOUT_S: Final = 5.0
_JSON: Final = "application/json"


class Health:
    """What is known of the controller's own state.

    Args:
        clock: For ages.
        limit_s: A cycle that began longer ago means that the controller hangs.
    """

    def __init__(self, clock: Clock, limit_s: float) -> None:
        self._clock, self._limit_s = clock, limit_s
        self._beat_s, self._cycles = clock.monotonic_s(), 0
        self.missing: Sequence[str] = ()
        """Verbs and resources that the account may not use and needs, such as ``"patch apps/deployments/scale"``."""
        self.trouble = ""
        """Why it cannot do its work now, such as an unreadable cluster."""
        self.draining = False
        """Whether it is ending."""

    def beat(self) -> None:
        """Say that a cycle ended."""
        self._beat_s, self._cycles = self._clock.monotonic_s(), self._cycles + 1

    def live(self) -> tuple[bool, dict[str, Any]]:
        """Return whether cycles end, and since when the last did."""
        age_s = self._clock.monotonic_s() - self._beat_s
        return age_s <= self._limit_s, {"last_cycle_s_ago": round(age_s, 3), "limit_s": self._limit_s}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Return whether it does its work, and what is missing."""
        reasons = [f"missing permission: {verb}" for verb in self.missing]
        reasons += [self.trouble] if self.trouble else []
        reasons += ["no cycle yet"] if not self._cycles else []
        reasons += ["ending"] if self.draining else []
        return not reasons, {"ready": not reasons, "reasons": reasons}


class HealthServer:
    """Answers ``/healthz``, ``/readyz`` and ``/metrics`` in threads of its own; use it as a context.

    Args:
        health: What is answered.
        exporter: The metrics.
        host: Address to listen on.
        port: 0 for any that is free.

    Raises:
        ConfigurationError: It cannot listen there.
    """

    def __init__(self, health: Health, exporter: Exporter, host: str = "127.0.0.1", port: int = 0) -> None:
        answers: dict[str, Callable[[str], tuple[int, bytes, str]]] = {
            "/healthz": lambda _: _told(*health.live()),
            "/readyz": lambda _: _told(*health.ready()),
            "/metrics": lambda accept: (HTTPStatus.OK, *exporter.page(accept)),
        }
        handler = type("Handler", (_Handler,), {"answers": answers})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _told(well: bool, words: dict[str, Any]) -> tuple[int, bytes, str]:
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, json.dumps(words).encode(), _JSON


class _Handler(BaseHTTPRequestHandler):
    answers: dict[str, Callable[[str], tuple[int, bytes, str]]]
    timeout = _READ_TIMEOUT_S
    server_version, sys_version = "metaverse-bridge", ""

    def do_GET(self) -> None:  # the base class's name
        """Answer."""
        answer = self.answers.get(urlsplit(self.path).path)
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        status, body, kind = answer(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # the base class's name
        """Log at a level that is asked for."""
        LOG.debug(format, *arguments)
