"""The tests' own instruments: if these lie, everything else does."""

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml

from tests.bridges.control_plane import AuditLog, ControlPlane, rule
from tests.bridges.fault_proxy import FaultProxy


def client(kubeconfig: Path, plane: ControlPlane) -> httpx.Client:
    config = yaml.safe_load(kubeconfig.read_text())
    server, token = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]
    context = ssl.create_default_context(cafile=str(plane.pki / "ca.crt"))
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=server, headers=headers, verify=context, trust_env=False, timeout=10.0)


def test_the_audit_log_tells_who_wrote_what_and_what_was_dry(
    control_plane: ControlPlane,
    namespace: str,
    audit_log: AuditLog,
    deploy: Callable[..., str],
    service_account_kubeconfig: Callable[..., Path],
) -> None:
    path = deploy("zone-1", ready=False)
    mark = audit_log.mark()
    with client(service_account_kubeconfig([rule("apps", "deployments", "get patch")]), control_plane) as http:
        merge = {"Content-Type": "application/merge-patch+json"}
        http.get(path)
        for dry in ("?dryRun=All", ""):
            assert http.patch(f"{path}{dry}", json={"spec": {"replicas": 2}}, headers=merge).status_code == 200
        assert http.get(f"/api/v1/namespaces/{namespace}/secrets").status_code == 403
    found = audit_log.since(mark, user=f"system:serviceaccount:{namespace}:bridge")
    assert [(entry.verb, entry.resource, entry.code, entry.mutating) for entry in found] == [
        ("get", "deployments", 200, False),
        ("patch", "deployments", 200, False),
        ("patch", "deployments", 200, True),
        ("list", "secrets", 403, False),
    ]
    assert found[2].body == {"spec": {"replicas": 2}}


def test_the_proxy_passes_on_and_misbehaves_as_told(
    control_plane: ControlPlane,
    namespace: str,
    fault_proxy: FaultProxy,
    service_account_kubeconfig: Callable[..., Path],
) -> None:
    kubeconfig = service_account_kubeconfig([rule("", "configmaps", "get list create")], server=fault_proxy.url)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    with client(kubeconfig, control_plane) as http:
        assert http.get(path).json()["kind"] == "ConfigMapList"
        fault_proxy.inject(status=429, headers={"Retry-After": "7"}, times=2)
        assert [http.get(path).status_code for _ in range(3)] == [429, 429, 200]
        fault_proxy.inject("reset", method="POST")
        fault_proxy.inject("reset_after", method="POST")
        for name in ("lost", "made"):
            with pytest.raises(httpx.TransportError):
                http.post(path, json={"metadata": {"name": name}})
        names = {item["metadata"]["name"] for item in http.get(path).json()["items"]}
        assert "made" in names
        assert "lost" not in names
        fault_proxy.inject("truncate")
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(path)
        fault_proxy.inject("hang")
        with pytest.raises(httpx.ReadTimeout):
            http.get(path, timeout=0.2)
    assert fault_proxy.count("POST") == 2


def test_a_deployment_really_runs_on_the_node(
    kube_node: ControlPlane, namespace: str, deploy: Callable[..., str]
) -> None:
    deploy("zone-1", cpu="200m")
    (pod,) = kube_node.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    answer = httpx.get(f"http://{pod['status']['podIP']}:8080/healthz", trust_env=False, timeout=5.0)
    assert answer.status_code == 200
