"""A real Prometheus scrapes a real server, and has what was answered."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.absent import unavailable
from tests.predictors.server.servers import Server, Start

NAMES = ["plaza", 'say "hi"', "back\\slash/../x", "two\nlines\r", "広場 🏟", "{a=}#"]
KEY = "the-key-of-prometheus"
WAIT_S = 60.0


def program(name: str) -> str:
    """Return the path of one of Prometheus' programs; skip without it, or fail where METAVERSE_NO_SKIP=1."""
    found = shutil.which(name)
    return found or unavailable(f"no program {name}; Debian's package is called prometheus")


@pytest.fixture(scope="module")
def served(start: Start) -> Server:
    server = start("command", environment={"METAVERSE_API_KEY": KEY})
    server.client.headers["X-API-Key"] = KEY
    return server


@pytest.fixture(scope="module")
def answers(served: Server) -> dict[str, dict[str, float]]:
    """Return what was answered for each zone."""
    return {name: served.predict(name, users).json() for users, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def prometheus(served: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a client of a Prometheus that scrapes the server every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    job = {
        "job_name": "zones",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "authorization": {"credentials": KEY},
        "static_configs": [{"targets": [served.url.removeprefix("http://")]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}), encoding="utf-8")  # JSON is YAML
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    with httpx.Client(base_url=f"http://{address}/api/v1", timeout=10.0) as client:
        yield client
    process.terminate()
    process.wait(30.0)


def ask(prometheus: httpx.Client, query: str, least: int = 1) -> list[dict[str, Any]]:
    """Return the result of a query, once there is one of so many series."""
    deadline_s = time.monotonic() + WAIT_S
    while True:
        result = []
        with suppress(httpx.TransportError):  # it has not started yet; a moment later it says so with 503
            answer = prometheus.get("/query", params={"query": query})
            result = answer.json()["data"]["result"] if answer.status_code == 200 else []
        if len(result) >= least:
            return result  # type: ignore[no-any-return]
        assert time.monotonic() < deadline_s, f"{query} gave {result}"
        time.sleep(0.3)


def test_it_scrapes_every_zone_under_its_name(prometheus: httpx.Client, answers: dict[str, dict[str, float]]) -> None:
    for target in ("cpu_cores", "memory_mb", "bandwidth_mbps", "latency_ms"):
        found = {series["metric"]["zone"]: series for series in ask(prometheus, f"stgnn_{target}", len(NAMES))}
        assert {name: float(series["value"][1]) for name, series in found.items()} == {
            name: answer[target] for name, answer in answers.items()
        }
        assert {frozenset(series["metric"]) for series in found.values()} == {
            frozenset({"__name__", "zone", "instance", "job"})
        }
    assert ask(prometheus, "up")[0]["value"][1] == "1"


@pytest.mark.usefixtures("answers")
def test_twins_agree_in_queries(prometheus: httpx.Client) -> None:
    ask(prometheus, "stgnn_memory_bytes", len(NAMES))
    for query in (
        "abs(stgnn_memory_bytes / 1e6 - on (zone) stgnn_memory_mb) > 1e-6",
        "abs(stgnn_latency_seconds * 1e3 - on (zone) stgnn_latency_ms) > 1e-6",
        "abs(stgnn_bandwidth_bytes_per_second * 8 / 1e6 - on (zone) stgnn_bandwidth_mbps) > 1e-6",
    ):
        answer = prometheus.get("/query", params={"query": query}).json()
        assert (answer["status"], answer["data"]["result"]) == ("success", [])


def test_a_deleted_zone_is_stale_at_the_next_scrape(prometheus: httpx.Client, served: Server) -> None:
    served.predict("short-lived", 1)
    ask(prometheus, 'stgnn_cpu_cores{zone="short-lived"}')
    served.client.delete("/zones", params={"zone_name": "short-lived"})
    ask(prometheus, 'absent(stgnn_cpu_cores{zone="short-lived"})')


@pytest.mark.usefixtures("answers")
def test_promtool_objects_only_to_the_units_that_were_asked_for(served: Server) -> None:
    page = served.client.get("/metrics").content
    run = subprocess.run([program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False)
    said = run.stdout.decode() + run.stderr.decode()
    assert "error while linting" not in said, said
    objected = {line.split()[0] for line in said.splitlines() if line}
    assert objected <= {"stgnn_latency_ms", "stgnn_memory_mb", "stgnn_bandwidth_mbps"}, said
