"""Requests that nobody thought of: schemathesis, with all its checks, reads the OpenAPI document and breaks it.

``METAVERSE_FUZZ_REQUESTS`` says how many at least; ten thousand take some minutes.
"""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from random import randrange

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.predictors.server.servers import Server, Start

REQUESTS = int(os.environ.get("METAVERSE_FUZZ_REQUESTS", "300"))
SEED = 1 if os.environ.get("CI") else randrange(1, 1_000_000)  # no change is to blame for another roll of the dice
EXAMPLES = 20
KEY = "a-key-that-may-do-everything"


def fuzz(server: Server, folder: Path, seed: int, *arguments: str) -> None:
    """Run schemathesis against a server, some hundred requests, and assert that it found nothing."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", "--seed", str(seed)]
    command += ["--max-examples", str(EXAMPLES), *arguments]
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


@pytest.mark.timeout(max(300, REQUESTS))
def test_no_request_is_answered_wrongly(start: Start, tmp_path: Path) -> None:
    server = start("command", "--max-zones", "100000", "--scenario", "multi_zone")
    for seed in count(SEED):
        fuzz(server, tmp_path, seed)
        found = answered(server)
        if sum(found.values()) >= REQUESTS:
            break
    assert {status for status in found if status.startswith("5")} == set()
    assert {"200", "204", "400", "404", "405", "422"} <= set(found)
    assert server.process.poll() is None


def test_no_request_gets_past_the_key(start: Start, tmp_path: Path) -> None:
    server = start("command", environment={"METAVERSE_API_KEY": KEY})
    fuzz(server, tmp_path, SEED, "--header", f"X-API-Key: {KEY}")
    found = answered(server, **{"X-API-Key": KEY})
    assert found["401"] > 5
    assert {status for status in found if status.startswith("5")} == set()
