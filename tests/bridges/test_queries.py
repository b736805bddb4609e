"""Every PromQL of dashboards and rules, asked of a real Prometheus that scrapes real series.

Prometheus reads the configuration of the manifests, with fixed targets in the place of the discovery that Debian's build
lacks, and scrapes every second. The zones are those of the manifests, on a real node; a load is sent to them; cAdvisor is
the kubelet's. What the bridge shows is of a cluster in memory whose zones have the same names.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import start_http_server

from bridges.clock import ManualClock, SystemClock
from bridges.contracts import Amounts, Change
from bridges.dryrun import DryRunCluster
from bridges.manifests.dashboards import dashboards
from bridges.manifests.prometheus import configuration, files
from bridges.manifests.rules import alerting, recording
from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from bridges.metric_names import BRIDGE
from bridges.prometheus import ZONE_NAMES, Exporter, ZoneReport
from bridges.shown import ages_s, allocated, measured, proposed
from metaverse_env.scenario import load_scenario
from tests.bridges.control_plane import ControlPlane, free_port, wait_for
from tests.bridges.promql import as_asked, expressions

ZONES = 3
SETTINGS = Settings(namespace=f"asked-{secrets.token_hex(3)}", zones=ZONES, zone="zone:1", pull="Never", zone_cpu="50m")
LABELS = {
    "zone": "", "mode": "shadow", "outcome": "written", "reason": "Resized", "rule": "dead_band", "source": "prometheus",
    "field": "cpu_cores", "code": "200", "verb": "get", "version": "", "policy": "",
}  # fmt: skip

AMOUNTS = {"metaverse_bridge_violated_requests_total": 1.0, "metaverse_bridge_skipped_ticks_total": 0.0}


class Feed:
    """A loop that shows a cluster in memory, a tick of 15 s every half second."""

    def __init__(self, exporter: Exporter) -> None:
        plain = load_scenario("multi_zone")
        few = plain.with_changes(layout=plain.layout.model_copy(update={"zones": ZONES}))
        self.clock, self.exporter, self.stop = ManualClock(), exporter, threading.Event()
        self.cluster = DryRunCluster(few, clock=self.clock, amounts=Amounts(2.0, 2048.0))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while not self.stop.wait(0.5):
            self.clock.advance(15.0)
            self.tick()

    def tick(self) -> None:
        workloads = self.cluster.read().workloads
        readings = self.cluster.telemetry.read(workloads)
        reports = {}
        for workload in workloads:
            own = readings[workload.zone]
            change = Change(workload.zone, requests=Amounts(1.5, 1024.0))
            gauges = {**measured(own), **allocated(workload), **proposed(change, workload)}
            gauges |= {"metaverse_bridge_latency_objective_seconds": 0.1, "metaverse_bridge_zone_writable": 0.0}
            reports[workload.zone] = ZoneReport(
                time.time(), {name: gauges.get(name, 1.0) for name in ZONE_NAMES}, (1.5, 1024.0, 8.0, 80.0), ages_s(own)
            )
        self.exporter.publish(reports)
        self.count()

    def count(self) -> None:
        """Raise whatever else there is, with one set of labels; counters of zones for each of them."""
        for name, metric in BRIDGE.items():
            zones = [f"zone-{number}" for number in range(1, ZONES + 1)] if "zone" in metric.labels else [""]
            for zone in zones:
                labels = {label: zone if label == "zone" else LABELS[label] for label in metric.labels}
                if metric.kind == "counter":
                    self.exporter.count(name, AMOUNTS.get(name, 10.0), **labels)
                elif metric.kind == "histogram":
                    self.exporter.observe(name, 0.02, **labels)
        self.exporter.mode("shadow")
        for name in ("leader", "ready", "out_of_distribution_score"):
            self.exporter.set(f"metaverse_bridge_{name}", 1.0)
        self.exporter.set("metaverse_bridge_source_up", 1.0, source="prometheus")


@pytest.fixture(scope="module")
def exported() -> Iterator[str]:
    """Return the address of a page that lives."""
    exporter, port = Exporter(SystemClock(), "hpa"), free_port()
    feed = Feed(exporter)
    server, thread = start_http_server(port, addr="127.0.0.1", registry=exporter.registry)
    feed.thread.start()
    yield f"127.0.0.1:{port}"
    feed.stop.set()
    feed.thread.join()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def zones(kube_node: ControlPlane) -> Iterator[list[dict[str, Any]]]:
    """Return the pods of the manifests' zones, under a small load that ends with the tests."""
    made = make(SETTINGS)
    paths = ("namespace.yaml", "rbac.yaml", "stgnn-zones.yaml")
    kube_node.apply(*(document for path in paths for document in yaml.safe_load_all(made[path])))
    listed = f"/api/v1/namespaces/{SETTINGS.namespace}/pods"

    def serving() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = kube_node.get(listed)["items"]
        ready = [pod for pod in found if any(c["ready"] for c in pod["status"].get("containerStatuses", []))]
        return ready if len(ready) == ZONES else None

    pods = wait_for(serving, "the zones", 90.0)
    stop = threading.Event()
    thread = threading.Thread(target=load, args=([pod["status"]["podIP"] for pod in pods], stop), daemon=True)
    thread.start()
    yield pods
    stop.set()
    thread.join()
    kube_node.send("DELETE", f"/api/v1/namespaces/{SETTINGS.namespace}")


def load(addresses: list[str], stop: threading.Event) -> None:
    """Ask each zone for 3 ms of CPU five times a second."""
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while not stop.wait(0.2):
            for address in addresses:
                client.get(f"http://{address}:8080/work?ms=3")


@pytest.fixture(scope="module")
def asked(
    kube_node: ControlPlane,
    zones: list[dict[str, Any]],
    exported: str,
    start_prometheus: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], list[Any]]]:
    """Return what asks Prometheus, and waits for an answer."""
    folder = tmp_path_factory.mktemp("configuration")
    (folder / "rules.yml").write_text(files(SETTINGS)["rules.yml"].replace("interval: 15s", "interval: 1s"), "utf-8")
    address = start_prometheus(fixed(kube_node, zones, exported, folder))
    with httpx.Client(base_url=address, trust_env=False, timeout=10.0) as client:

        def ask(expression: str) -> list[Any]:
            answer = client.get("/api/v1/query", params={"query": expression})
            assert answer.status_code == 200, f"{expression}: {answer.text}"
            found: list[Any] = answer.json()["data"]["result"]
            return found

        yield ask


def fixed(plane: ControlPlane, pods: list[dict[str, Any]], exported: str, folder: Path) -> dict[str, Any]:
    """Return the manifests' configuration with fixed targets, and what discovery would have told of pods."""
    config = configuration(SETTINGS)
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(folder / "rules.yml")]
    plane.apply_file("rbac.yaml")
    plane.script("prometheus.sh")
    targets = {
        "zones": [(f"{pod['status']['podIP']}:8080", found(pod)) for pod in pods],
        "controller": [(exported, found(None))],
        "cadvisor": [(f"{plane.node_ip}:{16410 + 20 * plane.slot}", {"__meta_kubernetes_node_name": "node"})],
    }
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
    for job in config["scrape_configs"]:
        del job["kubernetes_sd_configs"]
        job["static_configs"] = [{"targets": [at], "labels": labels} for at, labels in targets[job["job_name"]]]
        if job["job_name"] == "cadvisor":
            job["authorization"] = {"credentials_file": str(plane.state / "scraper.token")}
    return config


def found(pod: dict[str, Any] | None) -> dict[str, str]:
    component = "controller" if pod is None else "zone"
    return {
        "__meta_kubernetes_pod_label_app_kubernetes_io_part_of": "metaverse",
        "__meta_kubernetes_pod_label_app_kubernetes_io_component": component,
        "__meta_kubernetes_pod_container_port_name": "http",
        "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_namespace": SETTINGS.namespace,
        "__meta_kubernetes_pod_name": component if pod is None else pod["metadata"]["name"],
    }


def test_every_panel_shows_something(asked: Callable[[str], list[Any]]) -> None:
    every = [as_asked(expression) for board in dashboards().values() for expression in expressions(board)]
    waiting = dict.fromkeys(every)

    def all_answered() -> bool:
        for expression in list(waiting):
            if asked(expression):
                del waiting[expression]
        return not waiting

    try:
        wait_for(all_answered, "panels", 180.0, 1.0)
    except AssertionError:
        pytest.fail(f"no data: {list(waiting)}")


def test_the_variable_lists_the_zones(asked: Callable[[str], list[Any]]) -> None:
    for board in dashboards().values():
        (variable,) = board["templating"]["list"]
        name, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").split(", ")
        series = wait_for(lambda name=name: asked(name), name)
        assert {one["metric"][label] for one in series} == {"zone-1", "zone-2", "zone-3"}


def test_every_recording_rule_records(asked: Callable[[str], list[Any]]) -> None:
    for rule in recording():
        series = wait_for(lambda rule=rule: asked(rule["record"]), rule["record"], 60.0, 1.0)
        assert {one["metric"]["zone"] for one in series} == {"zone-1", "zone-2", "zone-3"}
    (share,) = {round(float(one["value"][1]), 3) for one in asked("metaverse:violated_requests:ratio_rate5m")}
    assert share == 0.1  # of ten requests one is violated


def test_every_alert_can_be_asked_and_none_fires_of_a_healthy_bridge(asked: Callable[[str], list[Any]]) -> None:
    for rule in alerting(15.0):
        if "BurnsSlowly" not in rule["alert"]:  # a tenth of the requests is violated, which is too much in the long run
            assert asked(rule["expr"]) == [], rule["alert"]


def test_cadvisor_is_known_under_the_names_of_zones(asked: Callable[[str], list[Any]]) -> None:
    for name in ("container_memory_working_set_bytes", "container_cpu_usage_seconds_total"):
        query = f'sum by (zone) ({name}{{container="zone"}})'
        series = wait_for(lambda query=query: asked(query), name, 60.0, 1.0)
        assert {one["metric"]["zone"] for one in series} == {"zone-1", "zone-2", "zone-3"}
    assert asked(f"count by (namespace) ({name})")[0]["metric"] == {"namespace": SETTINGS.namespace}
    assert asked("up == 0") == []
