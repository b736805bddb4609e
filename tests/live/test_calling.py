"""A real prediction server, told of every tick: while it is there, away, back, slow, strange, or asks for a key."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from metaverse_env.errors import ConfigurationError
from metaverse_env.live.calling import ServerCalls, reports_of
from metaverse_env.live.session import Session
from metaverse_env.live.simulation import Simulation
from predictors.server.requests import Report
from tests.live.showing import terms
from tests.predictors.server.servers import Server

WITHIN_S = 20.0
KEY = "a-key-that-is-long-enough"


@contextmanager
def server(folder: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """Run the real server, as its command does."""
    running = Server(["-m", "metaverse_env.cli", "serve", "--json", "--port", "0", *arguments], folder, environment)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


@contextmanager
def session_with(calls: ServerCalls, **others: Any) -> Iterator[Session]:
    session = Session(Simulation(terms(**others)), ticks_per_s=8.0, calls=calls)
    try:
        yield session
    finally:
        session.close()


def until(session: Session, true: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Let time pass, as a window does, until something is so."""
    deadline_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline_s, (session.interface.state, session.interface.messages[-3:])
        began_s = time.monotonic()
        session.advance(0.05)
        assert time.monotonic() - began_s < 1.0  # nobody waits for a server
        time.sleep(0.02)


def said(session: Session) -> list[str]:
    return [message.text for message in session.interface.messages if message.kind == "server"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_what_is_reported_is_what_the_server_reads() -> None:
    shell = Simulation(terms(zones=3, policy="static")).shell
    reports = reports_of(shell)
    assert [report["zone_name"] for report in reports] == ["zone-1", "zone-2", "zone-3"]
    for index, report in enumerate(reports):
        read = Report.model_validate_json(json.dumps(report))
        zone = shell.telemetry.zones[0, index]
        assert read.active_users == zone["users"]
        assert read.allocation is not None
        assert read.allocation.memory_mb == zone["allocation"][1]
        assert (read.usage is None) == (zone["observed"] == 0)


def test_calls_are_shown_as_they_happen(real: Server) -> None:
    with session_with(ServerCalls(real.url), zones=3) as session:
        assert (session.interface.source, session.interface.source_text) == ("server", real.url)
        assert session.interface.state == "waiting"
        until(session, lambda: len(said(session)) >= 4)
        assert (session.interface.state, session.interface.state_text) == ("live", "")
        first, batch = said(session)[:2]
        assert first.startswith("/predict in ")
        assert "users:" in first
        assert "cores" in first
        assert batch.startswith("/predict/batch in ")
        assert batch.endswith(" ms: 2 of 2 zones")
    known = {zone["zone_name"] for zone in real.client.get("/zones").json()["zones"]}
    assert known >= {"zone-1", "zone-2", "zone-3"}


def test_the_zone_in_focus_is_the_one_that_is_asked_about(real: Server) -> None:
    with session_with(ServerCalls(real.url), zones=3) as session:
        session.press("Tab")
        until(session, lambda: any(text.startswith("/predict in ") and "zone-1," in text for text in said(session)))


def test_more_zones_than_a_batch_holds_are_told_in_several(tmp_path: Path) -> None:
    many = ["/predict/batch 256 of 256 zones", "/predict/batch 43 of 43 zones"]
    with (
        server(tmp_path, "--max-zones", "400") as running,
        session_with(ServerCalls(running.url), zones=300) as session,
    ):
        until(session, lambda: len(said(session)) >= 3)
        assert [re.sub(r" in \d+ ms:", "", text) for text in said(session)[1:3]] == many


def test_a_server_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with session_with(ServerCalls("http://127.0.0.1:9", first_wait_s=0.05), zones=1) as session:
        until(session, lambda: session.interface.state == "away")
        assert session.interface.state_text.startswith("Connection refused; next try in")
        assert said(session)[-1] == "POST /predict: no answer: Connection refused"
        assert (session.calls.delivered, session.calls.reported > 0) == (0, True)
        assert session.source.ticks > 0
    with server(tmp_path) as running:
        port = running.url.rsplit(":", 1)[1]
        with session_with(ServerCalls(running.url, first_wait_s=0.05), zones=1) as session:
            until(session, lambda: session.interface.state == "live")
            running.process.kill()
            running.process.wait()
            until(session, lambda: session.interface.state == "away")
            ticks = session.source.ticks
            until(session, lambda: session.source.ticks > ticks + 5)  # the world goes on
            with server(tmp_path, "--port", port):
                until(session, lambda: session.interface.state == "live")


def test_each_failure_is_told_once_and_tries_become_rarer() -> None:
    with session_with(ServerCalls("http://127.0.0.1:9", first_wait_s=0.1), zones=1) as session:
        end_s = time.monotonic() + 1.6
        until(session, lambda: time.monotonic() > end_s)
        assert 3 <= len(said(session)) <= 5  # at 0, 0.1, 0.3, 0.7 and 1.5 s
        assert not any(message.ok for message in session.interface.messages if message.kind == "server")


def test_a_server_that_asks_for_a_key(tmp_path: Path) -> None:
    with server(tmp_path, METAVERSE_API_KEY=KEY) as running:
        with session_with(ServerCalls(running.url), zones=1) as session:
            until(session, lambda: session.interface.state == "away")
            assert "401" in session.interface.state_text
            assert "METAVERSE_API_KEY" in session.interface.state_text
        with session_with(ServerCalls(running.url, KEY), zones=1) as session:
            until(session, lambda: session.interface.state == "live")


class _Strange(BaseHTTPRequestHandler):
    """Answers what no prediction server answers."""

    protocol_version = "HTTP/1.1"
    answer = b"{}"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    "answer", [b"{}", b"[]", b"<html>", b'{"cpu_cores": "many"}', b"[" * 100_000, b"x" * (2 << 20)]
)
def test_another_server_is_said_to_be_none(answer: bytes) -> None:
    strange = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Strange,), {"answer": answer}))
    thread = threading.Thread(target=strange.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{strange.server_address[1]}"
        with session_with(ServerCalls(url), zones=1) as session:
            until(session, lambda: session.interface.state == "away")
            assert "none of a prediction server" in session.interface.state_text
    finally:
        strange.shutdown()
        thread.join()
        strange.server_close()


def test_a_server_that_never_answers_stops_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with session_with(ServerCalls(url, timeout_s=0.3), zones=1) as session:
            until(session, lambda: session.interface.state == "away")
            assert "no answer within 0.3 s" in session.interface.state_text
            assert session.source.ticks > 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8000", "is no address"),
        ("ftp://127.0.0.1", "is no address"),
        ("http://", "is no address"),
        ("http://127.0.0.1:port", "is no address"),
        ("http://127.0.0.1:8000/?zone=1", "is no address"),
        ("http://user:secret@127.0.0.1", "METAVERSE_API_KEY holds a key"),
    ],
)
def test_what_is_no_address_is_refused_and_no_password_is_repeated(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refusal:
        ServerCalls(url)
    assert "secret" not in str(refusal.value)


def test_closing_waits_for_no_server() -> None:
    calls = ServerCalls("http://127.0.0.1:9")
    with session_with(calls, zones=1) as session:
        until(session, lambda: session.interface.state == "away")
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 1.0
