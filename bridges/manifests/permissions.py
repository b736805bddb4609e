"""What each account may do: no more than it does, nothing outside the namespace but what is said here."""

from typing import Final

from bridges.kubernetes.lease import LEASE
from bridges.manifests.parts import Json, account, named
from bridges.manifests.settings import Settings

STATUS: Final = "metaverse-bridge-status"
"""ConfigMap of the bridge's conditions."""

SEES: Final = (
    ("apps", ("deployments",), ("list",), ()),
    ("", ("pods", "limitranges", "resourcequotas"), ("list",), ()),
    ("autoscaling", ("horizontalpodautoscalers",), ("list",), ()),
    ("policy", ("poddisruptionbudgets",), ("list",), ()),
    ("autoscaling.k8s.io", ("verticalpodautoscalers",), ("list",), ()),
    ("keda.sh", ("scaledobjects",), ("list",), ()),
    ("metrics.k8s.io", ("pods",), ("list",), ()),
)
"""Group, resources, verbs and names of what the controller reads: all that it needs in shadow mode."""

ACTS: Final = (
    ("apps", ("deployments",), ("get", "patch"), ()),
    ("apps", ("deployments/scale",), ("patch",), ()),
    ("", ("pods/resize",), ("patch",), ()),
    ("gateway.networking.k8s.io", ("httproutes",), ("get", "patch"), ()),
    ("coordination.k8s.io", ("leases",), ("create",), ()),
    ("coordination.k8s.io", ("leases",), ("get", "update"), (LEASE,)),
    ("events.k8s.io", ("events",), ("create", "patch"), ()),
    ("", ("configmaps",), ("create",), ()),
    ("", ("configmaps",), ("patch",), (STATUS,)),
)
"""What it writes when it acts. A name cannot be asked for in what is yet to be created."""

NODES: Final = (("", ("nodes", "pods"), ("list",), ()),)
"""Of the whole cluster: how much room there is on its machines, and who asks for it. Optional."""

FINDS: Final = (("", ("pods",), ("get", "list", "watch"), ()),)
"""How Prometheus finds the pods of the namespace."""
SCRAPES: Final = (
    ("", ("nodes",), ("get", "list", "watch"), ()),
    ("", ("nodes/metrics",), ("get",), ()),
)
"""How it finds and reads cAdvisor, which is a part of every kubelet and so of the cluster, not of the namespace."""

Rules = tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]


def rules(table: Rules) -> list[Json]:
    """Return a table as RBAC writes it."""
    return [
        {"apiGroups": [group], "resources": list(resources), **_names(names), "verbs": list(verbs)}
        for group, resources, verbs, names in table
    ]


def _names(names: tuple[str, ...]) -> Json:
    return {"resourceNames": list(names)} if names else {}


def accounts(settings: Settings) -> list[Json]:
    """Return the accounts, and what they may always do."""
    return [
        *(account(component, settings) for component in ("controller", "server", "prometheus", "grafana")),
        *role("controller", SEES, settings),
        *role("prometheus", FINDS, settings),
        *cluster_role("prometheus", "kubelets", SCRAPES, settings),
    ]


def role(component: str, table: Rules, settings: Settings, name: str = "") -> list[Json]:
    """Return a Role of the namespace, given to a part's account."""
    name = name or component
    return [
        {**named("Role", "rbac.authorization.k8s.io/v1", name, settings, component), "rules": rules(table)},
        _binding("Role", name, component, settings),
    ]


def cluster_role(component: str, name: str, table: Rules, settings: Settings) -> list[Json]:
    """Return a ClusterRole, named so that installations do not meet, given to a part's account."""
    name = f"{settings.namespace}-{name}"
    made = named("ClusterRole", "rbac.authorization.k8s.io/v1", name, settings, component)
    found = [{**made, "rules": rules(table)}, _binding("ClusterRole", name, component, settings)]
    for document in found:
        del document["metadata"]["namespace"]
    return found


def _binding(kind: str, name: str, component: str, settings: Settings) -> Json:
    return {
        **named(f"{kind}Binding", "rbac.authorization.k8s.io/v1", name, settings, component),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": component, "namespace": settings.namespace}],
    }
