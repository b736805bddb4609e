"""Prometheus: what it scrapes, what it computes, and where it runs."""

from typing import Final

import yaml

from bridges.manifests.parts import (
    PROMETHEUS_PORT,
    SCRAPE_S,
    Json,
    budget,
    config_map,
    container,
    deployment,
    mounted,
    named,
    pod,
    probes,
    scratch,
    selector,
    service,
)
from bridges.manifests.rules import groups
from bridges.manifests.settings import Settings

CONFIG: Final = "prometheus"
_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - where it lies, not what it is
_POD: Final = "__meta_kubernetes_pod_"
_KEPT: Final = "container_(cpu_usage_seconds_total|cpu_cfs_.*|memory_working_set_bytes|network_transmit_bytes_total)"
_SERIES: Final = 20_000


def configuration(settings: Settings) -> Json:
    """Return what Prometheus scrapes: zones, server and controller of the namespace, and cAdvisor on every node."""
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_S:g}s",
            "scrape_timeout": "4s",
            "evaluation_interval": f"{settings.tick_s:g}s",
        },
        "rule_files": ["/etc/prometheus/rules.yml"],
        "scrape_configs": [
            _pods("zones", "zone", settings),
            _pods("server", "server", settings),
            _pods("controller", "controller", settings),
            _cadvisor(settings),
        ],
    }


def files(settings: Settings) -> dict[str, str]:
    """Return the files that Prometheus reads."""
    return {
        "prometheus.yml": yaml.safe_dump(configuration(settings), sort_keys=False, width=120),
        "rules.yml": yaml.safe_dump(groups(settings.tick_s), sort_keys=False, width=120),
    }


def configured(settings: Settings) -> list[Json]:
    """Return the ConfigMap of its files."""
    return [config_map(CONFIG, settings, "prometheus", files(settings))]


def prometheus(settings: Settings) -> list[Json]:
    """Return Prometheus itself; two days of measurements, gone with the pod."""
    main = container("prometheus", settings.prometheus, settings, PROMETHEUS_PORT, ("100m", "1"), "1G")
    main["args"] = [
        "--config.file=/etc/prometheus/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        "--storage.tsdb.retention.time=2d",
        "--storage.tsdb.retention.size=3GB",
        f"--web.listen-address=:{PROMETHEUS_PORT}",
    ]
    config_mount, config_volume = mounted(CONFIG, "/etc/prometheus", "configuration")
    data_mount, data_volume = scratch("/prometheus", "data", "4Gi")
    main["volumeMounts"] = [config_mount, data_mount]
    main.update(probes("/-/healthy", "/-/ready", 60))
    chosen = selector("prometheus")
    text = "".join(files(settings).values())
    specification = pod([main], "prometheus", token=True, volumes=[config_volume, data_volume])
    return [
        deployment("prometheus", settings, specification, configured=text),
        service("prometheus", settings, PROMETHEUS_PORT, chosen),
        budget("prometheus", settings, {"matchLabels": chosen}),
    ]


def operator(settings: Settings) -> list[Json]:
    """Return the same for a cluster that has the Prometheus operator: what to scrape, and the rules."""
    monitor = named("ServiceMonitor", "monitoring.coreos.com/v1", "metaverse", settings, "prometheus")
    monitor["spec"] = {
        "selector": {
            "matchExpressions": [
                {"key": "app.kubernetes.io/part-of", "operator": "In", "values": ["metaverse", "metaverse-bridge"]},
                {"key": "app.kubernetes.io/component", "operator": "In", "values": ["zone", "server", "controller"]},
            ],
        },
        "jobLabel": "app.kubernetes.io/component",
        "sampleLimit": _SERIES,
        "endpoints": [
            {
                "port": "http",
                "path": "/metrics",
                "interval": f"{SCRAPE_S:g}s",
                "scrapeTimeout": "4s",
                "honorLabels": True,
            }
        ],
    }
    rule = named("PrometheusRule", "monitoring.coreos.com/v1", "metaverse", settings, "prometheus")
    rule["spec"] = groups(settings.tick_s)
    return [monitor, rule]


def _pods(job: str, component: str, settings: Settings) -> Json:
    """Return the job of a part's pods: by their label, at their port ``http``."""
    return {
        "job_name": job,
        "honor_labels": True,
        "sample_limit": _SERIES,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [settings.namespace]}}],
        "relabel_configs": [
            _keep(f"{_POD}label_app_kubernetes_io_part_of", "metaverse(-bridge)?"),
            _keep(f"{_POD}label_app_kubernetes_io_component", component),
            _keep(f"{_POD}container_port_name", "http"),
            _keep(f"{_POD}phase", "Running"),
            _copy("__meta_kubernetes_namespace", "namespace"),
            _copy(f"{_POD}name", "pod"),
        ],
    }


def _cadvisor(settings: Settings) -> Json:
    """Return the job of the kubelets' cAdvisor: what is asked of it, of the namespace, under the zone's name."""
    keep = [
        {"source_labels": ["__name__"], "regex": _KEPT, "action": "keep"},
        {"source_labels": ["namespace"], "regex": settings.namespace, "action": "keep"},
        # A pod is named after its Deployment, a ReplicaSet's and its own suffix.
        {"source_labels": ["pod"], "regex": "(.+)-[a-z0-9]+-[a-z0-9]{5}", "target_label": "zone"},
    ]
    return {
        "job_name": "cadvisor",
        "scheme": "https",
        "metrics_path": "/metrics/cadvisor",
        "sample_limit": _SERIES,
        "authorization": {"credentials_file": _TOKEN},
        # Kubelets' certificates are their own on most clusters; where they are signed, name the authority instead.
        "tls_config": {"insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [_copy("__meta_kubernetes_node_name", "node")],
        "metric_relabel_configs": keep,
    }


def _keep(label: str, value: str) -> Json:
    return {"source_labels": [label], "regex": value, "action": "keep"}


def _copy(source: str, target: str) -> Json:
    return {"source_labels": [source], "target_label": target}
