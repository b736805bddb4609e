"""What Prometheus gets: names, labels, values, and what is gone (checklist T77-T80)."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.predictors.server.servers import ROOT, Server, Start

REQUIRED = ("stgnn_cpu_cores", "stgnn_memory_mb", "stgnn_bandwidth_mbps", "stgnn_latency_ms")
TWINS = ("stgnn_memory_bytes", "stgnn_bandwidth_bytes_per_second", "stgnn_latency_seconds")
UPDATED = "stgnn_last_update_timestamp_seconds"
NAMES = [
    'say "hi"',
    "a/b/../c",
    "back\\slash",
    "two\nlines",
    "tab\tand\rreturn",
    "広場 🏟",
    "{zone=}",
    "'",
    " ",
    "x" * 128,
]


def samples(server: Server) -> list[Sample]:
    page = server.client.get("/metrics")
    assert page.status_code == 200
    return [sample for family in text_string_to_metric_families(page.text) for sample in family.samples]


def of_zone(server: Server, zone: str) -> dict[str, float]:
    return {sample.name: sample.value for sample in samples(server) if sample.labels.get("zone") == zone}


def test_t77_required_gauges_and_their_twins_have_the_label_zone_only(start: Start) -> None:
    server = start("echo")
    for users, name in enumerate(NAMES, start=1):
        assert server.predict(name, users).status_code == 200
    for users, name in enumerate(NAMES, start=1):
        # the echo: users now, users over the history, neighbours' users, 1 + age
        assert of_zone(server, name) == {
            "stgnn_cpu_cores": users,
            "stgnn_memory_mb": users,
            "stgnn_memory_bytes": users * 1e6,
            "stgnn_bandwidth_mbps": 0.0,
            "stgnn_bandwidth_bytes_per_second": 0.0,
            "stgnn_latency_ms": 1.0,
            "stgnn_latency_seconds": 0.001,
            UPDATED: pytest.approx(time.time(), abs=60.0),
        }
    found = [sample for sample in samples(server) if sample.name in (*REQUIRED, *TWINS, UPDATED)]
    assert {tuple(sample.labels) for sample in found} == {("zone",)}
    assert len(found) == 8 * len(NAMES)


def test_t77_a_megabit_is_125_000_bytes(start: Start) -> None:
    server = start("echo", scenario="multi_zone")
    server.predict("zone-2", 40)
    server.predict("zone-1", 1)  # zone-2 is the one neighbour of zone-1 that has anybody
    found = of_zone(server, "zone-1")
    assert (found["stgnn_bandwidth_mbps"], found["stgnn_bandwidth_bytes_per_second"]) == (40.0, 5e6)


def test_t77_gauges_are_what_was_answered(shipped: Server) -> None:
    answer = shipped.predict("as answered", 12.5).json()
    found = of_zone(shipped, "as answered")
    assert {f"stgnn_{target}": value for target, value in answer.items()} == {name: found[name] for name in REQUIRED}


def test_t78_a_deleted_zone_leaves_no_series(echo: Server) -> None:
    name = "deleted / zone?&=%"
    assert echo.predict(name, 3).status_code == 200
    assert of_zone(echo, name)
    assert echo.client.delete("/zones", params={"zone_name": name}).status_code == 204
    assert of_zone(echo, name) == {}
    assert name not in [zone["zone_name"] for zone in echo.client.get("/zones").json()["zones"]]
    assert echo.client.delete("/zones", params={"zone_name": name}).status_code == 404
    assert echo.predict(name, 5).json()["memory_mb"] == 5.0  # and its past is forgotten


def test_t78_a_silent_zone_shows_its_age_and_then_disappears(start: Start) -> None:
    server = start("echo", tick_s=0.25)  # remembered for 12 ticks: 3 s
    server.predict("silent", 3)
    reported_s = of_zone(server, "silent")[UPDATED]
    time.sleep(1.5)
    assert of_zone(server, "silent")[UPDATED] == reported_s
    time.sleep(2.0)
    assert of_zone(server, "silent") == {}
    assert server.client.get("/zones").json()["zones"] == []
    server.predict("other", 1)
    assert server.predict("silent", 4).json()["memory_mb"] == 4.0


def parents() -> Iterator[int]:
    """Yield the parent of every process of this machine."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has just ended
            yield int(path.read_text().rpartition(")")[2].split()[1])


def test_t79_there_is_one_process_whatever_the_environment_says(start: Start, tmp_path: Path) -> None:
    server = start("command", environment={"WEB_CONCURRENCY": "4", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)})
    server.predict("plaza", 5)
    found = list(parents())
    assert os.getpid() in found  # the server's, so that its own children would have been found as well
    assert server.process.pid not in found
    series = Counter((sample.name, tuple(sorted(sample.labels.items()))) for sample in samples(server))
    assert max(series.values()) == 1
    assert not any("pid" in sample.labels for sample in samples(server))


def test_t79_a_second_server_cannot_take_the_port(echo: Server) -> None:
    port = echo.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "metaverse_env.cli", "serve", "--port", port]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"metaverse: cannot listen on 127.0.0.1 port {port}" in second.stderr
    assert "--port" in second.stderr


def test_t80_there_are_no_more_zones_than_allowed(start: Start) -> None:
    server = start("echo", max_zones=3)
    assert [server.predict(f"zone {number}", 1).status_code for number in range(5)] == [200, 200, 200, 409, 409]
    assert "3 zones" in server.predict("zone 4", 1).json()["detail"]
    assert server.predict("zone 1", 2).json()["memory_mb"] == 2.0
    assert len([sample for sample in samples(server) if sample.name == "stgnn_cpu_cores"]) == 3
    server.client.delete("/zones", params={"zone_name": "zone 0"})
    assert server.predict("zone 4", 1).status_code == 200
    listed = server.client.get("/zones").json()
    assert ([zone["zone_name"] for zone in listed["zones"]], listed["max_zones"]) == (["zone 1", "zone 2", "zone 4"], 3)


def test_requests_are_counted_by_route_and_no_path_makes_a_series(echo: Server) -> None:
    for number in range(3):
        echo.client.get(f"/nothing/{number}")
    counted = {
        (sample.labels["route"], sample.labels["status"])
        for sample in samples(echo)
        if sample.name == "stgnn_http_requests_total"
    }
    assert ("unknown", "404") in counted
    assert {route for route, _ in counted} <= {
        "unknown", "/predict", "/predict/batch", "/forecast", "/zones", "/metrics", "/healthz", "/readyz", "/openapi.json"
    }  # fmt: skip


def test_the_page_is_openmetrics_for_whom_asks_so(echo: Server) -> None:
    page = echo.client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert page.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert page.text.endswith("# EOF\n")
