"""Who may speak to whom: nobody to nobody, but for what follows."""

from bridges.manifests.parts import (
    CLIENT_LABEL,
    CONTROLLER_PORT,
    PROMETHEUS_PORT,
    SERVER_PORT,
    ZONE_PORT,
    Json,
    named,
)
from bridges.manifests.settings import Settings

KUBELET_PORT = 10250


def policies(settings: Settings) -> list[Json]:
    """Return the default, which is no, and its exceptions.

    Where the API server and the kubelets are is known to the cluster alone, so that their ports are open to
    any address; narrow them with an ``ipBlock`` where it is known. Probes come from the node,
    which plugins always let in.
    """
    prometheus, grafana, controller = (_pods(name) for name in ("prometheus", "grafana", "controller"))
    clients = {"namespaceSelector": {}, "podSelector": {"matchLabels": {CLIENT_LABEL: "true"}}}
    api = _open(443, 6443)
    return [
        {
            **named("NetworkPolicy", "networking.k8s.io/v1", "default-deny", settings, "network"),
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        _policy("zone", settings, [_from([prometheus, clients], ZONE_PORT)], []),
        _policy("server", settings, [_from([prometheus, clients], SERVER_PORT)], []),
        _policy(
            "controller", settings, [_from([prometheus], CONTROLLER_PORT)],
            [_names(), api, _to([prometheus], PROMETHEUS_PORT)],
        ),
        _policy(
            "prometheus", settings, [_from([grafana, controller], PROMETHEUS_PORT)],
            [
                _names(), api, _open(KUBELET_PORT), _to([_pods("zone")], ZONE_PORT),
                _to([_pods("server")], SERVER_PORT), _to([controller], CONTROLLER_PORT),
            ],
        ),
        _policy("grafana", settings, [], [_names(), _to([prometheus], PROMETHEUS_PORT)]),
    ]  # fmt: skip


def _policy(component: str, settings: Settings, ingress: list[Json], egress: list[Json]) -> Json:
    return {
        **named("NetworkPolicy", "networking.k8s.io/v1", component, settings, component),
        "spec": {
            "podSelector": _pods(component)["podSelector"],
            "policyTypes": ["Ingress", "Egress"],
            **({"ingress": ingress} if ingress else {}),
            **({"egress": egress} if egress else {}),
        },
    }


def _pods(component: str) -> Json:
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/component": component}}}


def _from(peers: list[Json], port: int) -> Json:
    return {"from": peers, "ports": [{"protocol": "TCP", "port": port}]}


def _to(peers: list[Json], port: int) -> Json:
    return {"to": peers, "ports": [{"protocol": "TCP", "port": port}]}


def _open(*ports: int) -> Json:
    return {"ports": [{"protocol": "TCP", "port": port} for port in ports]}


def _names() -> Json:
    """Return the way to the cluster's names."""
    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    return {"to": [system], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
