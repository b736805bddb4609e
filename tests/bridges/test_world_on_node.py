"""A world of real pods: measured by a real Prometheus and the kubelet, looked at without a single write."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import httpx
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from typer.testing import CliRunner

from bridges.clock import ManualClock, SystemClock
from bridges.cluster import ClusterWorld
from bridges.contracts import Reading
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.settings import ClusterSettings
from bridges.telemetry.combined import CombinedSource
from bridges.telemetry.kubelet import KubeletSource
from bridges.telemetry.metrics_api import MetricsApiSource
from bridges.telemetry.prometheus import PrometheusSource
from bridges.telemetry.quality import QualityLimits
from metaverse_env.cli import app
from metaverse_env.panels import load_panel
from metaverse_env.telemetry import Command
from metaverse_env.testing import check_world
from tests.bridges.control_plane import AuditLog, ControlPlane, rule, wait_for

LIMITS = QualityLimits(scrape_interval_s=15.0, starting_s=5.0)
READER = [
    rule("apps", "deployments replicasets", "get list"),
    rule("", "pods limitranges resourcequotas events", "get list"),
    rule("autoscaling", "horizontalpodautoscalers", "list"),
    rule("policy", "poddisruptionbudgets", "list"),
    rule("metrics.k8s.io", "pods", "list"),
]


@pytest.fixture
def reading(
    kube_node: ControlPlane, namespace: str, deploy: Callable[..., str], service_account_kubeconfig: Callable[..., Path]
) -> Iterator[tuple[KubernetesCluster, ApiClient]]:
    """Return two zones of real pods, seen by an account that may only read."""
    for name in ("zone-1", "zone-2"):
        deploy(name, cpu="300m", memory="64Mi", team="zones")
    kubeconfig = service_account_kubeconfig(READER, name="reader", cluster_rules=[rule("", "nodes pods", "get list")])
    client = ApiClient.from_kubeconfig(kubeconfig)
    yield KubernetesCluster(client, ClusterSettings(namespace=namespace, selector="team=zones")), client
    client.close()


@pytest.fixture
def kubelet(kube_node: ControlPlane) -> Iterator[KubeletSource]:
    kube_node.apply_file("rbac.yaml")
    token = kube_node.state / "kubelet.token"
    config = kube_node.script("sa-kubeconfig.sh", "default", "scraper", "3600")
    token.write_text(config.split("{token: ")[1].split("}")[0], encoding="utf-8")
    (node,) = kube_node.get("/api/v1/nodes")["items"]
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    source = KubeletSource(
        [f"https://{kube_node.node_ip}:{port}"], str(token), str(kube_node.pki / "ca.crt"), limits=LIMITS
    )
    yield source
    source.close()


def load(address: str, rate: float, seconds: float) -> None:
    """Ask a zone so often, for so long; at most 50 times a second."""
    end = time.monotonic() + seconds
    with httpx.Client(base_url=f"http://{address}:8080", trust_env=False, timeout=10.0) as http:
        while time.monotonic() < end:
            begin = time.monotonic()
            http.get("/work")
            time.sleep(max(0.0, 1.0 / min(rate, 50.0) - (time.monotonic() - begin)))


def all_fresh(found: Mapping[str, Reading]) -> Mapping[str, Reading] | None:
    return found if all(one.quality == "fresh" for one in found.values()) else None


def test_a_zone_is_measured_by_prometheus_and_the_kubelet_alike(
    reading: tuple[KubernetesCluster, ApiClient], prometheus: str, kubelet: KubeletSource
) -> None:
    cluster, _client = reading
    workloads = cluster.read().workloads
    busy = threading.Thread(target=load, args=(workloads[0].pods[0].address, 10.0, 60.0))
    busy.start()
    # cAdvisor looks about every ten seconds, sometimes fifteen, and a rate needs two looks within its window.
    source = PrometheusSource(prometheus, "zone", limits=LIMITS, window_s=35.0)
    time.sleep(36.0)
    seen = wait_for(lambda: all_fresh(source.read(workloads)["zone-1"]), "all fields to be fresh", 20.0)
    node = kubelet.read(workloads)["zone-1"]
    nobody = source.read(workloads)["zone-2"]
    busy.join()
    source.close()
    assert 6.0 < seen["requests_per_s"].value < 11.0
    assert 0.05 < seen["cpu_cores"].value < 0.25
    assert seen["cpu_cores"].value == pytest.approx(node["cpu_cores"].value, rel=0.5)
    assert seen["memory_mb"].value == pytest.approx(node["memory_mb"].value, rel=0.5)
    assert 10.0 < seen["latency_p50_ms"].value <= seen["latency_ms"].value <= seen["latency_p99_ms"].value
    assert 0.0 <= seen["violated_share"].value <= 1.0
    assert nobody["requests_per_s"].value == 0.0
    assert nobody["latency_ms"].code == "NoRequests"


def test_t03_a_metrics_api_that_is_not_there_is_a_missing_value(reading: tuple[KubernetesCluster, ApiClient]) -> None:
    cluster, client = reading
    found = MetricsApiSource(client).read(cluster.read().workloads)
    assert {one.code for one in found["zone-1"].values()} == {"NoMetricsAPI"}
    assert {one.quality for one in found["zone-1"].values()} == {"missing"}


def test_a_world_of_real_pods_keeps_the_contract_and_writes_nothing(
    reading: tuple[KubernetesCluster, ApiClient],
    prometheus: str,
    kubelet: KubeletSource,
    audit_log: AuditLog,
    namespace: str,
) -> None:
    cluster, _ = reading
    source = CombinedSource(PrometheusSource(prometheus, "zone", limits=LIMITS), kubelet)
    audit_log.mark()
    world = ClusterWorld(cluster, source, clock=ManualClock(), tick_s=5.0)
    check_world(world, deterministic=False)
    spec = replace(gym.spec("Metaverse/MultiZone-v0"), nondeterministic=True)
    env = gym.make(spec, world=world, forecaster="none")
    check_env(env.unwrapped, skip_render_check=True, skip_close_check=True)
    telemetry = world.reset(seeds=[None])
    tick = world.step(Command.of(2.0 * telemetry.allocation))
    assert telemetry.zones["ready"].tolist() == [[1.0, 1.0]]
    assert telemetry.allocation[0, 0].tolist()[:2] == pytest.approx([0.3, 67.108864])
    assert tick.report is not None
    assert [change.zone for change in tick.report["changes"]] == ["zone-1", "zone-2"]
    entries = audit_log.since(user="reader", namespace=namespace)
    assert entries
    assert [entry for entry in entries if entry.mutating] == []
    env.close()


def test_what_a_world_applies_comes_about(
    kube_node: ControlPlane, namespace: str, deploy: Callable[..., str], kubelet: KubeletSource, audit_log: AuditLog
) -> None:
    deploy("zone-1", cpu="200m", memory="64Mi", team="zones")
    client = ApiClient.from_kubeconfig(kube_node.kubeconfig)
    settings: dict[str, Any] = {"allow_rollout": True, "conflict": "force", "force_from": ("test-setup",)}
    cluster = KubernetesCluster(client, ClusterSettings(namespace=namespace, selector="team=zones", **settings))
    world = ClusterWorld(cluster, kubelet, clock=SystemClock(), tick_s=1.0, apply=True)

    def measured() -> bool:
        return bool(world.reset(seeds=[None]).observed.all())

    wait_for(measured, "the kubelet's first values", 60.0, 1.0)
    audit_log.mark()
    command = Command.of(world.reset(seeds=[None]).allocation.copy())
    command.allocation[0, 0, 0] = 0.3
    ticks = [world.step(command) for _ in range(12)]
    client.close()
    receipts = [receipt for tick in ticks for receipt in tick.report["receipts"]]
    assert [receipt.result for receipt in receipts].count("written") == 1, receipts
    assert ticks[-1].telemetry.allocation[0, 0, 0] == pytest.approx(0.3, rel=0.02)
    made = [entry for entry in audit_log.since(namespace=namespace) if entry.mutating and entry.code < 400]
    patches = [
        entry for entry in made if (entry.verb, entry.resource, entry.subresource) == ("patch", "deployments", "")
    ]
    assert len(patches) == 1, patches


def test_the_command_records_real_pods(
    reading: tuple[KubernetesCluster, ApiClient],
    kube_node: ControlPlane,
    prometheus: str,
    namespace: str,
    audit_log: AuditLog,
    tmp_path: Path,
) -> None:
    options = {"--namespace": namespace, "--selector": "team=zones", "--kubeconfig": str(kube_node.kubeconfig)}
    options |= {"--prometheus": prometheus, "--tick": "1", "--ticks": "3"}
    arguments = ["bridge", "record", str(tmp_path / "panel.npz"), *(text for pair in options.items() for text in pair)]
    found = CliRunner().invoke(app, [*arguments, "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["ticks"] == 3
    panel = load_panel(tmp_path / "panel.npz")
    assert panel.names == ("zone-1", "zone-2")
    assert panel.feature("allocated_cpu_cores").tolist() == pytest.approx(np.full((3, 2), 0.3))
    assert [entry for entry in audit_log.since(namespace=namespace, user="admin") if entry.mutating] == []
