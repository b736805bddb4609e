"""The arms of a trial: the same zones three times, twice left alone and once under the controller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridges.contracts import Snapshot

ARM_LABEL: Final = "metaverse-trial-arm"
"""Tells the arms apart: the controller's selector."""
TRIAL_LABEL: Final = "app.kubernetes.io/part-of"
TRIAL: Final = "metaverse-trial"
CONTROLLED: Final = "controlled"
PORT: Final = 8080


@dataclass(frozen=True)
class Arm:
    """Zones that start with the same CPU.

    Attributes:
        name: Of the arm.
        cpu_mcores: Limit of each zone at the start, thousandths of a core.
    """

    name: str
    cpu_mcores: int

    @property
    def controlled(self) -> bool:
        """Whether the controller moves it."""
        return self.name == CONTROLLED

    def zone(self, number: int) -> str:
        """Return the name of a zone's Deployment."""
        return f"{self.name}-zone-{number}"


@dataclass(frozen=True)
class Zone:
    """What a zone's pods are.

    Attributes:
        image: Serves ``/work?ms=`` and ``/metrics`` on port 8080.
        work_ms: CPU time of a request, ms.
        request_share: CPU request over limit: nine zones must fit a node that is smaller than their limits together.
        memory: Limit, as Kubernetes writes it.
    """

    image: str
    work_ms: float = 12.0
    request_share: float = 0.2
    memory: str = "64Mi"

    def address(self, pod_address: str) -> str:
        """Return where a pod is asked to work."""
        return f"http://{pod_address}:{PORT}/work?ms={self.work_ms:g}"

    def deployment(self, arm: Arm, number: int) -> dict[str, Any]:
        """Return the Deployment of an arm's zone."""
        name = arm.zone(number)
        labels = {TRIAL_LABEL: TRIAL, ARM_LABEL: arm.name, "app": name}
        template = {"metadata": {"labels": labels}, "spec": self._pod(arm, name)}
        surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "strategy": surge, "template": template}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        }

    def _pod(self, arm: Arm, name: str) -> dict[str, Any]:
        probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2}
        container = {
            "name": "zone",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "PORT", "value": str(PORT)}, {"name": "ZONE", "value": name}],
            "ports": [{"name": "http", "containerPort": PORT}],
            "resources": self._resources(arm),
            "readinessProbe": probe,
        }
        quiet = {"automountServiceAccountToken": False, "enableServiceLinks": False, "dnsPolicy": "Default"}
        return {**quiet, "terminationGracePeriodSeconds": 5, "containers": [container]}

    def _resources(self, arm: Arm) -> dict[str, dict[str, str]]:
        requested = round(arm.cpu_mcores * self.request_share)
        limits = {"cpu": f"{arm.cpu_mcores}m", "memory": self.memory}
        return {"requests": {"cpu": f"{requested}m", "memory": self.memory}, "limits": limits}


def serving(snapshot: Snapshot, zone: Zone) -> Mapping[str, Sequence[str]]:
    """Return the addresses that serve each zone: of its pods that are ready and stay."""
    return {
        workload.name: [
            zone.address(pod.address)
            for pod in workload.pods
            if pod.ready and not pod.deleting and pod.phase == "Running" and pod.address
        ]
        for workload in snapshot.workloads
    }


def given_cores(snapshot: Snapshot) -> Mapping[str, float]:
    """Return what each zone may use, cores: the limits of all its pods, those that come and go included."""
    return {
        workload.name: sum(pod.limits.cpu_cores or 0.0 for pod in workload.pods if pod.phase in ("Pending", "Running"))
        for workload in snapshot.workloads
    }
