"""A thousand zones in one cycle: how many requests, how long, how much memory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bridges.control_plane import ControlPlane, deployment
from tests.bridges.kubernetes_site import SETUP

ZONES, CHANGED = 1000, 200
MOST_S, MOST_CPU_S, MOST_REQUESTS_PER_S, MOST_MB = 15.0, 7.5, 50.0, 300.0
SCRIPT = Path(__file__).with_name("one_cycle.py")


@pytest.fixture
def thousand(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """Make the Deployments, with controllers stopped: what they would do with them is not the point."""
    root = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    controllers = control_plane.process("kube-controller-manager")
    os.kill(controllers, signal.SIGSTOP)

    def make(number: int) -> None:
        manifest = deployment(f"zone-{number:04d}", team="zones")
        control_plane.call("POST", root, manifest, fieldManager=SETUP)
        status = {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
        }
        control_plane.call("PATCH", f"{root}/zone-{number:04d}/status", {"status": status}, "merge")

    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(make, range(ZONES)))
        yield namespace
        control_plane.call("DELETE", root, propagationPolicy="Background")
    finally:
        os.kill(controllers, signal.SIGCONT)


def test_a_cycle_of_a_thousand_zones_is_short_and_light(
    control_plane: ControlPlane, thousand: str, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, str(SCRIPT), str(control_plane.kubeconfig), thousand, str(CHANGED), SETUP]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    took = json.loads(run.stdout)
    record_property("took", took)
    print(took)
    assert (took["zones"], took["told"], took["results"]) == (ZONES, 0, {"written": CHANGED})
    assert took["cores"] == {"0.2": CHANGED, "0.1": ZONES - CHANGED}
    # On a machine that is busy with other things everything takes longer, the API server too.
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert took["wall_s"] < MOST_S * busy, took
    assert took["cpu_s"] < MOST_CPU_S, took
    assert took["requests"] / took["wall_s"] <= MOST_REQUESTS_PER_S, took
    assert took["peak_mb"] < MOST_MB, took
