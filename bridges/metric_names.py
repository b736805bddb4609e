"""Every metric that the bridge shows or reads, in one table: exporter, rules, dashboards and tests go by it.

Names follow Prometheus: base units, ``_total`` for counters, one unit a name. The four gauges with the project's own
units are kept as they are known, each beside a twin in base units; their table belongs to the prediction server, which
shows the same (:mod:`predictors.server.gauges`). In a bridge's page ``stgnn_*`` is what is forecast for a zone,
``metaverse_bridge_measured_*`` what was measured of it, ``..._proposed_*`` what the policy asked for and
``..._allocated_*`` what the zone has. No name has a label whose values nobody bounds.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from predictors.server.gauges import UPDATED, UPDATED_HELP, ZONE_GAUGES

Kind = Literal["gauge", "counter", "histogram"]

MODES: Final = ("off", "shadow", "canary", "active", "fallback", "hold", "paused")
"""Values of the label ``mode``."""

_CYCLE_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
_CALL_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class MetricName(NamedTuple):
    """One metric.

    Attributes:
        name: As it is queried, but for a histogram's ``_bucket``, ``_sum`` and ``_count``.
        kind: Its type.
        labels: Names of its labels.
        help: What it tells, with its unit.
        buckets: Upper bounds, s, of a histogram.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()

    @property
    def queried(self) -> tuple[str, ...]:
        """Return the names of its series."""
        if self.kind == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)

    def make(self, registry: CollectorRegistry) -> MetricWrapperBase:
        """Register it and return it, ready to be set, raised or observed."""
        if self.kind == "histogram":
            return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)
        kinds: Mapping[str, type[Counter] | type[Gauge]] = {"counter": Counter, "gauge": Gauge}
        return kinds[self.kind](self.name, self.help, self.labels, registry=registry)


def _gauge(name: str, text: str, *labels: str) -> MetricName:
    return MetricName(f"metaverse_bridge_{name}", "gauge", labels, text)


def _counter(name: str, text: str, *labels: str) -> MetricName:
    return MetricName(f"metaverse_bridge_{name}_total", "counter", labels, text)


FORECAST: Final = (
    *(MetricName(name, "gauge", ("zone",), text) for name, _, _, text in ZONE_GAUGES),
    MetricName(UPDATED, "gauge", ("zone",), UPDATED_HELP),
)
"""What is forecast for a zone; the server's page has the same."""

MEASURED: Final = (
    _gauge("measured_users", "Users that the zone was measured to have.", "zone"),
    _gauge("measured_cpu_cores", "CPU that the zone was measured to use, cores.", "zone"),
    _gauge("measured_memory_bytes", "Memory that the zone was measured to use, bytes.", "zone"),
    _gauge("measured_bandwidth_bytes_per_second", "Egress that was measured of the zone, bytes per second.", "zone"),
    _gauge("measured_latency_seconds", "p95 of the zone's measured latency, seconds.", "zone"),
    _gauge("measured_requests_per_second", "Requests that were measured of the zone, per second.", "zone"),
    _gauge("measured_violated_ratio", "Share of the zone's requests above the objective, 0 to 1.", "zone"),
)
"""What was measured of a zone. One that is missing, stale or rejected is not shown."""

ALLOCATED: Final = (
    _gauge("allocated_cpu_cores", "CPU that the zone's pods may use together (limits, else requests), cores.", "zone"),
    _gauge("allocated_memory_bytes", "Memory that the zone's pods may use together, bytes.", "zone"),
    _gauge("allocated_bandwidth_bytes_per_second", "Egress allowed to the zone's pods together, bytes/s.", "zone"),
    _gauge("replicas", "Pods that the zone is asked to have.", "zone"),
    _gauge("ready_replicas", "Pods of the zone that serve.", "zone"),
)
"""What a zone has."""

PROPOSED: Final = (
    _gauge("proposed_cpu_cores", "CPU that the policy asks for, before the shield, cores.", "zone"),
    _gauge("proposed_memory_bytes", "Memory that the policy asks for, before the shield, bytes.", "zone"),
    _gauge("proposed_bandwidth_bytes_per_second", "Egress that the policy asks for, before the shield.", "zone"),
    _gauge("proposed_replicas", "Pods that the policy asks for, before the shield.", "zone"),
)
"""What the policy asks for; in shadow mode it stays at that."""

CONTROLLER: Final = (
    _gauge("build_info", "Always 1.", "version", "policy"),
    _gauge("mode", "1 for the mode that the controller is in, 0 for the others.", "mode"),
    _gauge("leader", "1 while this replica holds the lease (always 0 in shadow mode, which has none)."),
    _gauge("ready", "1 while the controller is ready to act, 0 before, after and when a permission is missing."),
    _gauge("zones", "Zones that were found."),
    _gauge("hidden_zones", "Zones that are not on this page because there are too many."),
    _gauge("zone_writable", "1 while changes of the zone are written, 0 while they are only recorded.", "zone"),
    _gauge("last_cycle_timestamp_seconds", "Unix time at which the latest cycle ended, seconds."),
    _counter("cycles", "Cycles by how they ended.", "outcome"),
    _counter("skipped_ticks", "Ticks that were skipped because a cycle took longer than its period."),
    MetricName(
        "metaverse_bridge_cycle_duration_seconds", "histogram", (), "From reading to record, seconds.",
        _CYCLE_BUCKETS_S,
    ),
    _gauge("source_up", "1 while a source of telemetry answers.", "source"),
    _gauge("metrics_age_seconds", "Age of what is known of a zone, seconds.", "zone", "field"),
    _counter("rejected_readings", "Readings that could not be used.", "field", "code"),
    _gauge("out_of_distribution_score", "How far the observation lies from those of training; above 1 it is refused."),
    _counter("policy_failures", "Proposals that could not be used.", "reason"),
    MetricName(
        "metaverse_bridge_policy_duration_seconds", "histogram", (), "One proposal of the policy, seconds.",
        _CALL_BUCKETS_S,
    ),
    _counter("decisions", "Decisions by what became of them.", "zone", "outcome", "reason"),
    _counter("clamped", "Proposals that the shield changed, by its rule.", "rule"),
    _counter("flaps_suppressed", "Changes of direction that the stabilisation window held back.", "zone"),
    _gauge("drifted_pods", "Pods that have not got the size that they were asked to be resized to.", "zone"),
    _gauge("latency_objective_seconds", "What the p95 of the zone's latency should stay below, seconds.", "zone"),
    _counter("requests", "Requests of the zone, from the measured rate.", "zone"),
    _counter("violated_requests", "Requests of the zone above the objective, from the measured share.", "zone"),
    _counter("allocated_cpu_core_seconds", "CPU that the zone was given, core-seconds.", "zone"),
    _counter("allocated_memory_byte_seconds", "Memory that the zone was given, byte-seconds.", "zone"),
    _counter("cost", "What the allocation of the zone cost, in the prices of the configuration.", "zone"),
    _gauge("reward", "Reward of the latest tick.", "zone"),
    _counter("api_requests", "Requests to the cluster's API by verb and answer.", "verb", "code"),
    MetricName(
        "metaverse_bridge_api_request_duration_seconds", "histogram", ("verb",), "One request to the API, seconds.",
        _CALL_BUCKETS_S,
    ),
)  # fmt: skip
"""How the controller does, and what it decides."""

BRIDGE: Final = {
    metric.name: metric
    for group in (FORECAST, MEASURED, ALLOCATED, PROPOSED, CONTROLLER)
    for metric in group
}  # fmt: skip
"""Everything on a bridge's page, by name, but for the process's own metrics."""

WORKLOAD: Final = {
    metric.name: metric
    for metric in (
        MetricName("zone_requests_total", "counter", ("zone", "code"), "Requests by answer."),
        MetricName(
            "zone_request_seconds", "histogram", ("zone",), "From arrival to answer, seconds.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
        ),
        MetricName("zone_busy_seconds_total", "counter", ("zone",), "CPU time spent on requests, seconds."),
        MetricName("zone_inflight", "gauge", ("zone",), "Requests being answered."),
        MetricName("zone_sent_bytes_total", "counter", ("zone",), "Bodies of answers, bytes."),
        MetricName("process_cpu_seconds_total", "counter", (), "CPU time of the process, seconds."),
    )
}  # fmt: skip
"""What the zones themselves show."""

KUBELET: Final = {
    metric.name: metric
    for metric in (
        MetricName("container_cpu_usage_seconds_total", "counter", ("namespace", "pod", "container"), "cAdvisor's."),
        MetricName("container_memory_working_set_bytes", "gauge", ("namespace", "pod", "container"), "cAdvisor's."),
        MetricName("container_network_transmit_bytes_total", "counter", ("namespace", "pod"), "cAdvisor's."),
        MetricName(
            "container_cpu_cfs_throttled_seconds_total", "counter", ("namespace", "pod", "container"), "cAdvisor's."
        ),
    )
}  # fmt: skip
"""What cAdvisor, inside every kubelet, shows of the zones' containers."""


def catalogue() -> dict[str, MetricName]:
    """Return every name that a query of the manifests may use, series of histograms apart, with its metric."""
    metrics = (*BRIDGE.values(), *WORKLOAD.values(), *KUBELET.values(), MetricName("up", "gauge", ("job",), "Scraped."))
    return {series: metric for metric in metrics for series in metric.queried}
