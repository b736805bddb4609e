"""What goes wrong between us and the API server: answers, refusals, silence, and what was done meanwhile."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bridges.clock import ManualClock, SystemClock
from bridges.errors import (
    CircuitOpenError,
    ConflictError,
    DeniedError,
    MalformedError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    UnauthorisedError,
    UnavailableError,
)
from bridges.kubernetes.client import ApiClient, ClientOptions
from bridges.kubernetes.discovery import read_features
from bridges.kubernetes.resources import CONFIG_MAPS, DEPLOYMENTS, POD_METRICS
from bridges.kubernetes.retrying import RetryPolicy
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import AuditLog, ControlPlane, rule, wait_for
from tests.bridges.fault_proxy import FaultProxy

RULES = [rule("apps", "deployments", "get list patch update"), rule("", "configmaps", "get list create update patch")]
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
Connect = Callable[..., ApiClient]


@pytest.fixture
def connect(service_account_kubeconfig: Callable[..., Path], fault_proxy: FaultProxy) -> Iterator[Connect]:
    """Return what makes a client behind the proxy."""
    clients: list[ApiClient] = []

    def make(clock: Any = None, retry: RetryPolicy | None = None, server: str = "", **options: Any) -> ApiClient:
        kubeconfig = service_account_kubeconfig(RULES, server=server or fault_proxy.url)
        chosen = ClientOptions(retry=retry or RetryPolicy(), **options)
        clients.append(ApiClient.from_kubeconfig(kubeconfig, clock=clock, options=chosen))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def zone(deploy: Callable[..., str], namespace: str) -> Any:
    deploy("zone-1", ready=False, replicas=0)
    return DEPLOYMENTS.at(namespace, "zone-1")


def scaled(client: ApiClient, target: Any, replicas: int = 2) -> dict[str, Any]:
    version = client.get(target)["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}}


def test_t03_a_missing_metrics_api_is_not_found_in_plain_text(control_plane: ControlPlane, namespace: str) -> None:
    assert control_plane.send("GET", "/apis/metrics.k8s.io/v1beta1/pods").text == "404 page not found\n"
    with ApiClient.from_kubeconfig(control_plane.kubeconfig) as client:
        with pytest.raises(NotFoundError, match=r"list pods.metrics\.k8s\.io .*: 404 404 page not found"):
            client.list(POD_METRICS.at(namespace))
        assert client.traffic.retries == 0
        assert client.features().metrics == ""


def test_t15_a_stale_replacement_is_a_conflict(connect: Connect, zone: Any, control_plane: ControlPlane) -> None:
    client = connect()
    read = client.get(zone)
    control_plane.call("PATCH", zone.path, {"metadata": {"labels": {"by": "another"}}}, "merge")
    with pytest.raises(ConflictError, match=r"update deployments\.apps .*: 409 .*modified") as caught:
        client.replace(zone, read)
    assert caught.value.fields == {}
    again = client.get(zone)
    client.replace(zone, {**again, "spec": {**again["spec"], "replicas": 0}})


def test_t16_a_stale_patch_is_a_conflict_and_none_goes_without_a_version(
    connect: Connect, zone: Any, control_plane: ControlPlane, audit_log: AuditLog
) -> None:
    client = connect()
    body = scaled(client, zone)
    control_plane.call("PATCH", zone.path, {"metadata": {"labels": {"by": "another"}}}, "merge")
    mark = audit_log.mark()
    for kind in ("strategic", "merge"):
        with pytest.raises(ConflictError):
            client.patch(zone, body, kind=kind)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="resourceVersion is needed"):
            client.patch(zone, {"spec": body["spec"]}, kind=kind)  # type: ignore[arg-type]
    found = audit_log.since(mark, user="bridge")
    assert [entry.code for entry in found] == [409, 409]
    assert client.get(zone)["spec"]["replicas"] == 0
    assert client.patch(zone, scaled(client, zone, 0))["metadata"]["name"] == "zone-1"


def test_t17_a_conflict_names_fields_and_their_managers(
    connect: Connect, zone: Any, control_plane: ControlPlane
) -> None:
    amounts = {"requests": {"cpu": "70m"}}
    theirs = {"containers": [{"name": "zone", "resources": amounts}]}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "template": {"spec": theirs}}}
    control_plane.call("PATCH", zone.path, body, "apply", fieldManager="argocd", force="true")
    ours = {
        "spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [{"name": "zone", "resources": {"requests": {"cpu": "90m"}}}]}},
        }
    }
    with pytest.raises(ConflictError) as caught:
        connect().apply(zone, ours)
    assert caught.value.fields == {
        "spec.replicas": "argocd, test-setup",  # who said the same owns it too
        'spec.template.spec.containers[name="zone"].resources.requests.cpu': "argocd",
    }
    assert control_plane.get(zone.path)["spec"]["replicas"] == 0


def test_t31_we_are_recorded_as_the_manager(connect: Connect, zone: Any, control_plane: ControlPlane) -> None:
    connect(field_manager="m" * 128).apply(zone, {"spec": {"replicas": 0}}, force=True)
    managers = {entry["manager"] for entry in control_plane.get(zone.path)["metadata"]["managedFields"]}
    assert "m" * 128 in managers
    for name in ("", "m" * 129, "a\nb"):
        with pytest.raises(ConfigurationError, match=r"1 to 128"):
            ClientOptions(field_manager=name)
    too_long = {"spec": {"replicas": 0}, "apiVersion": "apps/v1", "kind": "Deployment"}
    assert control_plane.send("PATCH", zone.path, too_long, "apply", fieldManager="m" * 129).status_code == 422


def test_t31_every_write_names_us(connect: Connect, namespace: str, fault_proxy: FaultProxy) -> None:
    client, target = connect(), CONFIG_MAPS.at(namespace, "x")
    made = client.create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "x"}})
    made = client.replace(target, made)
    client.patch(target, {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"a": "b"}})
    client.apply(target, {"data": {"c": "d"}})
    writes = [seen.path for seen in fault_proxy.requests if seen.method != "GET"]
    assert len(writes) == 4
    assert all("fieldManager=metaverse-bridge" in path and "fieldValidation=Strict" in path for path in writes)


def test_t32_retry_after_is_honoured_for_writes_and_bounded_by_the_deadline(
    connect: Connect, zone: Any, fault_proxy: FaultProxy
) -> None:
    clock = ManualClock()
    client = connect(clock)
    body = scaled(client, zone, 0)
    fault_proxy.inject(status=429, headers={"Retry-After": "3"}, method="PATCH")
    client.patch(zone, body)
    assert 3.0 <= clock.monotonic_s() <= 3.2
    assert fault_proxy.count("PATCH") == 2
    fault_proxy.inject(status=429, headers={"Retry-After": "30"}, method="PATCH")
    with pytest.raises(UnavailableError) as caught:  # there is no such patience in 15 s
        client.patch(zone, scaled(client, zone, 0))
    assert caught.value.retry_after_s == 30.0
    assert clock.monotonic_s() <= 3.4
    assert fault_proxy.count("PATCH") == 3


def test_t33_the_packages_own_retries_are_off(connect: Connect, zone: Any, fault_proxy: FaultProxy) -> None:
    client = connect(ManualClock(), RetryPolicy(tries=1))
    for status in (429, 503):
        fault_proxy.inject(status=status, headers={"Retry-After": "1"}, times=9)
        before = fault_proxy.count()
        with pytest.raises(UnavailableError):
            client.get(zone)
        assert fault_proxy.count() == before + 1
        fault_proxy.clear()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_t34_reads_are_asked_again_with_growing_jitter(
    connect: Connect, zone: Any, fault_proxy: FaultProxy, status: int
) -> None:
    clock = ManualClock()
    fault_proxy.inject(status=status, body=HTML, times=3)
    assert connect(clock).get(zone)["metadata"]["name"] == "zone-1"
    assert fault_proxy.count() == 4
    assert 0.0 < clock.monotonic_s() <= 0.2 + 0.4 + 0.8


def test_t34_the_circuit_opens_and_tries_again(connect: Connect, zone: Any, fault_proxy: FaultProxy) -> None:
    clock = ManualClock()
    client = connect(clock, RetryPolicy(tries=3, breaker_failures=6, breaker_open_s=10.0))
    fault_proxy.inject(status=503, times=7)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            client.get(zone)
    assert client.traffic.breaker.open
    with pytest.raises(CircuitOpenError, match="6 failures in a row"):
        client.get(zone)
    assert fault_proxy.count() == 6
    clock.advance(10.0)
    with pytest.raises(CircuitOpenError):  # one trial fails, and it is open again
        client.get(zone)
    assert fault_proxy.count() == 7
    clock.advance(10.0)
    assert client.get(zone)
    assert not client.traffic.breaker.open
    assert client.traffic.breaker.opened == 1


@pytest.mark.parametrize("kind", ["hang", "slow"])
def test_t35_a_server_that_hangs_does_not_hold_us(
    connect: Connect, zone: Any, fault_proxy: FaultProxy, kind: Any
) -> None:
    client = connect(try_timeout_s=0.5, call_timeout_s=1.2)
    fault_proxy.inject(kind, seconds=20.0, times=9)
    began_s = time.monotonic()
    with pytest.raises(UnavailableError, match=r"ReadTimeout|TimeoutError"):
        client.get(zone)
    assert 0.5 <= time.monotonic() - began_s < 2.0
    began_s = time.monotonic()
    with pytest.raises(UnavailableError):
        client.until(time.monotonic() + 0.3).list(DEPLOYMENTS.at(zone.namespace))
    assert time.monotonic() - began_s < 1.0


def test_t35_one_that_hung_leaves_time_for_another(connect: Connect, zone: Any, fault_proxy: FaultProxy) -> None:
    fault_proxy.inject("hang", times=1)
    began_s = time.monotonic()
    assert connect(try_timeout_s=0.5).get(zone)
    assert time.monotonic() - began_s < 3.0


def test_t36_a_connection_that_breaks_in_a_write_leaves_the_outcome_open(
    connect: Connect, zone: Any, fault_proxy: FaultProxy, control_plane: ControlPlane
) -> None:
    client = connect()
    for kind, replicas in (("reset", 0), ("reset_after", 0)):
        body = scaled(client, zone, replicas) | {"spec": {"minReadySeconds": 1 if kind == "reset" else 2}}
        fault_proxy.inject(kind, method="PATCH")
        with pytest.raises(OutcomeUnknownError, match=r"patch deployments\.apps .*read back what was done"):
            client.patch(zone, body)
    assert fault_proxy.count("PATCH") == 2  # never replayed
    assert client.get(zone)["spec"]["minReadySeconds"] == 2  # the first was not done, the second was


def test_t36_what_was_not_sent_was_not_done(connect: Connect, namespace: str) -> None:
    client = connect(ManualClock(), server="https://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="NewConnectionError"):
        client.create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "x"}})
    assert client.traffic.requests == 4


def test_t36_a_dry_run_that_breaks_off_is_simply_tried_again(
    connect: Connect, zone: Any, fault_proxy: FaultProxy
) -> None:
    fault_proxy.inject("reset_after", method="PATCH")
    assert (
        connect(ManualClock()).apply(zone, {"spec": {"replicas": 5}}, force=True, dry_run=True)["spec"]["replicas"] == 5
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("answer", {"status": 200, "body": HTML}),
        ("answer", {"status": 200, "body": b""}),
        ("answer", {"status": 200, "body": b"[1, 2]"}),
        ("answer", {"status": 200, "body": b'{"kind": "Deployment"'}),
        ("answer", {"status": 200, "body": b"\xff\xfe{}"}),
        ("answer", {"status": 200, "body": b'{"kind": "Deployment"}'}),
        ("answer", {"status": 302, "headers": {"Location": "https://127.0.0.1:1/steal-the-token"}}),
    ],
)
def test_t37_an_answer_that_is_no_object_is_an_error_of_its_own(
    connect: Connect, zone: Any, fault_proxy: FaultProxy, kind: Any, options: dict[str, Any]
) -> None:
    client = connect(ManualClock())
    fault_proxy.inject(kind, **options)
    with pytest.raises(MalformedError, match=r"get deployments\.apps"):
        client.get(zone)
    fault_proxy.inject(kind, **{**options, "body": options.get("body", b"").replace(b"}", b"")}, method="PATCH")
    with pytest.raises((OutcomeUnknownError, MalformedError)):
        client.patch(zone, scaled(client, zone, 0))


def test_t37_an_answer_that_ends_halfway_is_asked_for_again(
    connect: Connect, zone: Any, fault_proxy: FaultProxy
) -> None:
    client = connect(ManualClock())
    fault_proxy.inject("truncate", times=2)
    assert client.get(zone)["metadata"]["name"] == "zone-1"
    fault_proxy.inject("truncate", method="PATCH")
    with pytest.raises(OutcomeUnknownError):
        client.patch(zone, scaled(client, zone, 0))


def test_t37_lists_that_are_none_and_answers_that_are_too_large(
    connect: Connect, namespace: str, fault_proxy: FaultProxy
) -> None:
    client = connect(ManualClock())
    for body in (b"{}", b'{"metadata": {}, "items": {}}', b'{"metadata": {}, "items": [1]}'):
        fault_proxy.inject(status=200, body=body)
        with pytest.raises(MalformedError, match="no list of objects"):
            client.list(DEPLOYMENTS.at(namespace))
    fault_proxy.inject(status=200, body=b'{"metadata": {}, "items": null}')
    assert client.list(DEPLOYMENTS.at(namespace)).items == ()
    fault_proxy.inject(status=200, body=b'{"x": "' + b"y" * 200_000 + b'"}')
    with pytest.raises(MalformedError, match=r"larger than 0\.1 MB"):
        connect(largest_answer_mb=0.1).get(DEPLOYMENTS.at(namespace, "zone-1"))


@pytest.fixture
def token_file(service_account_kubeconfig: Callable[..., Path], fault_proxy: FaultProxy, tmp_path: Path) -> Path:
    """Return a file with a token; the kubeconfig beside it names it."""
    config = yaml.safe_load(service_account_kubeconfig(RULES, server=fault_proxy.url).read_text())
    path, user = tmp_path / "token", config["users"][0]["user"]
    path.write_text(user.pop("token"))
    user["tokenFile"] = str(path)
    (tmp_path / "by-file.kubeconfig").write_text(yaml.safe_dump(config))
    return path


def test_t38_a_rejected_token_is_read_again_once(token_file: Path, zone: Any, fault_proxy: FaultProxy) -> None:
    token = token_file.read_text()
    token_file.write_text("expired")
    with ApiClient.from_kubeconfig(token_file.with_name("by-file.kubeconfig")) as client:
        with pytest.raises(UnauthorisedError, match="may have expired or been revoked"):
            client.get(zone)
        assert fault_proxy.count() == 2  # once, and once with what the file holds now; then no more
        token_file.write_text(token)
        assert client.patch(zone, scaled(client, zone, 0))
        assert fault_proxy.count("PATCH") == 1
        token_file.write_text("expired")
        assert client.get(zone)  # the one that is known is good
        token_file.unlink()
        fault_proxy.inject(status=401)
        with pytest.raises(UnauthorisedError, match=r"cannot log in .*token"):
            client.get(zone)


def test_t38_a_rotated_token_is_used_from_the_next_call_on(
    token_file: Path, zone: Any, fault_proxy: FaultProxy, control_plane: ControlPlane
) -> None:
    token = token_file.read_text()
    with ApiClient.at(fault_proxy.url, token_file, control_plane.pki / "ca.crt") as client:
        assert client.get(zone)
        token_file.write_text("rotated")
        with pytest.raises(UnauthorisedError):
            client.get(zone)
        token_file.write_text(token)
        assert client.get(zone)
        used = [seen.headers["Authorization"] for seen in fault_proxy.requests]
        assert used == [f"Bearer {token}", "Bearer rotated", "Bearer rotated", f"Bearer {token}"]
        token_file.unlink()
        with pytest.raises(UnauthorisedError, match="cannot log in"):
            client.get(zone)


def test_t38_a_pods_own_account_is_read_anew_as_it_rotates(
    token_file: Path, zone: Any, fault_proxy: FaultProxy, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{module}.SERVICE_TOKEN_FILENAME", str(token_file))
    monkeypatch.setattr(f"{module}.SERVICE_CERT_FILENAME", str(control_plane.pki / "ca.crt"))
    with pytest.raises(ConfigurationError, match="Service host/port is not set"):
        ApiClient.in_cluster()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", fault_proxy.url.rpartition(":")[2])
    token = token_file.read_text()
    token_file.write_text("expired\n")
    with ApiClient.in_cluster() as client:
        token_file.write_text(token)
        assert client.get(zone)  # refused once, read again
        assert fault_proxy.count() == 2


def test_t39_what_is_not_allowed_is_named_and_not_tried_again(
    connect: Connect, namespace: str, fault_proxy: FaultProxy
) -> None:
    client = connect()
    with pytest.raises(DeniedError, match="Allow verb 'delete' on 'configmaps' in its Role"):
        client.delete(CONFIG_MAPS.at(namespace, "x"), "11111111-2222-3333-4444-555555555555")
    with pytest.raises(DeniedError, match=r"Allow verb 'patch' on 'deployments\.apps/scale'"):
        client.apply(DEPLOYMENTS.at(namespace, "zone-1", "scale"), {"spec": {"replicas": 1}})
    with pytest.raises(DeniedError, match="Allow verb 'list' on 'configmaps'"):
        client.list(CONFIG_MAPS.at("kube-system"))
    assert fault_proxy.count() == 3


def test_t39_a_quota_is_no_matter_of_rights(connect: Connect, namespace: str, control_plane: ControlPlane) -> None:
    spec = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"count/configmaps": "0"}},
    }
    control_plane.apply(spec, namespace=namespace)
    quota = f"/api/v1/namespaces/{namespace}/resourcequotas/few"
    wait_for(lambda: control_plane.get(quota).get("status", {}).get("hard"), "the quota")
    with pytest.raises(RejectedError, match=r"403 .*exceeded quota: few"):
        connect().create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "x"}})


def test_t40_pages_whose_version_is_forgotten_are_read_anew(
    connect: Connect, namespace: str, control_plane: ControlPlane, deploy: Callable[..., str], fault_proxy: FaultProxy
) -> None:
    """We do not watch: each cycle lists, so no event can be missed. What can expire is the token of a next page."""
    for number in range(4):
        deploy(f"zone-{number}", ready=False, replicas=0)
    client, pages = connect(page=2), []
    ask = client._connection.send

    def send(request: Any, timeout_s: float) -> Any:
        answer = ask(request, timeout_s)
        pages.append(answer.status)
        if len(pages) == 1:  # etcd forgets everything before now, as it does every five minutes
            deploy("zone-5", ready=False, replicas=0)
            etcd = f"http://127.0.0.1:{16400 + 20 * control_plane.slot}/v3/kv"
            header = httpx.post(f"{etcd}/range", json={"key": "AA=="}, trust_env=False).json()["header"]
            compact = {"revision": header["revision"], "physical": True}
            httpx.post(f"{etcd}/compaction", json=compact, trust_env=False).raise_for_status()
        return answer

    client._connection.send = send  # type: ignore[method-assign]
    names = [item["metadata"]["name"] for item in client.list(DEPLOYMENTS.at(namespace)).items]
    assert names == ["zone-0", "zone-1", "zone-2", "zone-3", "zone-5"]
    assert pages == [200, 410, 200, 200, 200]


def test_t41_the_wall_clock_does_not_matter(connect: Connect, zone: Any, fault_proxy: FaultProxy) -> None:
    class Skewed(SystemClock):
        def unix_s(self) -> float:
            return time.time() - 600.0

    fault_proxy.inject(status=429, headers={"Retry-After": "1"})
    began_s = time.monotonic()
    assert connect(Skewed()).get(zone)
    assert 1.0 <= time.monotonic() - began_s < 4.0


def test_t42_a_restart_of_the_api_server_is_survived_without_a_double_write(
    control_plane: ControlPlane, zone: Any, service_account_kubeconfig: Callable[..., Path], audit_log: AuditLog
) -> None:
    with ApiClient.from_kubeconfig(
        service_account_kubeconfig(RULES), options=ClientOptions(call_timeout_s=4.0, try_timeout_s=1.0)
    ) as client:
        features, epoch = client.features(), client.epoch
        body = scaled(client, zone, 0) | {"spec": {"minReadySeconds": 3}}
        mark = audit_log.mark()
        os.kill(control_plane.process("kube-apiserver"), signal.SIGKILL)
        with pytest.raises((UnavailableError, OutcomeUnknownError)):
            client.patch(zone, body)
        control_plane.up()
        wait_for(lambda: not client.traffic.breaker.open, "the circuit", 6.0)
        assert "minReadySeconds" not in client.get(zone)["spec"]
        assert client.patch(zone, body)["spec"]["minReadySeconds"] == 3
        assert client.epoch == epoch + 1
        assert client.features() == features
    writes = [entry for entry in audit_log.since(mark, user="bridge") if entry.mutating]
    assert [(entry.verb, entry.code) for entry in writes] == [("patch", 200)]


def test_t42_a_frozen_api_server_is_survived(
    control_plane: ControlPlane, zone: Any, service_account_kubeconfig: Callable[..., Path]
) -> None:
    options = ClientOptions(call_timeout_s=1.5, try_timeout_s=0.5)
    with ApiClient.from_kubeconfig(service_account_kubeconfig(RULES), options=options) as client:
        body = scaled(client, zone, 0) | {"spec": {"minReadySeconds": 4}}
        os.kill(control_plane.process("kube-apiserver"), signal.SIGSTOP)
        try:
            with pytest.raises(UnavailableError):
                client.get(zone)
            with pytest.raises(OutcomeUnknownError):
                client.patch(zone, body)
        finally:
            os.kill(control_plane.process("kube-apiserver"), signal.SIGCONT)
        wait_for(lambda: control_plane.send("GET", zone.path).is_success, "the server")
        assert client.get(zone)["spec"].get("minReadySeconds") in {
            None,
            4,
        }  # done or not: reading tells, guessing does not


def test_t43_features_are_told_by_what_is_served(
    control_plane: ControlPlane, connect: Connect, fault_proxy: FaultProxy
) -> None:
    version = control_plane.get("/version")
    assert (version["major"], version["minor"]) == ("", "")  # a server that does not know its own version
    client = connect(server=control_plane.url)
    found = client.features()
    assert found == (False, "v2beta2", "v1beta1", "", "", "", "")
    before = client.traffic.requests
    assert client.features() is found
    assert client.traffic.requests == before


def test_t43_features_of_a_newer_server() -> None:
    groups = {
        "autoscaling": ["v1", "v2"],
        "policy": ["v1"],
        "metrics.k8s.io": ["v1beta1"],
        "gateway.networking.k8s.io": ["v1beta1", "v1"],
    }
    listed = [{"name": name, "versions": [{"version": each} for each in served]} for name, served in groups.items()]
    core = {"resources": [{"name": "pods"}, {"name": "pods/resize"}]}
    assert read_features({"groups": listed}, core) == (True, "v2", "v1", "v1beta1", "v1", "", "")
    for wrong in ({}, {"groups": None}, {"groups": [{}]}):
        with pytest.raises(MalformedError):
            read_features(wrong, core)


def test_no_second_has_more_requests_than_were_agreed(connect: Connect, zone: Any) -> None:
    clock, times = ManualClock(), []
    client = connect(clock, RetryPolicy(requests_per_s=40.0, burst=10))
    for _ in range(150):
        client.get(zone)
        times.append(clock.monotonic_s())
    assert max(sum(start <= at < start + 1.0 for at in times) for start in times) <= 50
    assert times[-1] == pytest.approx((150 - 10) / 40.0)
    assert client.traffic.throttled_s == pytest.approx(times[-1])
    clock.advance(60.0)
    for _ in range(10):
        client.get(zone)
    assert clock.monotonic_s() == pytest.approx(60.0 + times[-1])  # what was saved up is no more than a burst
    with pytest.raises(UnavailableError, match="leaves no turn before the deadline"):
        client.until(clock.monotonic_s() + 0.01).get(zone)


def test_a_server_whose_certificate_nobody_vouches_for_is_not_told_the_token(
    token_file: Path, zone: Any, fault_proxy: FaultProxy
) -> None:
    with (
        ApiClient.at(fault_proxy.url, token_file, clock=ManualClock()) as client,
        pytest.raises(UnavailableError, match="name the authority that signed"),
    ):
        client.patch(zone, {"metadata": {"resourceVersion": "1"}})
    assert fault_proxy.count() == 0


def test_tokens_are_in_no_message(connect: Connect, zone: Any, fault_proxy: FaultProxy) -> None:
    client = connect(ManualClock(), RetryPolicy(tries=1))
    client.get(zone)
    token = fault_proxy.requests[0].headers["Authorization"].split()[1]
    for status in (400, 401, 403, 404, 409, 410, 422, 429, 500, 503):
        fault_proxy.inject(status=status, times=2, body=json.dumps({"kind": "Status"}).encode())
        with pytest.raises(Exception, match=str(status)) as caught:
            client.get(zone)
        assert token not in str(caught.value)
        fault_proxy.clear()
