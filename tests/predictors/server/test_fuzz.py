"""Requests that nobody thought of: schemathesis, with all its checks, reads the OpenAPI document and breaks it.

``METAVERSE_FUZZ_EXAMPLES`` says how many for each operation and phase; 1000 make more than ten thousand requests.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.predictors.server.servers import Server, Start

EXAMPLES = int(os.environ.get("METAVERSE_FUZZ_EXAMPLES", "20"))
KEY = "a-key-that-may-do-everything"


def fuzz(server: Server, folder: Path, *arguments: str) -> None:
    """Run schemathesis against a server, and assert that it found nothing."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    seed = ["--seed", "1"] if os.environ.get("CI") else []  # a change is not to blame for another roll of the dice
    command = [program, "run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", *seed, *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def answered(server: Server, **headers: str) -> dict[str, float]:
    """Return how many requests were answered with each status, without those that asked whether it is ready."""
    page = server.client.get("/metrics", headers=headers).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == "stgnn_http_requests_total" and sample.labels["route"] != "/readyz":
                found[sample.labels["status"]] = found.get(sample.labels["status"], 0.0) + sample.value
    return found


@pytest.mark.timeout(max(300, 2 * EXAMPLES))
def test_no_request_is_answered_wrongly(start: Start, tmp_path: Path) -> None:
    server = start("command", "--max-zones", "100000", "--scenario", "multi_zone")
    fuzz(server, tmp_path, "--max-examples", str(EXAMPLES))
    found = answered(server)
    assert sum(found.values()) > 10 * EXAMPLES
    assert {status for status in found if status.startswith("5")} == set()
    assert {"200", "204", "400", "404", "405", "422"} <= set(found)
    assert server.process.poll() is None


def test_no_request_gets_past_the_key(start: Start, tmp_path: Path) -> None:
    server = start("command", environment={"METAVERSE_API_KEY": KEY})
    fuzz(server, tmp_path, "--max-examples", str(max(1, EXAMPLES // 4)), "--header", f"X-API-Key: {KEY}")
    found = answered(server, **{"X-API-Key": KEY})
    assert found["401"] > 5
    assert {status for status in found if status.startswith("5")} == set()
