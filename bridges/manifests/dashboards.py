"""Two dashboards for Grafana: forecast against actual; decisions, clamps, cost and objective."""

from typing import Final

from bridges.manifests.panels import Panel, Query, dashboard
from bridges.manifests.parts import Json
from bridges.manifests.rules import COST, SLO, USED, VIOLATED

FORECAST_UID: Final = "metaverse-forecast"
DECISIONS_UID: Final = "metaverse-decisions"
_ZONE: Final = '{zone=~"$zone"}'


def _zone(name: str, legend: str) -> Query:
    return Query(f"max by (zone) ({name}{_ZONE})", f"{{{{zone}}}} {legend}")


def _number(title: str, about: str, expression: str) -> Panel:
    return Panel(title, about, "none", (Query(expression, title.lower()),), 3, "stat")


def _rate(name: str, by: str, legend: str) -> Query:
    return Query(f"sum by ({by}) (rate(metaverse_bridge_{name}[$__rate_interval]))", legend)


def _p95(name: str, legend: str) -> Query:
    buckets = f"sum by (le) (rate(metaverse_bridge_{name}_bucket[$__rate_interval]))"
    return Query(f"histogram_quantile(0.95, {buckets})", legend)


def _three(forecast: str, amount: str) -> tuple[Query, ...]:
    return (
        _zone(forecast, "forecast"),
        _zone(f"metaverse_bridge_measured_{amount}", "measured"),
        _zone(f"metaverse_bridge_allocated_{amount}", "allocated"),
    )


_LATENCY: Final = (
    _zone("stgnn_latency_seconds", "forecast p95"),
    _zone("metaverse_bridge_measured_latency_seconds", "measured p95"),
    _zone("metaverse_bridge_latency_objective_seconds", "objective"),
)
_OWN: Final = (
    Query(
        f"histogram_quantile(0.95, sum by (zone, le) (rate(zone_request_seconds_bucket{_ZONE}[$__rate_interval])))",
        "{{zone}} p95 of its own histogram",
    ),
)

FORECAST_PANELS: Final = (
    Panel("CPU", "Forecast, used, and what may be used.", "cores", _three("stgnn_cpu_cores", "cpu_cores")),
    Panel("Latency, p95", "Of all of a zone's requests, against its objective.", "s", (*_LATENCY, *_OWN)),
    Panel("Memory", "In bytes; a MB is 10^6 of them.", "decbytes", _three("stgnn_memory_bytes", "memory_bytes")),
    Panel(
        "Egress", "What zones send.", "Bps",
        _three("stgnn_bandwidth_bytes_per_second", "bandwidth_bytes_per_second"),
    ),
    Panel(
        "Error of the CPU forecast", "Measured less what was forecast a tick before; above 0 it was too low.", "cores",
        (
            Query(
                f"max by (zone) (metaverse_bridge_measured_cpu_cores{_ZONE})"
                f" - max by (zone) (stgnn_cpu_cores{_ZONE} offset 15s)",
                "{{zone}}",
            ),
        ),
    ),
    Panel(
        "Error of the latency forecast", "Measured less what was forecast a tick before.", "s",
        (
            Query(
                f"max by (zone) (metaverse_bridge_measured_latency_seconds{_ZONE})"
                f" - max by (zone) (stgnn_latency_seconds{_ZONE} offset 15s)",
                "{{zone}}",
            ),
        ),
    ),
    Panel(
        "Requests", "As the zones count them.", "reqps",
        (
            Query(f"sum by (zone) (rate(zone_requests_total{_ZONE}[$__rate_interval]))", "{{zone}}"),
            Query(
                'sum by (zone) (rate(zone_requests_total{zone=~"$zone", code!="200"}[$__rate_interval]))',
                "{{zone}} turned away",
            ),
        ),
    ),
    Panel(
        "Throttled", "CPU seconds that pods had to wait for at their limits, per second.", "short",
        (
            Query(
                f"sum by (zone) (rate(container_cpu_cfs_throttled_seconds_total{_ZONE}[$__rate_interval]))", "{{zone}}"
            ),
        ),
    ),
    Panel("Users", "As the zones report them.", "short", (_zone("metaverse_bridge_measured_users", "users"),)),
    Panel(
        "Age of the forecast", "Since the zone was last heard of.", "s",
        (Query(f"time() - max by (zone) (stgnn_last_update_timestamp_seconds{_ZONE})", "{{zone}}"),),
    ),
    Panel(
        "Age of telemetry", "The oldest field of a zone.", "s",
        (Query(f"max by (zone) (metaverse_bridge_metrics_age_seconds{_ZONE})", "{{zone}}"),),
    ),
)  # fmt: skip

_NOW: Final = (
    Panel(
        "Mode", "What the controller does.", "none",
        (Query("max by (mode) (metaverse_bridge_mode) == 1", "{{mode}}"),), 6, "stat",
    ),
    _number("Leaders", "One while it acts; none in shadow mode.", "sum(metaverse_bridge_leader)"),
    _number("Ready", "Controllers that are ready.", "sum(metaverse_bridge_ready)"),
    _number("Zones", "That were found.", "max(metaverse_bridge_zones)"),
    _number("Cost", "Of all allocations, an hour.", f"sum({COST})"),
    Panel(
        "Above the objective", "Share of requests in the last five minutes.", "percentunit",
        (
            Query(
                "sum(rate(metaverse_bridge_violated_requests_total[5m]))"
                " / sum(rate(metaverse_bridge_requests_total[5m]))",
                "above the objective",
            ),
        ),
        6, "stat", (1.0 - SLO, 5.0 * (1.0 - SLO)),
    ),
)  # fmt: skip

DECISIONS_PANELS: Final = (
    *_NOW,
    Panel(
        "Decisions", "By what became of them.", "ops",
        (
            Query(
                f"sum by (outcome, reason) (rate(metaverse_bridge_decisions_total{_ZONE}[$__rate_interval]))",
                "{{outcome}} {{reason}}",
            ),
        ),
        stacked=True,
    ),
    Panel(
        "Clamps", "Proposals that the shield changed, by its rule.", "ops",
        (_rate("clamped_total", "rule", "{{rule}}"),), stacked=True,
    ),
    Panel(
        "CPU: proposed, allocated, used", "The first is before the shield.", "cores",
        (
            _zone("metaverse_bridge_proposed_cpu_cores", "proposed"),
            _zone("metaverse_bridge_allocated_cpu_cores", "allocated"),
            _zone("metaverse_bridge_measured_cpu_cores", "used"),
        ),
    ),
    Panel(
        "Replicas", "Asked for, and serving.", "short",
        (
            _zone("metaverse_bridge_replicas", "asked for"),
            _zone("metaverse_bridge_ready_replicas", "serving"),
        ),
    ),
    Panel("Cost of an hour", "In the prices of the configuration.", "none", (_zone(COST, ""),), stacked=True),
    Panel("Used share of the CPU", "Low is wasteful, high is risky.", "percentunit", (_zone(USED, ""),), most=1.0),
    Panel(
        "Requests above the objective", "Share of each zone's.", "percentunit",
        (_zone(VIOLATED.format(window="5m"), "5 min"), _zone(VIOLATED.format(window="1h"), "1 h")),
        limits=(1.0 - SLO, 5.0 * (1.0 - SLO)),
    ),
    Panel(
        "Error budget burned", f"1 is as fast as {SLO:.0%} a month allows.", "none",
        (Query(f"max by (zone) ({VIOLATED.format(window='1h')}{_ZONE}) / {1.0 - SLO:.4g}", "{{zone}}"),),
        limits=(1.0, 14.4),
    ),
    Panel(
        "Cycle", "From reading to record.", "s",
        (
            _p95("cycle_duration_seconds", "p95"),
            _p95("policy_duration_seconds", "policy p95"),
        ),
    ),
    Panel(
        "Cycles", "By how they ended; skipped ticks besides.", "ops",
        (
            _rate("cycles_total", "outcome", "{{outcome}}"),
            Query("sum(rate(metaverse_bridge_skipped_ticks_total[$__rate_interval]))", "skipped"),
        ),
    ),
    Panel(
        "Requests to the API server", "By verb and answer.", "reqps",
        (_rate("api_requests_total", "verb, code", "{{verb}} {{code}}"),),
    ),
    Panel(
        "What could not be used", "Readings, proposals, and changes of direction held back.", "ops",
        (
            _rate("rejected_readings_total", "code", "reading {{code}}"),
            _rate("policy_failures_total", "reason", "policy {{reason}}"),
            Query(f"sum(rate(metaverse_bridge_flaps_suppressed_total{_ZONE}[$__rate_interval]))", "flaps"),
        ),
    ),
)  # fmt: skip


def dashboards() -> dict[str, Json]:
    """Return the dashboards by file name."""
    return {
        "forecast.json": dashboard(FORECAST_UID, "Metaverse: forecast against actual", FORECAST_PANELS),
        "decisions.json": dashboard(DECISIONS_UID, "Metaverse: decisions, clamps, cost, objective", DECISIONS_PANELS),
    }
