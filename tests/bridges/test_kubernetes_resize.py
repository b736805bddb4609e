"""Running pods resized in place: where the server can, how it fares, and what is done when it cannot."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridges.clock import ManualClock
from bridges.contracts import Pod
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.pods import PodFacts, Resize, read_pod
from bridges.kubernetes.resizing import Step, drifted, next_step, resize_body
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Size, Sizing
from tests.bridges.control_plane import ControlPlane, Json, rule, wait_for
from tests.bridges.kubernetes_site import Site, one, resources, zone_of
from tests.bridges.resize_front import ResizeFront

NOW_S = 1_767_225_600.0  # 2026-01-01
SETTINGS = ClusterSettings(namespace="zones")
SMALL, LARGE = Sizing(Size(100, 64), Size(100, 64)), Sizing(Size(200, 64), Size(200, 64))


def pod(
    state: str = "", waited_s: float = 0.0, desired: Sizing = LARGE, actual: Sizing = SMALL, **about: Any
) -> PodFacts:
    since = NOW_S - waited_s if state else None
    return PodFacts(Pod("pod-1", **about), "7", desired, actual, Resize(state, since, "said"), {})


def step(facts: PodFacts, target: Sizing = LARGE, **settings: Any) -> Step:
    return next_step(facts, target, ClusterSettings(namespace="zones", **settings), NOW_S)


def test_a_pod_of_another_size_is_resized_and_one_of_the_right_size_is_done() -> None:
    assert step(pod(desired=SMALL)).act == "resize"
    assert step(pod(actual=LARGE)).act == "done"
    assert step(pod(phase="Pending")).act == step(pod(deleting=True)).act == "wait"


def test_t55_what_is_infeasible_is_not_asked_for_again_nor_is_more() -> None:
    assert step(pod("Infeasible")).act == "hold"
    more = Sizing(Size(300, 64), Size(300, 64))
    assert step(pod("Infeasible"), more) == Step("hold", "ResizeInfeasible", "pod pod-1: said")
    assert step(pod("Infeasible"), SMALL).act == "resize"
    assert step(pod("Infeasible"), more, resize_failure="rollout").act == "rollout"


@pytest.mark.parametrize(
    ("state", "waited_s", "act", "code"),
    [
        ("Deferred", 300.0, "wait", "ResizeDeferred"),
        ("Deferred", 300.1, "evict", "ResizeDeferred"),
        ("InProgress", 3600.0, "wait", "ResizeInProgress"),
        ("InProgress", 3600.1, "evict", "ResizeInProgress"),
        ("Deferred", -600.0, "wait", "ResizeDeferred"),  # a kubelet whose clock is ahead
    ],
)
def test_t56_time_outs_are_those_of_the_vpa(state: str, waited_s: float, act: str, code: str) -> None:
    found = step(pod(state, waited_s), resize_failure="evict")
    assert (found.act, found.code) == (act, code)


def test_a_resize_has_the_pods_version_as_precondition() -> None:
    body = resize_body(pod(), "zone", LARGE)
    assert body["metadata"] == {"resourceVersion": "7"}
    assert body["spec"]["containers"] == [{"name": "zone", "resources": {
        "requests": {"cpu": "200m", "memory": "64"}, "limits": {"cpu": "200m", "memory": "64"},
    }}]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]}, "Deferred"),
        ({"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]}, "Infeasible"),
        ({"conditions": [{"type": "PodResizePending", "status": "False", "reason": "Deferred"}]}, ""),
        ({"conditions": [{"type": "PodResizeInProgress", "status": "True"}]}, "InProgress"),
        ({"resize": "Infeasible"}, "Infeasible"),  # before 1.33
        ({}, ""),
    ],
)
def test_how_a_resize_fares_is_read_of_old_and_new_servers(status: Json, state: str) -> None:
    assert read_pod({"metadata": {"name": "p"}, "status": status}, "zone").resize.state == state


def test_t59_what_a_pod_really_has_may_differ_from_what_it_is_told() -> None:
    told = {"requests": {"cpu": "200m"}}
    containers = [{"name": "zone", "resources": told}]
    statuses = [{"name": "zone", "resources": {"requests": {"cpu": "100m"}}}]
    document = {
        "metadata": {"name": "p"},
        "spec": {"containers": containers},
        "status": {"containerStatuses": statuses},
    }
    facts = read_pod(document, "zone")
    assert (facts.desired.requests.millicores, facts.actual.requests.millicores) == (200, 100)
    assert facts.pod.requests.cpu_cores == 0.1
    assert drifted((facts,), facts.desired) == ("p",)


class Newer:
    """A site whose server resizes pods, as far as the bridge can see."""

    def __init__(self, site: Site, front: ResizeFront, kubeconfig: Path) -> None:
        self.site, self.front, self.kubeconfig = site, front, kubeconfig

    def cluster(self, **options: Any) -> KubernetesCluster:
        return self.site.cluster(kubeconfig=self.kubeconfig, **options)

    def asked(self) -> list[str]:
        return [name for name, _ in self.front.patches]


@pytest.fixture
def newer(site: Site, control_plane: ControlPlane, service_account_kubeconfig: Callable[..., Path]) -> Iterator[Newer]:
    front = ResizeFront(control_plane.url, control_plane.pki)
    rules = [
        rule("apps", "deployments deployments/scale", "get list patch"),
        rule("", "pods limitranges resourcequotas", "get list"),
        rule("", "pods/eviction", "create"),
        rule("autoscaling", "horizontalpodautoscalers", "list"),
        rule("policy", "poddisruptionbudgets", "list"),
    ]
    yield Newer(site, front, service_account_kubeconfig(rules, server=front.url))
    front.close()


def test_t58_without_the_subresource_pods_are_replaced(site: Site, control_plane: ControlPlane) -> None:
    with ApiClient.from_kubeconfig(control_plane.kubeconfig) as client:
        assert not client.features().resize
    path = site.add("zone-1")
    assert one(site.cluster(), "zone-1", cpu=0.2).result == "written"
    assert resources(site.plane.get(path))["requests"]["cpu"] == "200m"


def test_running_pods_are_resized_and_the_template_is_left(newer: Newer) -> None:
    path = newer.site.add("zone-1", replicas=2)
    before = newer.site.plane.get(path)["spec"]
    cluster = newer.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    assert newer.site.plane.get(path)["spec"] == before
    assert len(newer.asked()) == 2
    workload = zone_of(cluster, "zone-1")
    assert [pod.requests.cpu_cores for pod in workload.pods] == [0.2, 0.2]
    assert [pod.limits.cpu_cores for pod in workload.pods] == [0.2, 0.2]
    assert one(cluster, "zone-1", cpu=0.2).result == "unchanged"
    assert len(newer.asked()) == 2
    assert cluster.drift == {"zone-1": 0}


def test_t59_a_new_pod_comes_with_the_old_size_and_is_brought_in_line(newer: Newer) -> None:
    newer.site.add("zone-1")
    cluster = newer.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    assert one(cluster, "zone-1", replicas=2).result == "written"
    newer.site.settle()
    snapshot = cluster.read()
    assert sorted(pod.requests.cpu_cores or 0 for pod in snapshot.workloads[0].pods) == [0.1, 0.2]
    assert cluster.drift == {"zone-1": 1}
    (receipt,) = cluster.verify(snapshot)
    assert receipt.result == "written"
    restarted = newer.cluster()  # remembers by the mark
    snapshot = restarted.read()
    assert restarted.drift == {"zone-1": 0}
    assert restarted.verify(snapshot) == ()


def test_t55_an_infeasible_resize_is_told_and_not_repeated(newer: Newer) -> None:
    newer.site.add("zone-1")
    newer.front.reply = "Infeasible"
    cluster = newer.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    for _ in range(2):
        (receipt,) = cluster.verify(cluster.read())
        assert (receipt.result, receipt.code) == ("failed", "ResizeInfeasible")
    assert one(cluster, "zone-1", cpu=0.3).advice != ()
    assert len(newer.asked()) == 1
    newer.front.reply = "done"
    assert one(cluster, "zone-1", cpu=0.05).result == "written"  # less is asked for again
    assert len(newer.asked()) == 2


def test_t55_pods_are_replaced_where_that_is_allowed(newer: Newer) -> None:
    path = newer.site.add("zone-1")
    newer.front.reply = "Infeasible"
    cluster = newer.cluster(resize_failure="rollout")
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    (receipt,) = cluster.verify(cluster.read())
    assert (receipt.result, receipt.code) == ("written", "ResizeInfeasible")
    assert resources(newer.site.plane.get(path))["requests"]["cpu"] == "200m"
    newer.site.settle()
    assert cluster.verify(cluster.read()) == ()


def test_t60_an_eviction_that_a_budget_forbids_is_waited_for(newer: Newer) -> None:
    newer.site.add("zone-1")
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "zone-1"}}}
    budget = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}
    path = newer.site.put(budget)
    wait_for(lambda: newer.site.plane.get(path)["status"].get("currentHealthy") == 1, "the budget")
    newer.front.reply = "Deferred"
    clock = ManualClock(unix_s=NOW_S + 301.0)
    cluster = newer.cluster(resize_failure="evict", clock=clock)
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    snapshot = cluster.read()
    name = snapshot.workloads[0].pods[0].name
    (receipt,) = cluster.verify(snapshot)
    assert "it may not be evicted now" in receipt.message
    assert [pod["metadata"]["name"] for pod in newer.site.pods()] == [name]
    assert not any(entry.verb == "delete" for entry in newer.site.audit.since(namespace=newer.site.namespace))
    newer.site.plane.call("DELETE", path)
    clock.advance(15.0)
    (receipt,) = cluster.verify(cluster.read())
    assert "it was evicted to find another node" in receipt.message
    wait_for(lambda: name not in [pod["metadata"]["name"] for pod in newer.site.pods()], "the pod to go")


def test_t57_no_resize_is_sent_that_changes_the_class_of_service(newer: Newer) -> None:
    def burstable(manifest: Json) -> None:
        manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {
            "requests": {"cpu": "100m", "memory": "32Mi"},
            "limits": {"memory": "32Mi"},
        }

    newer.site.add("zone-1", burstable)
    assert one(newer.cluster(), "zone-1", cpu=0.2).result == "written"  # stays Burstable
    assert newer.front.patches[0][1]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "32Mi"}
