"""Load: arrivals as they were asked for, latencies that no slow server can hide, bounds that hold."""

import asyncio
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.trial.load import MOST_UNDER_WAY, Load, Rate, arrivals, send_all
from metaverse_env.errors import ConfigurationError

SERVICE_S = 0.05


class _Server(ThreadingHTTPServer):
    """Serves one request after the other, each for a while; 500 on /broken."""

    daemon_threads = True
    lock = Lock()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with _Server.lock:
            time.sleep(SERVICE_S)
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_rate_is_that_of_the_plan() -> None:
    moments = np.array(list(arrivals(Rate(20.0, 100.0, 100.0, 200.0), 300.0, seed=3)))
    high = ((moments >= 100.0) & (moments < 200.0)).sum()
    usual = len(moments) - high
    assert abs(high - 10_000) < 4 * 100  # four standard deviations of a Poisson number
    assert abs(usual - 4_000) < 4 * 64


def test_gaps_are_exponential() -> None:
    gaps = np.diff(list(arrivals(Rate(50.0, 50.0, 0.0, 0.0), 400.0, seed=5)))
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)


@given(st.integers(0, 100))
def test_arrivals_are_the_same_for_the_same_seed(seed: int) -> None:
    rate = Rate(5.0, 20.0, 1.0, 2.0)
    assert list(arrivals(rate, 4.0, seed)) == list(arrivals(rate, 4.0, seed))


@pytest.mark.parametrize("rate", [(0.0, 1.0, 0.0, 1.0), (1.0, 1e6, 0.0, 1.0), (1.0, 1.0, 2.0, 1.0)])
def test_rates_have_bounds(rate: tuple[float, float, float, float]) -> None:
    with pytest.raises(ConfigurationError):
        Rate(*rate)


def test_a_latency_counts_from_when_it_was_due(server: str) -> None:
    # 40 a second to a server that does 20: the queue grows, and so must what users wait
    load = Load(lambda: [f"{server}/"], Rate(40.0, 40.0, 0.0, 0.0), 2.0, seed=1)
    asyncio.run(send_all([load]))
    last = max(load.answers, key=lambda answer: answer.due_s)
    assert all(answer.ok for answer in load.answers)
    assert last.latency_s > 0.5  # half of 2 s of work is left when it arrives
    assert min(answer.latency_s for answer in load.answers) >= SERVICE_S


def test_what_fails_counts_as_the_longest_wait(server: str) -> None:
    broken = Load(lambda: [f"{server}/broken"], Rate(10.0, 10.0, 0.0, 0.0), 0.5, seed=1)
    nobody = Load(list, Rate(10.0, 10.0, 0.0, 0.0), 0.5, seed=1)
    refused = Load(lambda: ["http://127.0.0.1:9/"], Rate(10.0, 10.0, 0.0, 0.0), 0.5, seed=1)
    asyncio.run(send_all([broken, nobody, refused]))
    for load in (broken, nobody, refused):
        assert load.answers
        assert all(not answer.ok and answer.latency_s >= 10.0 for answer in load.answers)


def test_no_more_wait_than_is_allowed(server: str) -> None:
    load = Load(lambda: [f"{server}/"], Rate(200.0, 200.0, 0.0, 0.0), 1.0, seed=1)
    asyncio.run(send_all([load]))
    given_up = [answer for answer in load.answers if not answer.ok]
    assert len(load.answers) - len(given_up) <= MOST_UNDER_WAY + 1.0 / SERVICE_S + 5
    assert given_up
