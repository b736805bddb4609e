"""Views made by hand, for the tests of controllers."""

from typing import Any

import numpy as np

from metaverse_env.contracts import Policy, View
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.records import TELEMETRY, WEATHER
from metaverse_env.telemetry import Command, Forecast, Telemetry
from metaverse_env.zones import build_graph

GRAPH = build_graph(load_scenario("single_zone"))
LIMITS = np.array([[0.1, 256.0, 2.0], [16.0, 32768.0, 4000.0]], dtype=np.float32)


def make_view(
    usage: Any,
    allocation: Any,
    pending: Any = None,
    tick_s: float = 15.0,
    pod_size: Any = None,
    forecast: Forecast | None = None,
    **columns: Any,
) -> View:
    """Return a view of ``usage`` and ``allocation``, ``[3]`` or ``[W, Z, 3]``; ``pending`` is the allocation by default.

    Further columns of the telemetry can be set; ``observed``, ``ready`` and ``age_s`` are 1, 1 and 20 s.
    """
    usage, allocation = (np.array(value, dtype=np.float32, ndmin=3) for value in (usage, allocation))
    zones = np.zeros(usage.shape[:2], dtype=TELEMETRY)
    zones["usage"], zones["allocation"] = usage, allocation
    zones["pending"] = allocation if pending is None else pending
    for name, value in {"observed": 1.0, "ready": 1.0, "age_s": 20.0, **columns}.items():
        zones[name] = value
    worlds, count = zones.shape
    telemetry = Telemetry(zones, np.zeros(worlds, dtype=WEATHER), np.zeros((worlds, count, 0), dtype=np.float32))
    command = Command.of(np.broadcast_to(zones["pending"], allocation.shape))
    objective_ms = load_scenario("single_zone").service.latency_objective_ms
    return View(telemetry, forecast, command, None, LIMITS, objective_ms, tick_s, pod_size)  # type: ignore[arg-type]  # nobody looks back


def decide(policy: Policy, view: View) -> list[float]:
    """Return what is asked for the only zone of the only world."""
    return [float(value) for value in policy.act(view).allocation[0, 0]]
