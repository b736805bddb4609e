"""What Prometheus computes of the bridge's metrics once for everybody, and what it wakes people for."""

from typing import Final

from bridges.manifests.parts import Json

SLO: Final = 0.99
"""Share of requests that should be below the objective."""
_FAST_BURN: Final = 14.4
"""A month's error budget gone in two days: page (Google, The Site Reliability Workbook, chapter 5)."""
_SLOW_BURN: Final = 6.0

VIOLATED: Final = "metaverse:violated_requests:ratio_rate{window}"
COST: Final = "metaverse:cost:per_hour"
USED: Final = "metaverse:allocated_cpu:used_ratio"
ERROR: Final = "metaverse:forecast_cpu:error_cores"

WINDOWS: Final = ("5m", "30m", "1h", "6h")
RECORDED: Final = (*(VIOLATED.format(window=window) for window in WINDOWS), COST, USED, ERROR)
"""Names that queries may use besides those of the catalogue."""


def recording() -> list[Json]:
    """Return the recording rules."""
    bridge = "metaverse_bridge"
    shares = [
        _record(
            VIOLATED.format(window=window),
            f"sum by (zone) (rate({bridge}_violated_requests_total[{window}]))"
            f" / (sum by (zone) (rate({bridge}_requests_total[{window}])) > 0)",
        )
        for window in WINDOWS
    ]
    return [
        *shares,
        _record(COST, f"sum by (zone) (rate({bridge}_cost_total[5m])) * 3600"),
        _record(
            USED,
            f"max by (zone) ({bridge}_measured_cpu_cores) / (max by (zone) ({bridge}_allocated_cpu_cores) > 0)",
        ),
        _record(
            ERROR, f"max by (zone) ({bridge}_measured_cpu_cores) - max by (zone) (stgnn_cpu_cores offset 15s)"
        ),
    ]  # fmt: skip


def alerting(tick_s: float) -> list[Json]:
    """Return the alerts of a bridge whose ticks are so long, s."""
    old_s = 4.0 * tick_s
    return [
        _alert("ControllerDown", 'up{job="controller"} == 0 or absent(up{job="controller"})', "2m", "critical",
               "The controller is away: zones keep what they have."),
        _alert("ControllerNotReady", "max(metaverse_bridge_ready) == 0", "5m", "critical",
               "The controller is not ready: a permission may be missing. Its log names it."),
        _alert("CyclesStopped", f"time() - max(metaverse_bridge_last_cycle_timestamp_seconds) > {old_s:g}", "1m",
               "critical", "The controller has not finished a cycle for {{ $value | humanizeDuration }}."),
        _alert("TicksSkipped", "increase(metaverse_bridge_skipped_ticks_total[10m]) > 3", "5m", "warning",
               "Cycles take longer than a tick."),
        _alert("Fallback", 'max(metaverse_bridge_mode{mode="fallback"}) == 1', "5m", "warning",
               "The policy was found wanting; the heuristic decides."),
        _alert("Holding", 'max(metaverse_bridge_mode{mode="hold"}) == 1', "5m", "critical",
               "Nothing is decided: telemetry or the cluster cannot be trusted."),
        _alert("TwoLeaders", "sum(metaverse_bridge_leader) > 1", "1m", "critical", "More than one controller leads."),
        _alert("NoLeader", "sum(metaverse_bridge_leader) == 0"
               ' and on() max(metaverse_bridge_mode{mode=~"active|canary"}) == 1', "2m", "critical",
               "No controller leads."),
        _alert("SourceDown", "metaverse_bridge_source_up == 0", "2m", "warning",
               "The source {{ $labels.source }} of telemetry does not answer."),
        _alert("TelemetryOld", f"max by (zone) (metaverse_bridge_metrics_age_seconds) > {old_s:g}", "2m", "warning",
               "What is known of {{ $labels.zone }} is {{ $value | humanizeDuration }} old."),
        _alert("ForecastOld", f"time() - max by (zone) (stgnn_last_update_timestamp_seconds) > {old_s:g}", "2m",
               "warning", "The forecast of {{ $labels.zone }} is {{ $value | humanizeDuration }} old."),
        _alert("WritesRefused", 'sum by (reason) (increase(metaverse_bridge_decisions_total{outcome=~"refused|failed"}'
               "[10m])) > 5", "5m", "warning", "Changes are not written: {{ $labels.reason }}."),
        _alert("ErrorBudgetBurnsFast", _burn("1h", "5m", _FAST_BURN), "2m", "critical",
               "{{ $labels.zone }}: {{ $value | humanizePercentage }} of an hour's requests were above the objective."),
        _alert("ErrorBudgetBurnsSlowly", _burn("6h", "30m", _SLOW_BURN), "15m", "warning",
               "{{ $labels.zone }}: {{ $value | humanizePercentage }} of six hours' requests were above it."),
    ]  # fmt: skip


def groups(tick_s: float) -> Json:
    """Return all rules as Prometheus reads them."""
    return {
        "groups": [
            {"name": "metaverse-recorded", "interval": f"{tick_s:g}s", "rules": recording()},
            {"name": "metaverse-alerts", "interval": f"{tick_s:g}s", "rules": alerting(tick_s)},
        ]
    }


def _burn(long: str, short: str, factor: float) -> str:
    share = round(factor * (1.0 - SLO), 6)
    return f"{VIOLATED.format(window=long)} > {share:g} and {VIOLATED.format(window=short)} > {share:g}"


def _record(name: str, expression: str) -> Json:
    return {"record": name, "expr": expression}


def _alert(name: str, expression: str, held: str, severity: str, summary: str) -> Json:
    return {
        "alert": f"Metaverse{name}",
        "expr": expression,
        "for": held,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }
