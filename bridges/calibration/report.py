"""What a calibration says: a scenario file, a table of constants, and predicted beside measured latency."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from bridges.calibration.fitting import CONSTANTS, UNITS, Fit
from bridges.calibration.predicting import Judged
from metaverse_env.scenario import Scenario

WITHIN: Final = 0.30
"""The error that a prediction may have and still be called right."""
_COLOURS: Final = ("#0072B2", "#D55E00")


def scenario_toml(scenario: Scenario, fit: Fit, source: str, base: str) -> str:
    """Return the scenario as a file: what differs from its base, with the interval of every fitted constant."""
    cpu, request, rtt, cv, threads = (
        f"# 95 % interval {low:.4g} to {high:.4g} {unit}"
        for low, high, unit in zip(fit.low, fit.high, UNITS, strict=True)
    )
    demand, service = scenario.demand, scenario.service
    least = ", ".join(f"{value:g}" for value in scenario.actuation.allocation_min)
    return f"""\
# Fitted by metaverse bridge calibrate to {source}. Users are requests per second.
extends = "{base}"
name = "{scenario.name}"
description = "{scenario.description}"

[demand]
cpu_base_cores = {demand.cpu_base_cores!r}  {cpu}
cpu_per_user_mcores = {demand.cpu_per_user_mcores!r}  {request}
cpu_per_pair_mcores = 0.0

[service]
model = "quota"
base_rtt_ms = [{service.base_rtt_ms[0]!r}, {service.base_rtt_ms[1]!r}]  {rtt}
server_threads = {service.server_threads!r}  {threads}
request_service_ms = {service.request_service_ms!r}
request_arrival_cv = {service.request_arrival_cv!r}
request_service_cv = {service.request_service_cv!r}  {cv}

[actuation]
allocation_min = [{least}]
"""


def constants_table(fit: Fit) -> Table:
    """Return the fitted constants with their intervals."""
    table = Table(title=f"Fitted constants; latency is met within {np.expm1(fit.error):.0%} (root mean square)")
    for name in ("constant", "value", "95 % interval", "unit"):
        table.add_column(name, justify="left" if name in ("constant", "unit") else "right")
    for name, unit, value, low, high in zip(CONSTANTS, UNITS, fit.constants, fit.low, fit.high, strict=True):
        table.add_row(name, f"{value:.4g}", f"{low:.4g} to {high:.4g}", unit)
    return table


def is_within(judged: Judged) -> bool:
    """Tell whether both latencies are predicted within :data:`WITHIN`."""
    return all(abs(error) <= WITHIN for error in judged.errors)


def points_table(points: Sequence[Judged], source: str) -> Table:
    """Return predicted beside measured latency of every operating point."""
    right = sum(map(is_within, points))
    table = Table(title=f"{source}: {right} of {len(points)} operating points within {WITHIN:.0%}, p50 and p95")
    table.add_column("zone")
    for name in ("cores", "req/s", "p50 ms", "simulated", "error", "p95 ms", "simulated", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in points:
        latencies = zip(point.measured_ms, point.predicted_ms, point.errors, strict=True)
        cells = [text for saw, said, error in latencies for text in (f"{saw:.1f}", f"{said:.1f}", f"{error:+.0%}")]
        table.add_row(point.zone, f"{point.allocated_cores:.3g}", f"{point.requests_per_s:.1f}", *cells)
    return table


def as_json(fit: Fit, recordings: dict[str, Sequence[Judged]]) -> dict[str, Any]:
    """Return everything as plain values."""
    constants = {
        name: {"value": float(value), "low": float(low), "high": float(high), "unit": unit}
        for name, unit, value, low, high in zip(CONSTANTS, UNITS, fit.constants, fit.low, fit.high, strict=True)
    }
    return {
        "constants": constants,
        "error": fit.error,
        "points": {name: [_plain(point) for point in points] for name, points in recordings.items()},
        "within": {name: sum(map(is_within, points)) for name, points in recordings.items()},
        "limit": WITHIN,
    }


def _plain(point: Judged) -> dict[str, Any]:
    p50, p95 = point.errors
    return {**point._asdict(), "errors": [p50, p95], "within": is_within(point)}


def plot_points(path: Path, points: Sequence[Judged], title: str) -> Path:
    """Draw predicted over measured latency, p50 and p95, with the band of :data:`WITHIN`; a PNG."""
    figure = Figure(figsize=(6.5, 6.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    everything = [value for point in points for value in (*point.measured_ms, *point.predicted_ms)]
    span = np.array([min(everything) / 1.5, max(everything) * 1.5])
    axes.fill_between(span, span * (1 - WITHIN), span * (1 + WITHIN), color="#dddddd", label=f"within {WITHIN:.0%}")
    axes.plot(span, span, color="#888888", linewidth=1)
    for place, name in enumerate(("p50", "p95")):
        saw = [point.measured_ms[place] for point in points]
        said = [point.predicted_ms[place] for point in points]
        axes.plot(saw, said, "o", color=_COLOURS[place], label=name)
    for point in points:
        text = f"{1000 * point.allocated_cores:.0f}m, {point.requests_per_s:.0f}/s"
        where = (point.measured_ms[1], point.predicted_ms[1])
        axes.annotate(text, where, xytext=(6, -3), textcoords="offset points", fontsize=7)
    axes.set(xscale="log", yscale="log", xlim=span, ylim=span, title=title)
    axes.set_xlabel("measured latency, ms")
    axes.set_ylabel("simulated latency, ms")
    axes.legend(loc="upper left")
    figure.savefig(path)
    return path
