"""The trial on a real node: one zone in each arm, a load that steps up and back, and the controller as a process."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from metaverse_env.cli import app
from tests.bridges.control_plane import ControlPlane

POLICY = {"cpu_target": 0.22, "memory_target": 0.9, "lead_s": 20.0, "window_s": 10.0, "dead_band": 0.1}
PACES = {
    "scaleUp": {"policies": [{"type": "Percent", "value": 300, "periodSeconds": 5}]},
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Percent", "value": 75, "periodSeconds": 15}],
    },
}
SHIELD = {"cpu_cores": PACES, "cycle_share": 1.0, "reversals_per_h": 60, "utilisation": [0.05, 1.0]}
QUERIES = """
preset = "zone"
[cpu_cores]
value = "sum by (zone) (rate(zone_busy_seconds_total[$window]))"
stamp = "max by (zone) (timestamp(zone_busy_seconds_total))"
[users]
value = "sum by (zone) (rate(zone_requests_total[$window]))"
stamp = "max by (zone) (timestamp(zone_requests_total))"
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    tuned = {"controllers": {"forecast": {"parameters": POLICY}}}
    for name, table in (("policy", tuned), ("shield", SHIELD), ("settings", {"states": {"shadow_cycles": 1}})):
        (tmp_path / f"{name}.json").write_text(json.dumps(table), encoding="utf-8")
    (tmp_path / "queries.toml").write_text(QUERIES, encoding="utf-8")
    return tmp_path


def controller_options(files: Path, prometheus: str) -> list[str]:
    policy = ["--policy", f"forecast@{files}/policy.json", "--forecaster", "persistence"]
    telemetry = ["--prometheus", prometheus, "--queries", f"{files}/queries.toml", "--scrape-s", "5", "--tick-s", "5"]
    rules = ["--shield", f"{files}/shield.json", "--settings", f"{files}/settings.json"]
    writing = ["--rollouts", "--rollout-cool-down-s", "10", "--take-from", "metaverse-trial"]
    return [*policy, *telemetry, *rules, *writing, "--port", "0"]


@pytest.mark.timeout(600)
def test_a_step_of_load_is_followed_up_and_down(
    kube_node: ControlPlane, prometheus: str, namespace: str, files: Path
) -> None:
    out = files / "trial"
    command = ["bridge", "trial", "--namespace", namespace, "--kubeconfig", str(kube_node.kubeconfig)]
    shape = ["--zones", "1", "--step-s", "40", "--tail-s", "30", "--out", str(out), "--json"]
    ended = CliRunner().invoke(app, [*command, *shape, "--", *controller_options(files, prometheus)])
    log = (out / "controller.log").read_text(encoding="utf-8") if out.exists() else ""
    assert ended.exit_code == 0, ended.output + log
    found: dict[str, Any] = json.loads(ended.stdout)
    small, large, controlled = (found["arms"][name] for name in ("fixed-300m", "fixed-1000m", "controlled"))
    assert small["requests"] == large["requests"] == controlled["requests"] > 500
    assert controlled["failed"] <= 0.02 * controlled["requests"], log  # pods were replaced under load
    assert small["core_s"] < controlled["core_s"] < large["core_s"], log
    assert found["given_back"], log
    assert (out / "trial.png").stat().st_size > 10_000
    assert "active (Promoted)" in log
    assert kube_node.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"] == []
