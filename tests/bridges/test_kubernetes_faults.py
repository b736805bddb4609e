"""Writes through a network that fails: never twice, never too late, and always told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metaverse_env.errors import ClusterError
from tests.bridges.control_plane import rule
from tests.bridges.fault_proxy import FaultProxy
from tests.bridges.kubernetes_site import Site, one, resources

RULES = [
    rule("apps", "deployments deployments/scale", "get list patch"),
    rule("", "pods limitranges resourcequotas", "list"),
    rule("autoscaling", "horizontalpodautoscalers", "list"),
    rule("policy", "poddisruptionbudgets", "list"),
]


@pytest.fixture
def behind(service_account_kubeconfig: Callable[..., Path], fault_proxy: FaultProxy) -> Path:
    """Return the configuration of an account that may do what the bridge does, through the proxy."""
    return service_account_kubeconfig(RULES, server=fault_proxy.url)


def test_t36_a_write_whose_answer_is_lost_is_read_back_and_not_repeated(
    site: Site, behind: Path, fault_proxy: FaultProxy
) -> None:
    path = site.add("zone-1")
    fault_proxy.inject("reset_after", method="PATCH")
    receipt = one(site.cluster(kubeconfig=behind), "zone-1", cpu=0.2)
    assert receipt.result == "written"
    assert fault_proxy.count("PATCH") == 1
    assert site.writes() == [("patch", "deployments")]
    assert resources(site.plane.get(path))["requests"]["cpu"] == "200m"


def test_t36_one_that_never_arrived_is_written(site: Site, behind: Path, fault_proxy: FaultProxy) -> None:
    site.add("zone-1")
    fault_proxy.inject("reset", method="PATCH")
    assert one(site.cluster(kubeconfig=behind), "zone-1", replicas=3).result == "written"
    assert site.writes() == [("patch", "deployments/scale"), ("patch", "deployments")]


def test_t45_who_may_no_longer_write_does_not_after_a_wait_either(
    site: Site, behind: Path, fault_proxy: FaultProxy
) -> None:
    path = site.add("zone-1")
    asked: list[None] = []

    def once() -> None:
        asked.append(None)
        if len(asked) > 1:
            raise ClusterError("the lease was lost")

    fault_proxy.inject(status=429, headers={"Retry-After": "1"}, method="PATCH")
    receipt = one(site.cluster(kubeconfig=behind, fence=once), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("skipped", "Fenced")
    assert (len(asked), fault_proxy.count("PATCH")) == (2, 1)
    assert site.writes() == []
    assert resources(site.plane.get(path))["requests"]["cpu"] == "100m"


def test_t39_what_the_account_may_not_is_told_and_stops_no_other(
    site: Site, service_account_kubeconfig: Callable[..., Path]
) -> None:
    site.add("zone-1"), site.add("zone-2")
    without = [rule("apps", "deployments", "get list patch"), *RULES[1:]]
    cluster = site.cluster(kubeconfig=service_account_kubeconfig(without))
    receipt = one(cluster, "zone-1", replicas=2)
    assert (receipt.result, receipt.code) == ("failed", "RBACDenied")
    assert "deployments.apps/scale" in receipt.message or "deployments/scale" in receipt.message
    assert one(cluster, "zone-2", cpu=0.2).result == "written"
