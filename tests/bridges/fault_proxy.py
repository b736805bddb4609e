"""A proxy in front of the real API server that can misbehave; it speaks TLS with the server's own certificate."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple

Kind = Literal["answer", "reset", "reset_after", "hang", "slow", "latency", "hold", "truncate"]
"""
``answer``: give this status and body, ask nobody.
``reset``: break the connection before the server heard of it; ``reset_after``: once it has done it.
``hang``: never answer (the server does not hear of it); ``slow``: the true answer, a byte at a time, over so long.
``latency``: the true answer, so late; ``hold``: the server hears of it once :meth:`FaultProxy.release` says so.
``truncate``: half of the true answer.
"""
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


class Fault(NamedTuple):
    """What to do wrong, how often, and to which requests (a method; what is in its path and query)."""

    kind: Kind = "answer"
    status: int = 503
    headers: Mapping[str, str] = {}
    body: bytes = b"upstream connect error"
    seconds: float = 0.0
    times: int = 1
    method: str = ""
    path: str = ""


class Seen(NamedTuple):
    """A request that came: when (monotonic s), what, with which headers and body."""

    at_s: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FaultProxy:
    """The proxy; clients need a bearer token, as their certificates end here."""

    def __init__(self, upstream: str, pki: Path) -> None:
        self.upstream = upstream.removeprefix("https://")
        self.context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self.requests: list[Seen] = []
        self.stopping, self._released = threading.Event(), threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.proxy = self
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
        # The handshake is the thread's, not the listener's: one client that hangs may not block the others.
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def inject(self, kind: Kind = "answer", **options: Any) -> None:
        """Do so to the next requests that match; several faults come one after the other."""
        with self._lock:
            self._faults.append(Fault(kind, **options))

    def clear(self) -> None:
        """Behave, and forget what came."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()

    def release(self) -> None:
        """Pass on what is held."""
        self._released.set()

    def await_release(self) -> None:
        """Return once what is held may be passed on."""
        self._released.wait(120.0)

    def note(self, seen: Seen) -> Fault | None:
        """Keep a request, and return what to do wrong with it."""
        with self._lock:
            self.requests.append(seen)
            for index, fault in enumerate(self._faults):
                if fault.method in {"", seen.method} and fault.path in seen.path:
                    left = fault._replace(times=fault.times - 1)
                    self._faults[index : index + 1] = [left] if left.times else []
                    return fault
        return None

    def count(self, method: str = "", path: str = "") -> int:
        """Return how many requests came."""
        return sum(method in {"", seen.method} and path in seen.path for seen in list(self.requests))

    def close(self) -> None:
        self.stopping.set()
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that break are the point."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    connection: ssl.SSLSocket

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(time.monotonic(), self.command, self.path, dict(self.headers.items()), body)
        fault = self.server.proxy.note(seen)
        if fault is None:
            self.answer(*self.ask(body))
        else:
            self.misbehave(fault, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the base class looks for these names

    def ask(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        connection = HTTPSConnection(self.server.proxy.upstream, context=self.server.proxy.context, timeout=30.0)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()
        finally:
            connection.close()

    def answer(self, status: int, headers: Mapping[str, str], body: bytes, share: float = 1.0) -> None:
        self.head(status, headers, body)
        self.wfile.write(body[: int(len(body) * share)])

    def head(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()

    def misbehave(self, fault: Fault, body: bytes) -> None:
        getattr(self, f"fault_{fault.kind}")(fault, body)

    def fault_answer(self, fault: Fault, body: bytes) -> None:
        self.server.proxy.stopping.wait(fault.seconds)
        self.answer(fault.status, fault.headers, fault.body)

    def fault_reset(self, fault: Fault, body: bytes) -> None:
        self.break_off()

    def fault_reset_after(self, fault: Fault, body: bytes) -> None:
        self.ask(body)
        self.break_off()

    def fault_hang(self, fault: Fault, body: bytes) -> None:
        self.server.proxy.stopping.wait(fault.seconds or 60.0)
        self.break_off()

    def fault_latency(self, fault: Fault, body: bytes) -> None:
        self.server.proxy.stopping.wait(fault.seconds)
        self.answer(*self.ask(body))

    def fault_hold(self, fault: Fault, body: bytes) -> None:
        self.server.proxy.await_release()
        self.answer(*self.ask(body))

    def fault_truncate(self, fault: Fault, body: bytes) -> None:
        self.answer(*self.ask(body), share=0.5)
        self.close_connection = True

    def fault_slow(self, fault: Fault, body: bytes) -> None:
        status, headers, answer = self.ask(body)
        self.head(status, headers, answer)
        for index in range(len(answer)):
            self.wfile.write(answer[index : index + 1])
            self.server.proxy.stopping.wait(fault.seconds / len(answer))

    def break_off(self) -> None:
        """Reset the connection: closing a socket that lingers for no time sends RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        plain = socket.socket(fileno=self.connection.detach())
        plain.close()
