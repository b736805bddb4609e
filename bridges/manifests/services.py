"""The prediction server and the controller."""

from bridges.kubernetes.lease import LEASE
from bridges.manifests.parts import (
    CONTROLLER_PORT,
    PROMETHEUS_PORT,
    SCRAPE_S,
    SERVER_PORT,
    ZONE_LABEL,
    Json,
    budget,
    container,
    deployment,
    mounted,
    pod,
    probes,
    scratch,
    selector,
    service,
)
from bridges.manifests.permissions import ACTS, NODES, cluster_role, role
from bridges.manifests.settings import Settings

KEY_SECRET = "metaverse-server-key"  # noqa: S105 - the name of a Secret
"""An optional Secret; its entry ``key`` is asked of everyone who wants a prediction."""
SWITCH = "controller-switch"
"""An optional ConfigMap; while its entry ``paused`` says true the controller writes nothing."""
_SWITCH_FOLDER = "/etc/metaverse/switch"
_ENVIRONMENT = [
    {"name": "HOME", "value": "/tmp"},  # noqa: S108 - in the pod, where it is a folder of its own
    {"name": "OMP_NUM_THREADS", "value": "1"},
    {"name": "OPENBLAS_NUM_THREADS", "value": "1"},
]


def server(settings: Settings) -> list[Json]:
    """Return the prediction server: one process, as it remembers what zones said."""
    main = container("server", settings.server, settings, SERVER_PORT, ("250m", "1"), "512M")
    mount, volume = scratch("/tmp")  # noqa: S108
    main["args"] = [
        "serve", "--host", "0.0.0.0", "--port", str(SERVER_PORT), "--tick-s", f"{settings.tick_s:g}",  # noqa: S104
        "--max-zones", str(max(256, settings.zones)), "--drain-s", "5", "--json",
    ]  # fmt: skip
    key = {"secretKeyRef": {"name": KEY_SECRET, "key": "key", "optional": True}}
    main["env"] = [*_ENVIRONMENT, {"name": "METAVERSE_API_KEY", "valueFrom": key}]
    main["volumeMounts"] = [mount]
    main.update(probes("/healthz", "/readyz", 120))
    return _whole("server", settings, pod([main], "server", token=False, volumes=[volume]), SERVER_PORT)


def controller(settings: Settings) -> list[Json]:
    """Return the controller, which watches and writes nothing: in shadow mode."""
    main = container("controller", settings.controller, settings, CONTROLLER_PORT, ("100m", "1"), "512M")
    mount, volume = scratch("/tmp")  # noqa: S108
    switch, switch_volume = mounted(SWITCH, _SWITCH_FOLDER, "switch")
    switch_volume["configMap"]["optional"] = True
    main["args"] = arguments(settings, "shadow")
    main["env"] = list(_ENVIRONMENT)
    main["volumeMounts"] = [mount, switch]
    main.update(probes("/healthz", "/readyz", 120))
    specification = pod([main], "controller", token=True, volumes=[volume, switch_volume])
    return _whole("controller", settings, specification, CONTROLLER_PORT)


def arguments(settings: Settings, mode: str) -> list[str]:
    """Return what the controller is started with."""
    return [
        "bridge", "run",
        "--policy", settings.policy,
        "--namespace", settings.namespace,
        "--selector", ZONE_LABEL,
        "--mode", mode,
        "--tick-s", f"{settings.tick_s:g}",
        "--prometheus", f"http://prometheus.{settings.namespace}.svc:{PROMETHEUS_PORT}",
        "--scrape-s", f"{SCRAPE_S:g}",
        "--lease", LEASE,
        "--take-from", "kubectl,kubectl-client-side-apply",
        "--pause-file", f"{_SWITCH_FOLDER}/paused",
        "--checkpoint", "/tmp/checkpoint.json",  # noqa: S108
        "--host", "0.0.0.0",  # noqa: S104
        "--port", str(CONTROLLER_PORT),
        "--json",
    ]  # fmt: skip


def acting(settings: Settings) -> list[Json]:
    """Return what the controller may do besides when it acts."""
    return role("controller", ACTS, settings, "controller-acts")


def acting_patch(settings: Settings) -> list[Json]:
    """Return the change of the controller that makes it act: two of them, one of which leads."""
    replaced = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/args",
        "value": arguments(settings, "active"),
    }
    return [{"op": "replace", "path": "/spec/replicas", "value": 2}, replaced]


def capacity(settings: Settings) -> list[Json]:
    """Return what lets the controller know how much room the machines have."""
    return cluster_role("controller", "capacity", NODES, settings)


def _whole(component: str, settings: Settings, specification: Json, port: int) -> list[Json]:
    chosen = selector(component)
    return [
        deployment(component, settings, specification),
        service(component, settings, port, chosen),
        budget(component, settings, {"matchLabels": chosen}),
    ]
