"""The controller as the manifests start it, on a real API server under the manifests' account."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from bridges.metric_names import BRIDGE
from tests.bridges.control_plane import AuditLog, ControlPlane, free_port, wait_for

ROOT = Path(__file__).parents[2]


class Controller(NamedTuple):
    """A running controller, and the user that the API server knows it as."""

    url: str
    user: str
    process: "subprocess.Popen[bytes]"


@pytest.fixture
def settings(control_plane: ControlPlane) -> Iterator[Settings]:
    """Return the settings of an installation of this test's own."""
    chosen = Settings(namespace=f"shadow-{secrets.token_hex(3)}", zones=2, zone="zone:1", pull="Never", tick_s=1.0)
    files = make(chosen)
    paths = ("namespace.yaml", "rbac.yaml", "stgnn-zones.yaml")
    control_plane.apply(*(document for path in paths for document in yaml.safe_load_all(files[path])))
    yield chosen
    control_plane.send("DELETE", f"/api/v1/namespaces/{chosen.namespace}")


def arguments(settings: Settings, kubeconfig: Path, port: int, folder: Path) -> list[str]:
    """Return the manifests' own arguments, with what is otherwise in this machine than in a pod."""
    (deployment,) = [
        document
        for document in yaml.safe_load_all(make(settings)["controller.yaml"])
        if document["kind"] == "Deployment"
    ]
    words: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    here = {"--host": "127.0.0.1", "--port": str(port), "--prometheus": "http://127.0.0.1:1"}
    here |= {"--checkpoint": str(folder / "checkpoint.json"), "--pause-file": str(folder / "paused")}
    changed = [here.get(before, word) for before, word in zip(["", *words], words, strict=False)]
    return [*changed, "--kubeconfig", str(kubeconfig), "--forecaster", "none"]


@pytest.fixture
def controller(control_plane: ControlPlane, settings: Settings, tmp_path: Path) -> Iterator[Controller]:
    kubeconfig, port = tmp_path / "kubeconfig", free_port()
    kubeconfig.write_text(control_plane.script("sa-kubeconfig.sh", settings.namespace, "controller", "3600"), "utf-8")
    command = [sys.executable, "-m", "metaverse_env.cli", *arguments(settings, kubeconfig, port, tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "NO_PROXY": "*"})
    yield Controller(f"http://127.0.0.1:{port}", f"{settings.namespace}:controller", process)
    process.terminate()
    assert process.wait(30.0) == 0, (tmp_path / "log").read_text()


def asked(url: str) -> tuple[int, Any]:
    try:
        answer = httpx.get(url, timeout=5.0, trust_env=False)
    except httpx.TransportError:
        return 0, None
    return answer.status_code, answer.text


def test_t73_it_gets_ready_shows_its_metrics_and_writes_nothing(
    control_plane: ControlPlane, controller: Controller, audit_log: AuditLog
) -> None:
    wait_for(lambda: asked(f"{controller.url}/readyz")[0] == 200, "readiness", 90.0, 0.5)
    assert asked(f"{controller.url}/healthz")[0] == 200
    wait_for(lambda: "metaverse_bridge_replicas{" in (asked(f"{controller.url}/metrics")[1] or ""), "zones", 30.0)
    page = asked(f"{controller.url}/metrics")[1]
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert {metric.name.removesuffix("_total") for metric in BRIDGE.values()} <= set(families)
    zones = {sample.labels["zone"] for sample in families["metaverse_bridge_replicas"].samples}
    assert zones == {"zone-1", "zone-2"}  # and neither server nor Prometheus
    modes = {s.labels["mode"]: s.value for s in families["metaverse_bridge_mode"].samples}
    assert modes["active"] == modes["canary"] == 0.0
    requests = audit_log.since(0, user=controller.user)
    assert requests
    assert [one for one in requests if one.mutating and one.resource != "selfsubjectaccessreviews"] == []
    assert {one.resource for one in requests if one.code == 403} <= {"nodes", "pods"}  # of the cluster, and optional


def test_a_right_that_is_taken_away_ends_readiness_and_is_named(
    control_plane: ControlPlane, settings: Settings, controller: Controller
) -> None:
    wait_for(lambda: asked(f"{controller.url}/readyz")[0] == 200, "readiness", 90.0, 0.5)
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{settings.namespace}/roles/controller"
    rules = control_plane.get(path)["rules"]
    fewer = [rule for rule in rules if "horizontalpodautoscalers" not in rule["resources"]]
    control_plane.call("PATCH", path, {"rules": fewer}, kind="merge")
    wait_for(lambda: asked(f"{controller.url}/readyz")[0] == 503, "its end", 60.0, 0.5)
    (reason, *_) = json.loads(asked(f"{controller.url}/readyz")[1])["reasons"]
    assert "verb 'list' on 'horizontalpodautoscalers.autoscaling'" in reason
    control_plane.call("PATCH", path, {"rules": rules}, kind="merge")
    wait_for(lambda: asked(f"{controller.url}/readyz")[0] == 200, "readiness", 60.0, 0.5)
