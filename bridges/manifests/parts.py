"""What the objects of an installation have in common: labels, the bounds of a container, mounts, probes."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridges.manifests.settings import Settings
from metaverse_env import __version__

Json = dict[str, Any]

PREFIX: Final = "metaverse-env.dev"
ZONE_LABEL: Final = f"{PREFIX}/zone"
"""Label of a zone's Deployment and pods; its value is the zone's name. The bridge finds zones by it."""
CLIENT_LABEL: Final = f"{PREFIX}/client"
"""Label of pods that may send requests to zones and server; its value is ``"true"``."""
ZONE: Final = "zone"
"""Component of the zones; they alone are part of ``metaverse``, by which the bridge chooses what it may change."""
USER: Final = 65532
"""Everything's user and group: ``nonroot`` of distroless images."""

SCRAPE_S: Final = 5.0
"""How often Prometheus takes values, s."""

ZONE_PORT: Final = 8080
SERVER_PORT: Final = 8000
CONTROLLER_PORT: Final = 9464
PROMETHEUS_PORT: Final = 9090
GRAFANA_PORT: Final = 3000


def labels(component: str, name: str = "") -> dict[str, str]:
    """Return the recommended labels of a part."""
    return {
        "app.kubernetes.io/name": name or component,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "metaverse" if component == ZONE else "metaverse-bridge",
        "app.kubernetes.io/version": __version__,
    }


def selector(component: str, name: str = "") -> dict[str, str]:
    """Return the labels by which a part's pods are found; a version is not among them, as it may not change."""
    return {"app.kubernetes.io/name": name or component, "app.kubernetes.io/component": component}


def named(kind: str, api: str, name: str, settings: Settings, component: str) -> Json:
    """Return the beginning of an object in the namespace."""
    metadata = {"name": name, "namespace": settings.namespace, "labels": labels(component, name)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def container(name: str, image: str, settings: Settings, port: int, cpu: tuple[str, str], memory: str) -> Json:
    """Return a container that may do nothing but compute and speak.

    Args:
        name: Of the container.
        image: What it runs.
        settings: Of the installation.
        port: Where it answers.
        cpu: Request and limit.
        memory: Request and limit: more than asked for would be taken from others.
    """
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": settings.pull,
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": cpu[0], "memory": memory},
            "limits": {"cpu": cpu[1], "memory": memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def probes(live: str, ready: str, start_s: int) -> Json:
    """Return probes over HTTP; starting may take so long, s."""
    return {
        "startupProbe": {**_asks(live), "periodSeconds": 1, "failureThreshold": start_s},
        "livenessProbe": {**_asks(live), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "readinessProbe": {**_asks(ready), "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 2},
    }


def _asks(path: str) -> Json:
    return {"httpGet": {"path": path, "port": "http"}}


def pod(containers: Sequence[Json], account: str, *, token: bool, volumes: Sequence[Json] = ()) -> Json:
    """Return a pod's specification under the restricted security standard."""
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 30,
        "containers": list(containers),
        **({"volumes": list(volumes)} if volumes else {}),
    }


def deployment(
    component: str, settings: Settings, specification: Json, *, replicas: int = 1, configured: str = ""
) -> Json:
    """Return a Deployment of a part that is there once.

    Args:
        component: Its name.
        settings: Of the installation.
        specification: Of its pods.
        replicas: How many.
        configured: What its pods read at their start; another text makes other pods.
    """
    annotations = {f"{PREFIX}/configuration": digest(configured)} if configured else {}
    template: Json = {"metadata": {"labels": labels(component)}, "spec": specification}
    if annotations:
        template["metadata"]["annotations"] = annotations
    return {
        **named("Deployment", "apps/v1", component, settings, component),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector(component)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template,
        },
    }


def service(component: str, settings: Settings, port: int, wanted: Mapping[str, str], name: str = "") -> Json:
    """Return a Service in front of a part's pods."""
    return {
        **named("Service", "v1", name or component, settings, component),
        "spec": {"selector": dict(wanted), "ports": [service_port(port)]},
    }


def service_port(port: int) -> Json:
    """Return a Service's port; with its protocol, without which old servers apply no Service."""
    return {"name": "http", "protocol": "TCP", "port": port, "targetPort": "http"}


def account(component: str, settings: Settings) -> Json:
    """Return an account whose token no pod is given unasked."""
    return {
        **named("ServiceAccount", "v1", component, settings, component),
        "automountServiceAccountToken": False,
    }


def budget(component: str, settings: Settings, wanted: Json, name: str = "") -> Json:
    """Return a budget: of the pods that are selected, one may be away by somebody's will."""
    return {
        **named("PodDisruptionBudget", "policy/v1", name or component, settings, component),
        "spec": {"maxUnavailable": 1, "selector": wanted},
    }


def config_map(name: str, settings: Settings, component: str, data: Mapping[str, str]) -> Json:
    """Return a ConfigMap of files."""
    return {**named("ConfigMap", "v1", name, settings, component), "data": dict(data)}


def scratch(path: str, name: str = "tmp", size: str = "64Mi") -> tuple[Json, Json]:
    """Return a mount and its volume: a folder that is written to, bounded, and gone with the pod."""
    return {"name": name, "mountPath": path}, {"name": name, "emptyDir": {"sizeLimit": size}}


def mounted(config: str, path: str, name: str) -> tuple[Json, Json]:
    """Return a mount and its volume: the files of a ConfigMap."""
    return {"name": name, "mountPath": path, "readOnly": True}, {"name": name, "configMap": {"name": config}}


def digest(text: str) -> str:
    """Return a short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
