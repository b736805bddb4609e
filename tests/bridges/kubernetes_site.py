"""What tests of the real cluster share: a cluster under test beside the administrator's own eyes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bridges.contracts import Amounts, Change, Receipt, Workload
from bridges.kubernetes.client import ApiClient, ClientOptions
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.retrying import RetryPolicy
from bridges.kubernetes.settings import ClusterSettings
from tests.bridges.control_plane import AuditLog, ControlPlane, Json, deployment, path_of, wait_for

MANAGER = "metaverse-bridge"
SETUP = "test-setup"
FAST = RetryPolicy(requests_per_s=500.0, burst=100)


class Site:
    """One namespace with zones, a cluster under test, and what the server was asked by it."""

    def __init__(self, plane: ControlPlane, namespace: str, audit: AuditLog) -> None:
        self.plane, self.namespace, self.audit = plane, namespace, audit
        self._clients: list[ApiClient] = []

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def cluster(
        self, manager: str = MANAGER, clock: Any = None, kubeconfig: Any = None, **options: Any
    ) -> KubernetesCluster:
        """Return a cluster under test; ``fence`` and ``epoch`` are its own, all other words are settings."""
        ours = {name: options.pop(name) for name in ("fence", "epoch") if name in options}
        settings: dict[str, Any] = {"selector": "team=zones", "allow_rollout": True, "rollout_cool_down_s": 0.0}
        settings |= {"conflict": "force", "force_from": (SETUP,), "read_nodes": False, **options}
        client_options = ClientOptions(field_manager=manager, retry=FAST)
        client = ApiClient.from_kubeconfig(kubeconfig or self.plane.kubeconfig, clock=clock, options=client_options)
        self._clients.append(client)
        return KubernetesCluster(client, ClusterSettings(namespace=self.namespace, **settings), **ours)

    def add(self, name: str, edit: Callable[[Json], None] | None = None, ready: bool = True, **options: Any) -> str:
        """Make a Deployment of a zone, changed before by ``edit``; return its path."""
        manifest = deployment(name, team="zones", **options)
        if edit is not None:
            edit(manifest)
        self.plane.apply(manifest, namespace=self.namespace)
        path = path_of(manifest, self.namespace)
        if ready:
            self.settle()
        else:
            wait_for(lambda: observed(self.plane.get(path)), f"{name} observed")
        return path

    def settle(self) -> None:
        """Wait until no rollout is under way; where there is no node, say of the pods what its kubelet would."""
        wait_for(self.settled, "rollouts", 90.0)

    def settled(self) -> bool:
        if not self.plane.has_node:
            for pod in self.pods():
                if pod["status"].get("phase") == "Pending":
                    self.run_pod(pod["metadata"]["name"])
        root = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        return all(map(complete, self.plane.get(root)["items"])) and not any(map(going, self.pods()))

    def pods(self) -> list[Json]:
        return list(self.plane.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"])

    def run_pod(self, name: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
        ]
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/status"
        self.plane.send("PATCH", path, {"status": {"phase": "Running", "conditions": conditions}}, "strategic")

    def put(self, manifest: Json) -> str:
        self.plane.apply(manifest, namespace=self.namespace)
        return path_of(manifest, self.namespace)

    def writes(self) -> list[tuple[str, str]]:
        """Return what was changed in the namespace since the audit's mark, by verb and resource."""
        done = [entry for entry in self.entries() if entry.code < 400]
        return [(entry.verb, f"{entry.resource}/{entry.subresource}".rstrip("/")) for entry in done]

    def entries(self) -> list[Any]:
        return [
            entry
            for entry in self.audit.since(namespace=self.namespace)
            if entry.mutating and f"fieldManager={SETUP}" not in entry.query and "fieldManager" in entry.query
        ]


def complete(found: Json) -> bool:
    status, replicas = found["status"], found["spec"]["replicas"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    return observed(found) and counts == [replicas] * 3


def going(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def observed(found: Json) -> bool:
    return bool(found["status"].get("observedGeneration", 0) >= found["metadata"]["generation"])


def zone_of(cluster: KubernetesCluster, name: str) -> Workload:
    return next(workload for workload in cluster.read().workloads if workload.zone == name)


def one(
    cluster: KubernetesCluster, zone: str, cpu: float | None = None, memory: float | None = None, **change: Any
) -> Receipt:
    """Read, ask for one change, and return its receipt."""
    requests = None if cpu is None and memory is None else Amounts(cpu, memory)
    (receipt,) = cluster.write([Change(zone, requests, **change)], cluster.read())
    return receipt


def container_of(found: Json, container: str = "zone") -> Json:
    containers = found["spec"]["template"]["spec"]["containers"]
    return next(each for each in containers if each["name"] == container)


def resources(found: Json, container: str = "zone") -> Any:
    return container_of(found, container).get("resources")
