"""What the simulation says of operating points, with the constants that were fitted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridges.calibration.fitting import Fit
from bridges.calibration.points import Point
from metaverse_env.panels import Panel
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.traces import load_trace

Array = NDArray[np.float64]

_TICKS = 6
_PLENTY = (1e5, 1e4)
"""MB and Mbps that nobody uses up."""


class Judged(NamedTuple):
    """One operating point: what was measured and what the simulation says, p50 and p95, ms."""

    zone: str
    allocated_cores: float
    requests_per_s: float
    measured_ms: tuple[float, float]
    predicted_ms: tuple[float, float]

    @property
    def errors(self) -> tuple[float, float]:
        """Predicted over measured less 1."""
        p50, p95 = (said / saw - 1.0 for said, saw in zip(self.predicted_ms, self.measured_ms, strict=True))
        return p50, p95


def calibrated(fit: Fit, base: str | Scenario = "multi_zone") -> Scenario:
    """Return a scenario with the fitted constants; users are requests per second.

    Args:
        fit: The constants.
        base: Everything else.
    """
    chosen = load_scenario(base)
    cpu_base, request_ms, base_ms, cv, threads = map(float, fit.constants)
    demand = {
        "cpu_base_cores": round(cpu_base, 6),
        "cpu_per_user_mcores": round(request_ms, 6),
        "cpu_per_pair_mcores": 0.0,
    }
    service = {
        "model": "quota",
        "base_rtt_ms": (round(base_ms, 3), round(base_ms, 3)),
        "server_threads": threads,
        "request_service_ms": round(request_ms, 6),
        "request_arrival_cv": 1.0,
        "request_service_cv": cv,
    }
    actuation = chosen.actuation
    least = (min(0.01, actuation.allocation_min[0]), *actuation.allocation_min[1:])
    return chosen.with_changes(
        name="calibrated",
        description="Fitted to recorded telemetry by metaverse bridge calibrate; users are requests per second.",
        demand=chosen.demand.model_copy(update=demand),
        service=chosen.service.model_copy(update=service),
        actuation=actuation.model_copy(update={"allocation_min": least}),
    )


def predicted(scenario: Scenario, points: Sequence[Point]) -> tuple[Judged, ...]:
    """Let the simulation run at every point, and return its latencies beside the measured ones."""
    return tuple(_judged(scenario, point) for point in points)


def _judged(scenario: Scenario, point: Point) -> Judged:
    p50, p95 = point.latency_ms.tolist()
    said = _simulated(scenario, point)
    return Judged(point.zone, point.allocated_cores, point.requests_per_s, (p50, p95), said)


def _simulated(scenario: Scenario, point: Point) -> tuple[float, float]:
    """Replay a constant load in a zone that is given what the real one's pods had each; return p50 and p95, ms."""
    load = point.requests_per_s / point.pods
    cores = scenario.demand.cpu_base_cores / point.pods + scenario.demand.cpu_per_user_mcores * 1e-3 * load
    rows = np.tile(np.array([load, cores], dtype=np.float32), (_TICKS + 2, 1, 1))
    times = scenario.tick_s * np.arange(len(rows), dtype=np.float64)
    panel = Panel(rows, ("users", "cpu_cores"), (point.zone,), timestamps=times, source="operating point")
    alone = scenario.with_changes(
        episode_ticks=_TICKS,
        layout=scenario.layout.model_copy(update={"zones": 1, "names": (), "node_headroom": 100.0}),
        demand=scenario.demand.model_copy(update={"noise_cv": (0.0, 0.0, 0.0), "noisy_neighbour_per_h": 0.0}),
    )
    world = SimulatedWorld(alone, dynamics="trace", trace=load_trace(panel))
    world.reset(seeds=[0])
    command = Command.of([[[point.allocated_cores / point.pods, *_PLENTY]]])
    last = [world.step(command).outcome.zones[0, 0] for _ in range(_TICKS)][-1]
    return float(last["latency_p50_ms"]), float(last["latency_ms"])
