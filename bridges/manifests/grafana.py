"""Grafana, which finds its data source and its dashboards when it starts."""

import json
from typing import Final

import yaml

from bridges.manifests.dashboards import dashboards
from bridges.manifests.panels import SOURCE
from bridges.manifests.parts import (
    GRAFANA_PORT,
    PROMETHEUS_PORT,
    Json,
    budget,
    config_map,
    container,
    deployment,
    mounted,
    pod,
    probes,
    scratch,
    selector,
    service,
)
from bridges.manifests.settings import Settings

PROVISIONING: Final = "grafana-provisioning"
DASHBOARDS: Final = "grafana-dashboards"
ADMIN_SECRET: Final = "grafana-admin"  # noqa: S105 - the name of a Secret
_FOLDER: Final = "/var/lib/grafana-dashboards"


def provisioning(settings: Settings) -> dict[str, str]:
    """Return the files that tell Grafana where its data and its dashboards are."""
    source = {
        "name": "Prometheus",
        "uid": SOURCE,
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://prometheus.{settings.namespace}.svc:{PROMETHEUS_PORT}",
        "isDefault": True,
        "editable": False,
        "jsonData": {"timeInterval": "5s", "httpMethod": "POST"},
    }
    provider = {
        "name": "metaverse",
        "type": "file",
        "folder": "Metaverse",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": _FOLDER, "foldersFromFilesStructure": False},
    }
    return {
        "datasources.yaml": yaml.safe_dump({"apiVersion": 1, "datasources": [source]}, sort_keys=False),
        "dashboards.yaml": yaml.safe_dump({"apiVersion": 1, "providers": [provider]}, sort_keys=False),
    }


def boards() -> dict[str, str]:
    """Return the dashboards as files."""
    return {name: json.dumps(board, indent=1) + "\n" for name, board in dashboards().items()}


def configured(settings: Settings) -> list[Json]:
    """Return the ConfigMaps of what is provisioned and of the dashboards."""
    return [
        config_map(PROVISIONING, settings, "grafana", provisioning(settings)),
        config_map(DASHBOARDS, settings, "grafana", boards()),
    ]


def grafana(settings: Settings) -> list[Json]:
    """Return Grafana itself. Its administrator's password comes from a Secret, which has to be made first."""
    main = container("grafana", settings.grafana, settings, GRAFANA_PORT, ("100m", "1"), "512M")
    main["env"] = [
        {"name": "GF_SECURITY_ADMIN_USER", "value": "admin"},
        {
            "name": "GF_SECURITY_ADMIN_PASSWORD",
            "valueFrom": {"secretKeyRef": {"name": ADMIN_SECRET, "key": "password"}},
        },
        *({"name": name, "value": "false"} for name in _OFF),
    ]
    config_mount, config_volume = mounted(PROVISIONING, "/etc/grafana/provisioning", "provisioning")
    config_volume["configMap"]["items"] = [
        {"key": "datasources.yaml", "path": "datasources/datasources.yaml"},
        {"key": "dashboards.yaml", "path": "dashboards/dashboards.yaml"},
    ]
    board_mount, board_volume = mounted(DASHBOARDS, _FOLDER, "dashboards")
    data_mount, data_volume = scratch("/var/lib/grafana", "data", "256Mi")
    tmp_mount, tmp_volume = scratch("/tmp")  # noqa: S108 - in the pod, where it is a folder of its own
    main["volumeMounts"] = [config_mount, board_mount, data_mount, tmp_mount]
    main.update(probes("/api/health", "/api/health", 120))
    chosen = selector("grafana")
    text = "".join([*provisioning(settings).values(), *boards().values()])
    volumes = [config_volume, board_volume, data_volume, tmp_volume]
    return [
        deployment("grafana", settings, pod([main], "grafana", token=False, volumes=volumes), configured=text),
        service("grafana", settings, GRAFANA_PORT, chosen),
        budget("grafana", settings, {"matchLabels": chosen}),
    ]


_OFF: Final = (
    "GF_ANALYTICS_REPORTING_ENABLED",
    "GF_ANALYTICS_CHECK_FOR_UPDATES",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
    "GF_USERS_ALLOW_SIGN_UP",
    "GF_AUTH_ANONYMOUS_ENABLED",
)
"""What would call home, or let anybody in."""
