"""The metrics API and the kubelet: what they say, what they do not, and why not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridges.contracts import Amounts, Pod, Workload
from bridges.errors import MalformedError
from bridges.kubernetes.client import ApiClient, ClientOptions
from bridges.kubernetes.retrying import RetryPolicy
from bridges.telemetry.kubelet import KubeletSource, _Summary, add_summary, rates_of
from bridges.telemetry.metrics_api import MetricsApiSource, samples_of
from bridges.telemetry.quality import Sample
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import ControlPlane, rule
from tests.bridges.fault_proxy import FaultProxy

ONE = Amounts(0.5, 64.0)
TAKEN = "2026-01-01T00:00:00Z"
TAKEN_S = 1_767_225_600.0


def zone(namespace: str) -> Workload:
    pods = (Pod("zone-1-a", started_s=0.0, ready_since_s=0.0, requests=ONE),)
    return Workload("zone-1", namespace, "zone-1", "u", "zone", "1", 1, 1, ONE, ONE, pods=pods)


def item(name: str, cpu: str = "156340182n", memory: str = "20480Ki", container: str = "zone") -> dict[str, Any]:
    usage = {"cpu": cpu, "memory": memory}
    return {
        "metadata": {"name": name},
        "timestamp": TAKEN,
        "window": "30s",
        "containers": [{"name": container, "usage": usage}],
    }


def test_t03_a_404_in_plain_text_is_no_metrics_api(
    control_plane: ControlPlane, namespace: str, service_account_kubeconfig: Callable[..., Path]
) -> None:
    answer = control_plane.send("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods")
    assert (answer.status_code, answer.text.strip()) == (404, "404 page not found")
    with ApiClient.from_kubeconfig(
        service_account_kubeconfig([rule("metrics.k8s.io", "pods", "get list")], name="meter")
    ) as client:
        found = MetricsApiSource(client).read([zone(namespace)])["zone-1"]
    assert {name: (one.value, one.quality, one.code) for name, one in found.items()} == {
        "cpu_cores": (None, "missing", "NoMetricsAPI"),
        "memory_mb": (None, "missing", "NoMetricsAPI"),
    }


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"status": 503}, "Unavailable"), ({"status": 403}, "RBACDenied"), ({"status": 401}, "Unauthorised")],
)
def test_t04_a_metrics_api_that_fails_says_how(
    namespace: str,
    fault_proxy: FaultProxy,
    service_account_kubeconfig: Callable[..., Path],
    fault: dict[str, Any],
    code: str,
) -> None:
    fault_proxy.inject(**fault, times=1000)
    kubeconfig = service_account_kubeconfig([rule("metrics.k8s.io", "pods", "list")], server=fault_proxy.url)
    options = ClientOptions(call_timeout_s=1.5, retry=RetryPolicy())
    with ApiClient.from_kubeconfig(kubeconfig, options=options) as client:
        found = MetricsApiSource(client).read([zone(namespace)])["zone-1"]
    assert {(one.value, one.quality) for one in found.values()} == {(None, "missing")}
    assert {one.code for one in found.values()} == {code}


def test_pod_metrics_are_read_exactly() -> None:
    items = [item("zone-1-a"), item("other"), item("zone-1-b", container="sidecar")]
    names = {"zone-1-a", "zone-1-b"}
    assert samples_of(items, names, "zone", "cpu", 1.0) == {"zone-1-a": Sample(0.156340182, TAKEN_S, 30.0)}
    assert samples_of(items, names, "zone", "memory", 1e-6)["zone-1-a"].value == pytest.approx(20.97152)


@pytest.mark.parametrize("broken", [{}, {"metadata": {"name": "zone-1-a"}}, item("zone-1-a", cpu="much")])
def test_what_is_no_pod_metrics_is_malformed(broken: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        samples_of([broken], {"zone-1-a"}, "zone", "cpu", 1.0)


def summary(**parts: Any) -> bytes:
    pod = {"podRef": {"namespace": "n", "name": "zone-1-a"}, **parts}
    return json.dumps({"node": {}, "pods": [pod]}).encode()


def test_a_summary_is_read_exactly() -> None:
    containers = [
        {
            "name": "zone",
            "cpu": {"time": TAKEN, "usageNanoCores": 250_000_000},
            "memory": {"time": TAKEN, "workingSetBytes": 5_000_000},
        },
        {"name": "sidecar", "cpu": {"time": TAKEN, "usageNanoCores": 9_000_000_000}},
    ]
    found = _Summary({}, {}, {}, ())
    assert add_summary(summary(containers=containers, network={"time": TAKEN, "txBytes": 1000}), found, {"zone"}) == ""
    assert found.cpu_cores == {("n", "zone-1-a"): Sample(0.25, TAKEN_S)}
    assert found.memory_mb == {("n", "zone-1-a"): Sample(5.0, TAKEN_S)}
    assert found.sent_bytes == {("n", "zone-1-a"): Sample(1000.0, TAKEN_S)}


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"pods": [{}]}', b'{"pods": 3}', b"<html>"])
def test_what_is_no_summary_is_malformed(broken: bytes) -> None:
    assert add_summary(broken, _Summary({}, {}, {}, ()), {"zone"}) == "Malformed"


def test_a_container_that_was_not_measured_yet_has_no_value_and_not_zero() -> None:
    found = _Summary({}, {}, {}, ())
    assert add_summary(summary(containers=[{"name": "zone", "cpu": {"time": TAKEN}}]), found, {"zone"}) == ""
    assert found.cpu_cores == {}


def test_egress_is_a_rate_and_a_counter_that_fell_has_none() -> None:
    key = ("n", "p")
    before = {key: Sample(1_000_000.0, 100.0)}
    assert rates_of({key: Sample(2_250_000.0, 110.0)}, before)[key].value == pytest.approx(1.0)  # 10 Mbit in 10 s
    assert rates_of({key: Sample(10.0, 110.0)}, before) == {}
    assert rates_of({key: Sample(2_000_000.0, 110.0)}, {}) == {}


def test_a_kubelet_that_is_away_is_missing(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t", encoding="utf-8")
    source = KubeletSource(["https://127.0.0.1:9"], str(tmp_path / "token"))
    found = source.read([zone("n")])["zone-1"]
    source.close()
    assert (found["cpu_cores"].quality, found["cpu_cores"].code) == ("missing", "Unreachable")


def test_a_kubelet_is_asked_over_https_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        KubeletSource(["http://127.0.0.1:10255"], str(tmp_path / "token"))
