"""The cluster on a real node: pods run, are replaced, killed for memory, and counted against its room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bridges.contracts import Amounts
from tests.bridges.contract_cluster import ClusterContract
from tests.bridges.contract_cluster import Site as ContractSite
from tests.bridges.control_plane import AuditLog, ControlPlane, Json, wait_for
from tests.bridges.kubernetes_site import Site, container_of, one, zone_of


@pytest.fixture
def node_site(kube_node: ControlPlane, namespace: str, audit_log: AuditLog) -> Iterator[Site]:
    """Return a site whose pods run."""
    made = Site(kube_node, namespace, audit_log)
    yield made
    made.close()


class TestContract(ClusterContract):
    """What the cluster in memory keeps, the real one keeps."""

    @pytest.fixture
    def site(self, node_site: Site) -> ContractSite:
        for name in ("zone-1", "zone-2"):
            node_site.add(name, ready=False)
        node_site.settle()
        return ContractSite(node_site.cluster(), ("zone-1", "zone-2"), Amounts(0.1, 33.554432), node_site.settle)


def test_nodes_and_what_is_asked_of_them_are_read(node_site: Site) -> None:
    node_site.add("zone-1")
    cluster = node_site.cluster(read_nodes=True)
    (node,) = cluster.read().nodes
    assert node.capacity.cpu_cores is not None
    assert node.asked.cpu_cores is not None
    assert node.capacity.cpu_cores >= 1
    assert node.asked.cpu_cores >= 0.1
    assert zone_of(cluster, "zone-1").pods[0].node == node.name


def test_t62_what_no_node_can_hold_is_not_written(node_site: Site) -> None:
    node_site.add("zone-1")
    cluster = node_site.cluster(read_nodes=True)
    for change in ({"cpu": 500.0}, {"replicas": 5000}):
        receipt = one(cluster, "zone-1", **change)  # type: ignore[arg-type]
        assert (receipt.result, receipt.code) == ("refused", "NoCapacity")
    assert node_site.writes() == []


def test_t61_a_single_pod_is_replaced_only_where_that_is_allowed(node_site: Site) -> None:
    path = node_site.add("zone-1")
    receipt = one(node_site.cluster(allow_rollout=False), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("refused", "SingleReplica")
    assert node_site.writes() == []
    before = zone_of(node_site.cluster(), "zone-1").pods[0].name
    assert one(node_site.cluster(), "zone-1", cpu=0.2).result == "written"
    # It surges: until the new pod serves the old one does.
    ready: list[int] = []
    wait_for(
        lambda: ready.append(node_site.plane.get(path)["status"].get("readyReplicas", 0)) or node_site.settled(),
        "it",
        90.0,
    )
    assert min(ready) >= 1
    (pod,) = zone_of(node_site.cluster(), "zone-1").pods
    assert pod.name != before
    assert pod.requests.cpu_cores == 0.2


def test_t61_a_strategy_that_takes_the_zone_away_is_never_used(node_site: Site) -> None:
    def recreate(manifest: Json) -> None:
        manifest["spec"]["strategy"] = {"type": "Recreate"}

    node_site.add("zone-1", recreate)
    receipt = one(node_site.cluster(), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("refused", "Disruptive")
    assert node_site.writes() == []


def test_t60_a_rollout_keeps_to_the_disruption_budget(node_site: Site) -> None:
    def one_fewer(manifest: Json) -> None:
        manifest["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": 1, "maxUnavailable": 1}

    node_site.add("zone-1", one_fewer, replicas=2)
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "zone-1"}}}
    path = node_site.put(
        {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}
    )
    wait_for(lambda: node_site.plane.get(path)["status"].get("currentHealthy") == 2, "the budget")
    receipt = one(node_site.cluster(), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("skipped", "DisruptionBudget")
    assert node_site.writes() == []


def test_t52_a_pod_that_was_killed_for_memory_says_so(node_site: Site, assets: Path) -> None:
    host = yaml.safe_load((assets / "kube" / "python-pod.yaml").read_text(encoding="utf-8"))

    def hungry(manifest: Json) -> None:
        pod, container = manifest["spec"]["template"]["spec"], container_of(manifest)
        pod["volumes"] = host["spec"]["volumes"]
        container["volumeMounts"] = host["spec"]["containers"][0]["volumeMounts"]
        program = "import time; time.sleep(1); x = b'x' * (200 << 20); time.sleep(60)"
        container |= {"command": ["/usr/bin/python3", "-c", program]}
        del container["readinessProbe"]

    node_site.add("zone-1", hungry, ready=False, memory="32Mi")
    cluster = node_site.cluster()

    def killed() -> bool:
        pods = zone_of(cluster, "zone-1").pods
        return bool(pods) and pods[0].killed_for_memory_s is not None and pods[0].restarts > 0

    wait_for(killed, "an OOM kill", 60.0)
    (pod,) = zone_of(cluster, "zone-1").pods
    assert pod.limits == Amounts(0.1, 33.554432)
    assert pod.started_s is not None
    assert pod.killed_for_memory_s is not None
    assert pod.killed_for_memory_s >= pod.started_s
