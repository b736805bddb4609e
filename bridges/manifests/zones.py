"""The zones: one Deployment each, which the controller gives and takes CPU, memory and replicas."""

from bridges.manifests.parts import (
    USER,
    ZONE,
    ZONE_LABEL,
    ZONE_PORT,
    Json,
    account,
    budget,
    container,
    labels,
    named,
    selector,
    service_port,
)
from bridges.manifests.settings import Settings

WORK_MS = "5"
"""CPU time of a request that does not say how much it costs, ms."""


def namespace(settings: Settings) -> list[Json]:
    """Return the namespace, in which only pods of the restricted security standard are let in."""
    standard = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    name = settings.namespace
    known = {"app.kubernetes.io/part-of": "metaverse", "kubernetes.io/metadata.name": name}
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**known, **standard}}}]


def zones(settings: Settings) -> list[Json]:
    """Return the Deployments of the zones, and what all of them share."""
    return [account(ZONE, settings), *(_deployment(name, settings) for name in settings.names)]


def services(settings: Settings) -> list[Json]:
    """Return an address for each zone, and a budget for the pods of each."""
    found: list[Json] = []
    for name in settings.names:
        chosen = selector(ZONE, name)
        service = named("Service", "v1", name, settings, ZONE)
        found.append({**service, "spec": {"selector": chosen, "ports": [service_port(ZONE_PORT)]}})
        found.append(budget(ZONE, settings, {"matchLabels": chosen}, name))
    return found


def _deployment(name: str, settings: Settings) -> Json:
    """Return a zone without a number of replicas: one by default, and nobody's field but the controller's later."""
    marked = {**labels(ZONE, name), ZONE_LABEL: name}
    start = named("Deployment", "apps/v1", name, settings, ZONE)
    start["metadata"]["labels"] = marked
    return {
        **start,
        "spec": {
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 120,
            "selector": {"matchLabels": selector(ZONE, name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": marked}, "spec": _pod(name, settings)},
        },
    }


def _pod(name: str, settings: Settings) -> Json:
    cpu = (settings.zone_cpu, settings.zone_cpu)
    main = container("zone", settings.zone, settings, ZONE_PORT, cpu, settings.zone_memory)
    main["env"] = [{"name": "ZONE", "value": name}, {"name": "WORK_MS", "value": WORK_MS}]
    main["readinessProbe"] = {
        "httpGet": {"path": "/healthz", "port": "http"},
        "periodSeconds": 1,
        "failureThreshold": 2,
    }
    main["livenessProbe"] = {**main["readinessProbe"], "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6}
    return {
        "serviceAccountName": ZONE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 5,
        "containers": [main],
    }
