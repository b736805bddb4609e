"""The zones' own program, built as its Dockerfile builds it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridges.metric_names import WORKLOAD
from tests.absent import unavailable
from tests.bridges.control_plane import free_port, wait_for
from tests.bridges.installation import FILES


@pytest.fixture(scope="module")
def zone_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zone's program, built as its Dockerfile does."""
    if shutil.which("gcc") is None:
        unavailable("no program gcc")
    folder = tmp_path_factory.mktemp("zone")
    (folder / "zone.c").write_text(FILES["images/zone.c"], encoding="utf-8")
    build = next(line for line in FILES["images/zone.Dockerfile"].splitlines() if line.startswith("RUN"))
    command = build.removeprefix("RUN ").replace(" /zone ", f" {folder}/zone ").split()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "zone"


@pytest.fixture
def zone(zone_program: Path) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    port = free_port()
    environment = {"ZONE": "zone-7", "PORT": str(port), "WORK_MS": "2", "THREADS": "4", "DRAIN_MS": "300"}
    process = subprocess.Popen([zone_program], env=environment)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10.0) as client:

        def serves() -> bool:
            try:
                return client.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(serves, "the zone")
        yield client, process
    process.kill()
    process.wait(10.0)


def test_a_zone_spends_what_it_is_asked_and_tells(zone: tuple[httpx.Client, Any]) -> None:
    client, _ = zone
    for _ in range(5):
        assert len(client.get("/work?ms=4").content) == 1024
    assert client.get("/work").status_code == 200
    for bad in ("/work?ms=nan", "/work?ms=-1", "/work?ms=1e9", "/work?ms=4x", "/workshop"):
        assert client.get(bad).status_code in {400, 404}
    page = client.get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert {name.partition("{")[0] for name in values} == {s for metric in WORKLOAD.values() for s in metric.queried}
    assert values['zone_requests_total{zone="zone-7",code="200"}'] == "6"
    assert values['zone_request_seconds_count{zone="zone-7"}'] == "6"
    assert 0.022 <= float(values['zone_busy_seconds_total{zone="zone-7"}']) < 0.03
    helped = {name: (kind, text) for name, text, kind in re.findall(r"# HELP (\S+) (.*)\n# TYPE \1 (\w+)", page)}
    assert helped == {name: (metric.kind, metric.help) for name, metric in WORKLOAD.items()}


def test_a_zone_that_is_told_to_end_drains(zone: tuple[httpx.Client, "subprocess.Popen[bytes]"]) -> None:
    client, process = zone
    process.terminate()
    wait_for(lambda: client.get("/healthz").status_code == 503, "the drain")
    assert client.get("/work").status_code == 200
    assert process.wait(10.0) == 0


@pytest.mark.parametrize("setting", [{"ZONE": 'a"b'}, {"PORT": "0"}, {"WORK_MS": "nan"}, {"THREADS": "many"}])
def test_a_zone_does_not_start_with_nonsense(zone_program: Path, setting: dict[str, str]) -> None:
    run = subprocess.run([zone_program], env=setting, capture_output=True, text=True, check=False, timeout=10.0)
    assert run.returncode == 2
    assert next(iter(setting)) in run.stderr
