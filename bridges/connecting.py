"""A cluster and what measures it, from the options of a command line."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bridges.clock import SystemClock
from bridges.contracts import Clock, Cluster, TelemetrySource
from bridges.dryrun import DryRunCluster
from bridges.telemetry.quality import QualityLimits

if TYPE_CHECKING:
    from bridges.kubernetes.client import ApiClient

_OWN_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


class Site(NamedTuple):
    """A cluster, its telemetry, and their clock."""

    cluster: Cluster
    telemetry: TelemetrySource
    clock: Clock


def connect_memory(scenario: str, seed: int) -> Site:
    """Return a cluster in memory, whose time passes by waiting."""
    cluster = DryRunCluster(scenario, seed=seed)
    return Site(cluster, cluster.telemetry, cluster.clock)


def connect(
    namespace: str,
    *,
    selector: str | None = None,
    kubeconfig: Path | None = None,
    prometheus: str | None = None,
    queries: str = "zone",
    scrape_s: float = 15.0,
    objective_ms: float = 100.0,
) -> Site:
    """Return a real cluster, measured by Prometheus where there is an address, and by the metrics API for the rest.

    Args:
        namespace: Whose Deployments are the zones.
        selector: Labels that choose them; by default those of the manifests.
        kubeconfig: How to reach it; by default ``KUBECONFIG``, the home folder's, or the pod's own account.
        prometheus: Address of a Prometheus.
        queries: A preset or a file of :mod:`bridges.telemetry.queries`.
        scrape_s: How often it takes values, s.
        objective_ms: The latency objective.

    Raises:
        ConfigurationError: It cannot be reached like that.
        MissingDependencyError: The extra ``bridges`` is not installed.
    """
    from bridges.kubernetes.cluster import KubernetesCluster  # noqa: PLC0415  a cluster in memory needs no such package
    from bridges.kubernetes.settings import ClusterSettings  # noqa: PLC0415

    clock = SystemClock()
    client = log_in(kubeconfig, clock)
    settings = ClusterSettings(namespace=namespace)
    settings = settings if selector is None else replace(settings, selector=selector)
    telemetry = sources_of(client, clock, prometheus, queries, scrape_s, objective_ms)
    return Site(KubernetesCluster(client, settings), telemetry, clock)


def sources_of(
    client: "ApiClient", clock: Clock, prometheus: str | None, queries: str, scrape_s: float, objective_ms: float
) -> TelemetrySource:
    """Return what measures a cluster: Prometheus where there is an address, the metrics API for the rest.

    Arguments are those of :func:`connect`.
    """
    from bridges.telemetry.combined import CombinedSource  # noqa: PLC0415  a cluster in memory needs no such packages
    from bridges.telemetry.metrics_api import MetricsApiSource  # noqa: PLC0415
    from bridges.telemetry.prometheus import PrometheusSource  # noqa: PLC0415

    sources: list[TelemetrySource] = [MetricsApiSource(client, QualityLimits(scrape_interval_s=max(30.0, scrape_s)))]
    if prometheus is not None:
        limits = QualityLimits(scrape_interval_s=scrape_s)
        sources.insert(0, PrometheusSource(prometheus, queries, clock=clock, limits=limits, objective_ms=objective_ms))
    return CombinedSource(*sources)


def log_in(kubeconfig: Path | None, clock: Clock) -> "ApiClient":
    """Return a client by a file, or by the pod's own account where there is no file."""
    from bridges.kubernetes.client import ApiClient  # noqa: PLC0415

    if kubeconfig is None and _OWN_ACCOUNT.exists() and "KUBECONFIG" not in os.environ:
        return ApiClient.in_cluster(clock)
    return ApiClient.from_kubeconfig(kubeconfig, clock=clock)
