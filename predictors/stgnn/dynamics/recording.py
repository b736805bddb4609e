"""What the dynamics learns from: only what a cluster could show of a zone, and where its users were served."""

from typing import Final

import numpy as np

from metaverse_env.simulator.kernel import State
from metaverse_env.units import RESOURCES

Array = np.ndarray

MEASURED: Final = (
    "users",
    *(f"used_{name}" for name in RESOURCES),
    *(f"allocated_{name}" for name in RESOURCES),
    "latency_p50_ms",
    "latency_ms",
    "latency_p99_ms",
    "round_trip_ms",
    "running",
)
"""Columns of what was measured of a zone in a tick; a zone uses no more than its allocation, and nothing while down."""

USED, ALLOCATED, LATENCIES, ROUND_TRIP, RUNNING = slice(1, 4), slice(4, 7), slice(7, 10), slice(10, 11), 11
"""Where they stand."""


def measured_row(state: State, places: Array, outcome: Array) -> Array:
    """Return what was measured in the tick that has just passed, ``float32 [W, Z, 12]``.

    Args:
        state: Of the simulation.
        places: Record ``[Z]``, the zones' constants.
        outcome: Record ``[W, Z]`` of the tick.
    """
    now = state.zones["measured"][:, :, 0]
    round_trip_ms = places["base_rtt_ms"] + state.nodes["degraded_rtt_ms"][:, places["node"]]
    running = 1.0 - outcome["down"]
    columns = (now[..., :4], outcome["allocation"], now[..., 4:], round_trip_ms[..., None], running[..., None])
    return np.concatenate(columns, axis=-1, dtype=np.float32)
