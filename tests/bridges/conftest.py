"""A real control plane for each worker, started once; what tests of the bridge need of it."""

import os
import re
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.absent import unavailable
from tests.bridges.control_plane import (
    AuditLog,
    ControlPlane,
    Json,
    deployment,
    free_port,
    path_of,
    wait_for,
)
from tests.bridges.fault_proxy import FaultProxy
from tests.bridges.kubernetes_site import Site

MakeKubeconfig = Callable[..., Path]


@pytest.fixture(scope="session")
def control_plane(assets: Path, worker_id: str) -> Iterator[ControlPlane]:
    """Return a control plane of this worker's own; ``KUBE_SLOT`` names the first slot to try."""
    worker = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    plane = ControlPlane(assets / "kube", int(os.environ.get("KUBE_SLOT", "0")) + worker)
    yield plane
    plane.close()


@pytest.fixture(scope="session")
def kube_node(control_plane: ControlPlane) -> ControlPlane:
    """Return the same with a node, on which pods really run."""
    if os.geteuid() != 0:
        unavailable("a node needs root")
    control_plane.up("node")
    return control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a namespace of this test's own."""
    stem = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    name = f"{stem}-{secrets.token_hex(3)}"
    control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    wait_for(lambda: control_plane.send("GET", account).is_success, "the namespace's default account")
    yield name
    control_plane.send("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def audit_log(control_plane: ControlPlane) -> AuditLog:
    """Return the reader of the API server's audit log, from now on."""
    return AuditLog(control_plane)


@pytest.fixture
def fault_proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """Return a proxy that behaves until it is told not to."""
    proxy = FaultProxy(control_plane.url, control_plane.pki)
    yield proxy
    proxy.close()


@pytest.fixture
def service_account_kubeconfig(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[MakeKubeconfig]:
    """Return what makes an account and its kubeconfig.

    ``service_account_kubeconfig([rule("apps", "deployments", "get list")], name="bridge", cluster_rules=[…],
    server=fault_proxy.url, seconds=3600)``. Rules are for the test's namespace; without any it may do nothing.
    """
    bindings: list[str] = []

    def make(
        rules: list[Json] | None = None,
        name: str = "bridge",
        cluster_rules: list[Json] | None = None,
        server: str = "",
        seconds: int = 3600,
    ) -> Path:
        control_plane.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}, namespace=namespace
        )
        bind(control_plane, namespace, name, "Role", rules or [])
        if cluster_rules:
            bindings.extend(bind(control_plane, namespace, name, "ClusterRole", cluster_rules))
        config = yaml.safe_load(control_plane.script("sa-kubeconfig.sh", namespace, name, str(seconds)))
        config["clusters"][0]["cluster"]["server"] = server or control_plane.url
        path = tmp_path / f"{name}-{secrets.token_hex(3)}.kubeconfig"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    yield make
    for path in bindings:
        control_plane.send("DELETE", path)


def bind(plane: ControlPlane, namespace: str, account: str, kind: str, rules: list[Json]) -> list[str]:
    """Allow an account so much, and return the paths of what was made."""
    name = f"{namespace}-{account}" if kind == "ClusterRole" else account
    api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    role: Json = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "rules": rules}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    reference = {"apiGroup": group, "kind": kind, "name": name}
    binding = {"apiVersion": api, "kind": f"{kind}Binding", "metadata": {"name": name}}
    both = [role, {**binding, "roleRef": reference, "subjects": [subject]}]
    plane.apply(*both, namespace=namespace)
    return [path_of(manifest, namespace) for manifest in both]


@pytest.fixture
def deploy(control_plane: ControlPlane, namespace: str) -> Callable[..., str]:
    """Return what makes a zone's Deployment in the test's namespace and returns its path; waits for it on a node.

    ``deploy("zone-1", replicas=2, cpu="300m", memory="64Mi", team="a")``; more words are labels.
    """

    def make(name: str, ready: bool | None = None, **options: Any) -> str:
        manifest = deployment(name, **options)
        control_plane.apply(manifest, namespace=namespace)
        path, wanted = path_of(manifest, namespace), manifest["spec"]["replicas"]
        if control_plane.has_node if ready is None else ready:
            wait_for(lambda: control_plane.get(path)["status"].get("readyReplicas", 0) == wanted, f"{name} ready", 60.0)
        return path

    return make


@pytest.fixture(scope="session")
def start_prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Return what starts a real Prometheus from a configuration (a mapping, or YAML) and returns its address."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(configuration: Json | str, *options: str) -> str:
        folder = tmp_path_factory.mktemp("prometheus")
        text = configuration if isinstance(configuration, str) else yaml.safe_dump(configuration)
        (folder / "prometheus.yml").write_text(text, encoding="utf-8")
        address = f"127.0.0.1:{free_port()}"
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        with (folder / "log").open("w") as log:
            command += [f"--web.listen-address={address}", *options]
            try:
                processes.append(subprocess.Popen(command, stdout=log, stderr=log))
            except FileNotFoundError:
                unavailable("no program prometheus; Debian's package is called prometheus")
        wait_for(lambda: answers(f"http://{address}/-/ready"), f"Prometheus; see {folder}/log", 60.0)
        return f"http://{address}"

    yield start
    for process in processes:
        process.terminate()
        process.wait(30.0)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def prometheus(kube_node: ControlPlane, start_prometheus: Callable[..., str]) -> Iterator[str]:
    """Return the address of a Prometheus that scrapes the node (cAdvisor) and every ready pod's port ``http``."""
    kube_node.apply_file("rbac.yaml")
    address = start_prometheus(kube_node.script("prometheus.sh"))
    stop = threading.Event()

    def refresh() -> None:
        while not stop.wait(1.0):
            with suppress(AssertionError):  # a test has the server away for a while
                kube_node.script("prometheus.sh", "targets")

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    yield address
    stop.set()
    thread.join()


@pytest.fixture
def site(control_plane: ControlPlane, namespace: str, audit_log: AuditLog) -> Iterator[Site]:
    """Return the test's namespace with a cluster under test."""
    made = Site(control_plane, namespace, audit_log)
    yield made
    made.close()
