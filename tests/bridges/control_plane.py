"""A real Kubernetes on loopback, for tests: started in seconds, spoken to without the client under test."""

import fcntl
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from tests.absent import unavailable

Json = dict[str, Any]

SLOTS = 10
CONTENT_TYPES = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
PLURALS = {"NetworkPolicy": "networkpolicies", "Endpoints": "endpoints"}
CLUSTERED = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "APIService", "CustomResourceDefinition"}


class Audit(NamedTuple):
    """One request as the API server's audit log has it; ``dry_run`` and ``query`` are from its address."""

    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    code: int
    dry_run: bool
    query: str
    body: Json | None

    @property
    def mutating(self) -> bool:
        return self.verb not in {"get", "list", "watch"} and not self.dry_run


def to_audit(line: str) -> Audit:
    event = json.loads(line)
    target, query = event.get("objectRef", {}), event["requestURI"].partition("?")[2]
    resource, subresource = target.get("resource", ""), target.get("subresource", "")
    where = target.get("namespace", ""), target.get("name", "")
    code, user = event.get("responseStatus", {}).get("code", 0), event["user"].get("username", "")
    dry = "dryRun=All" in query
    return Audit(event["verb"], resource, subresource, *where, user, code, dry, query, event.get("requestObject"))


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30.0, every_s: float = 0.05) -> Any:
    """Return what the condition returns as soon as that is true; fail with these words after so many seconds."""
    deadline_s = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline_s, f"waited {seconds:g} s for {what}"
        time.sleep(every_s)
    return result


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def take_slot(first: int) -> tuple[int, Any]:
    """Return the number of a free slot, and the lock that keeps other test processes away from it."""
    for slot in ((first + offset) % SLOTS for offset in range(SLOTS)):
        lock = (Path(tempfile.gettempdir()) / f"metaverse-kube-slot-{slot}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for port in range(16400 + 20 * slot, 16405 + 20 * slot):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            lock.close()
            continue
        return slot, lock
    return unavailable(f"all {SLOTS} slots for clusters on this machine are taken")


class ControlPlane:
    """etcd, API server, controller manager and scheduler; a node when asked for.

    Whoever holds it dies with it: a watcher outside takes everything down when this process ends, however it ends.
    """

    def __init__(self, scripts: Path, first_slot: int) -> None:
        for program in ("etcd", "jq", "openssl", "curl"):
            if not shutil.which(program):
                unavailable(f"no program {program}; kube/README.md of the assets names the packages")
        self.scripts, self.has_node = scripts, False
        self.slot, self._lock = take_slot(first_slot)
        self.state = Path(tempfile.mkdtemp(prefix=f"kube-{self.slot}-"))  # short: it will hold sockets
        down = f'read -r _; exec "{scripts}/down.sh" "{self.state}" purge'
        self._watcher = subprocess.Popen(["bash", "-c", down], stdin=subprocess.PIPE, start_new_session=True)
        self.up()
        self.url = f"https://127.0.0.1:{16403 + 20 * self.slot}"
        self.kubeconfig = self.state / "kubeconfig"
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        self.http = httpx.Client(base_url=self.url, verify=context, timeout=30.0, trust_env=False)

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def node_ip(self) -> str:
        return f"10.88.{self.slot}.1"

    @property
    def audit_file(self) -> Path:
        return self.state / "logs" / "audit.log"

    def script(self, name: str, *arguments: str) -> str:
        environment = {"KUBE_SHARES": "16384", **os.environ, "KUBE_SLOT": str(self.slot)}
        command = [str(self.scripts / name), str(self.state), *arguments]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def up(self, mode: str = "control-plane") -> None:
        """Start whatever of it does not run; safe to call again."""
        self.script("up.sh", mode)
        self.has_node = self.has_node or mode == "node"

    def process(self, name: str) -> int:
        """Return the process id of a part, such as ``"kube-apiserver"``, to stop or kill it for real."""
        return int((self.state / "pids" / name).read_text().split()[0])

    def close(self) -> None:
        self.http.close()
        self._watcher.communicate(b"\n")
        self._lock.close()

    def send(self, method: str, path: str, body: Any = None, kind: str = "", **query: str) -> httpx.Response:
        """Ask the API server as its administrator; ``kind`` is that of a patch."""
        headers = {"Content-Type": CONTENT_TYPES.get(kind, "application/json")}
        content = None if body is None else json.dumps(body)
        return self.http.request(method, path, content=content, headers=headers, params=query)

    def call(self, method: str, path: str, body: Any = None, kind: str = "", **query: str) -> Json:
        """Like :meth:`send`, but nothing less than success will do."""
        answer = self.send(method, path, body, kind, **query)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def get(self, path: str, **query: str) -> Json:
        return self.call("GET", path, **query)

    def apply(self, *manifests: Mapping[str, Any], namespace: str = "default") -> None:
        """Make or change objects as ``kubectl apply`` would."""
        for manifest in manifests:
            path = path_of(manifest, namespace)
            self.call("PATCH", path, manifest, "apply", fieldManager="test-setup", force="true")

    def apply_file(self, name: str) -> None:
        """Apply a file of the assets' ``kube`` folder."""
        for document in yaml.safe_load_all((self.scripts / name).read_text(encoding="utf-8")):
            self.apply(*document.get("items", [document]))


def path_of(manifest: Mapping[str, Any], namespace: str = "default") -> str:
    """Return where an object lives: ``/apis/apps/v1/namespaces/default/deployments/zone-1``."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    middle = "" if kind in CLUSTERED else f"/namespaces/{metadata.get('namespace', namespace)}"
    return f"{root}{middle}/{PLURALS.get(kind, kind.lower() + 's')}/{metadata['name']}"


class AuditLog:
    """What the API server was asked, by everybody but the control plane itself."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane, self._sentinels = plane, 0
        self.mark()

    def mark(self) -> int:
        """Start anew from here, and return the place."""
        self._settle()
        self._start = self._plane.audit_file.stat().st_size
        return self._start

    def since(self, mark: int | None = None, user: str = "", namespace: str = "") -> list[Audit]:
        """Return the requests since a mark, or since the latest; of users and namespaces whose names contain these."""
        self._settle()
        with self._plane.audit_file.open("rb") as file:
            file.seek(self._start if mark is None else mark)
            requests = [to_audit(line.decode()) for line in file.read().splitlines()]
        chosen = (entry for entry in requests if not entry.name.startswith("audit-sentinel-"))
        return [entry for entry in chosen if user in entry.user and namespace in entry.namespace]

    def _settle(self) -> None:
        """Wait until the log has a request that was made after all others."""
        self._sentinels += 1
        name = f"audit-sentinel-{time.monotonic_ns()}-{self._sentinels}"
        self._plane.send("GET", f"/api/v1/namespaces/default/configmaps/{name}")
        wait_for(lambda: self._has(name), "the audit log")
        time.sleep(0.02)  # a request that was answered before may be written just after

    def _has(self, name: str) -> bool:
        with self._plane.audit_file.open("rb") as file:
            file.seek(max(0, self._plane.audit_file.stat().st_size - 65536))
            return name.encode() in file.read()


def deployment(name: str, *, replicas: int = 1, cpu: str = "100m", memory: str = "32Mi", **labels: str) -> Json:
    """Return a zone's Deployment; on a node its pods really run and answer on port 8080."""
    both = {"app": name, **labels}
    variables = [{"name": "PORT", "value": "8080"}, {"name": "ZONE", "value": name}, {"name": "WORK_MS", "value": "12"}]
    amounts = {"cpu": cpu, "memory": memory}
    container = {
        "name": "zone",
        "image": "zone:1",
        "imagePullPolicy": "Never",
        "env": variables,
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2},
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "dnsPolicy": "Default",
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
    }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "strategy": rolling,
        "template": {"metadata": {"labels": both}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": both}, "spec": spec}


def rule(group: str, resources: str, verbs: str, names: Sequence[str] = ()) -> Json:
    """Return an RBAC rule from words: ``rule("apps", "deployments deployments/scale", "get patch")``."""
    allowed: Json = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    return {**allowed, "resourceNames": list(names)} if names else allowed
