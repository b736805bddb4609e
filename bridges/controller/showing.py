"""Decisions as metrics: the one place that turns a decision into the names of :mod:`bridges.metric_names`."""

from collections.abc import Callable, Mapping

from bridges.contracts import Workload
from bridges.controller.deciding import Decision
from bridges.prometheus import Exporter, ZoneReport
from bridges.shown import ages_s, allocated, measured, proposed
from metaverse_env.units import MS_PER_S

_M = "metaverse_bridge_"


class Showing:
    """Feeds an exporter.

    Args:
        exporter: Fed.
        objective_ms: The latency objective.
        drift: Returns how many pods of each zone have not got the size that was asked for.
    """

    def __init__(self, exporter: Exporter, objective_ms: float, drift: Callable[[], Mapping[str, int]] = dict) -> None:
        self.exporter, self._objective_ms, self._drift = exporter, objective_ms, drift

    def show(self, decision: Decision, seconds: float) -> None:
        """Show a cycle that took so many seconds."""
        exporter, inputs, drift = self.exporter, decision.inputs, self._drift()
        exporter.publish({one.zone: self._zone(decision, one, drift) for one in inputs.snapshot.workloads})
        exporter.mode(decision.state.mode)
        exporter.set(f"{_M}leader", float(inputs.facts.leads and inputs.epoch is not None))
        exporter.set(f"{_M}out_of_distribution_score", max(decision.strange.values(), default=0.0))
        exporter.count(f"{_M}cycles_total", outcome="failed" if inputs.error else decision.state.mode)
        exporter.observe(f"{_M}cycle_duration_seconds", seconds)
        self._count(decision)

    def _count(self, decision: Decision) -> None:
        exporter = self.exporter
        for receipt in (*decision.receipts, *decision.aftercare):
            reason = receipt.code or receipt.result.capitalize()
            exporter.count(f"{_M}decisions_total", zone=receipt.change.zone, outcome=receipt.result, reason=reason)
        for clamp in decision.judged.verdict.clamps:
            exporter.count(f"{_M}clamped_total", rule=clamp.rule)
        for zone in decision.judged.verdict.flaps:
            exporter.count(f"{_M}flaps_suppressed_total", zone=zone)
        if decision.policy.fault:
            exporter.count(f"{_M}policy_failures_total", reason=decision.policy.code)
        for fields in decision.inputs.readings.values():
            for field, reading in fields.items():
                if reading.quality == "rejected":
                    exporter.count(f"{_M}rejected_readings_total", field=field, code=reading.code or "Rejected")

    def _zone(self, decision: Decision, workload: Workload, drift: Mapping[str, int]) -> ZoneReport:
        zone, inputs = workload.zone, decision.inputs
        readings = inputs.readings.get(zone, {})
        wish = next((change for change in decision.judged.changes if change.zone == zone), None)
        writable = decision.permission.zones != "none" and zone not in decision.held
        own = {
            f"{_M}zone_writable": float(writable),
            f"{_M}latency_objective_seconds": self._objective_ms / MS_PER_S,
            f"{_M}drifted_pods": drift.get(zone),
        }
        gauges = {**measured(readings), **allocated(workload), **(proposed(wish, workload) if wish else {}), **own}
        return ZoneReport(inputs.moment.unix_s, gauges, self._forecast(decision, zone), ages_s(readings))

    def _forecast(self, decision: Decision, zone: str) -> list[float] | None:
        """Return the median that is foretold of a zone for the next tick."""
        forecast = decision.view.forecast
        if forecast is None or zone not in decision.rows:
            return None
        median: list[float] = forecast.values[0, decision.rows.index(zone), 0, :, 0].astype(float).tolist()
        return median
