"""What a trace says of a zone, in the place of what the generator and the formulas would say."""

from typing import Any

from metaverse_env.compiling import stage
from metaverse_env.units import BANDWIDTH, CPU, MEMORY


@stage
def is_recorded(replay: Any, row: int, z: int, resource: int) -> bool:
    """Tell whether a trace has the demand of a zone for a resource; a trace of users alone has none."""
    return replay.series.shape[2] > 1 and replay.series[row, z, 1 + resource] >= 0.0


@stage
def recorded_or(replay: Any, row: int, z: int, resource: int, computed: float) -> float:
    """Return the recorded demand of a zone, or the computed one where there is none."""
    return replay.series[row, z, 1 + resource] if is_recorded(replay, row, z, resource) else computed


@stage
def replace_demand(replay: Any, row: int, z: int, demand: Any) -> None:
    """Write over a zone's demand what was recorded of it: cores, MB, Mbps."""
    for resource in (CPU, MEMORY, BANDWIDTH):
        demand[resource] = recorded_or(replay, row, z, resource, demand[resource])


@stage
def follow_trace(zone: Any, users: float, outcome: Any) -> None:
    """Set a zone's population to what a trace says."""
    count, before = int(round(users)), zone.users[0] + zone.users[1]
    zone.users[0], zone.users[1] = count, 0
    outcome.arrivals, outcome.departures = max(count - before, 0), max(before - count, 0)
