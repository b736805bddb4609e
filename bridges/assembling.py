"""From what was read of a cluster to the records that every world gives: pure functions.

The rules of what is missing:

* A value that is not fresh is held from the last tick, and its age grows. ``age_s`` of a zone is that of its oldest
  value; ``observed`` is 1 if any value is new.
* A value that was never measured is 0 with ``observed`` 0 and an age of :data:`NEVER_S` and more.
* A field that the source does not offer at all is 0 and has no age.
* Users that are not counted are requests per second in their stead, as in a replay.
* Nothing here is ever NaN but columns of the outcome that no cluster can know, such as arrivals.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from bridges.contracts import Node, Pod, Reading, Readings, Snapshot, Workload
from bridges.layout import node_of, together
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.records import OUTCOME, TELEMETRY, WEATHER
from metaverse_env.units import BANDWIDTH, CPU, MEMORY, SECONDS_PER_DAY, SECONDS_PER_WEEK
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

NEVER_S: Final = 3600.0
"""Age of a value that was never measured, when the first tick begins."""
MEASURED: Final[tuple[tuple[str, str, int | None], ...]] = (
    ("users", "users", None),
    ("cpu_cores", "usage", CPU),
    ("memory_mb", "usage", MEMORY),
    ("bandwidth_mbps", "usage", BANDWIDTH),
    ("latency_p50_ms", "latency_p50_ms", None),
    ("latency_ms", "latency_ms", None),
    ("latency_p99_ms", "latency_p99_ms", None),
)
"""Field of a reading, column of the record, and place in it."""
_UNKNOWN: Final = ("arrivals", "departures", "moved_in", "moved_out", "dropped", "activity", "announced_activity")
_HIDDEN: Final = ("demand", "backlog_s", "time_dilation", "bandwidth_loss")
_MONDAY_S: Final = 4.0 * SECONDS_PER_DAY
"""1970 began on a Thursday."""


class Before(NamedTuple):
    """What is carried from tick to tick.

    Attributes:
        zones: Record ``[Z]`` of telemetry.
        ages_s: Age of each field in :data:`MEASURED`, ``[Z, 7]``; NaN where the source does not offer it.
        restarts: Pod to its restarts.
        moment_s: Monotonic time of reading.
        unix_s: The same as Unix time.
    """

    zones: Array
    ages_s: Array
    restarts: Mapping[str, int]
    moment_s: float
    unix_s: float


class Assembled(NamedTuple):
    """Telemetry of one tick, and what the next one is carried."""

    zones: Array
    ages_s: Array
    restarts: Mapping[str, int]


def nothing(zones: int) -> tuple[Array, Array]:
    """Return the telemetry ``[Z]`` and the ages ``[Z, 7]`` of zones of which nothing was ever measured."""
    return np.zeros(zones, dtype=TELEMETRY), np.full((zones, len(MEASURED)), NEVER_S)


def weather_at(unix_s: float) -> Array:
    """Return record ``[1]``: the time in the week and an unchanged price."""
    weather = np.zeros(1, dtype=WEATHER)
    weather["time_s"], weather["price_factor"] = (unix_s - _MONDAY_S) % SECONDS_PER_WEEK, 1.0
    return weather


def assemble(snapshot: Snapshot, readings: Readings, graph: ZoneGraph, scenario: Scenario, before: Before) -> Assembled:
    """Return the telemetry of a tick; see the module for what becomes of what is missing.

    Args:
        snapshot: Of the cluster.
        readings: Of its telemetry.
        graph: The world's zones.
        scenario: Limits of a zone.
        before: The last tick.
    """
    zones, ages_s = before.zones.copy(), before.ages_s.copy()
    zones["observed"], zones["ready"], zones["signals"] = 0.0, 0.0, 0.0
    there = {workload.zone: workload for workload in snapshot.workloads}
    free = _free(snapshot.nodes)
    passed_s, restarts = snapshot.read_s - before.moment_s, dict(before.restarts)
    for index, zone in enumerate(graph.names):
        _measure(zones[index : index + 1], ages_s[index], readings.get(zone, {}), passed_s)
        if zone in there:
            _stand(zones[index : index + 1], there[zone], scenario)
            zones["node_free"][index] = free.get(node_of(there[zone]), 0.0)
            zones["restarts"][index] += _new_restarts(there[zone].pods, restarts)
    return Assembled(zones, ages_s, restarts)


def _measure(zone: Array, ages_s: Array, readings: Mapping[str, Reading], passed_s: float) -> None:
    """Write what is measured of one zone, record ``[1]``."""
    for place, (field, column, part) in enumerate(MEASURED):
        reading = _stand_in(readings) if field == "users" else readings.get(field)
        ages_s[place] += passed_s
        if reading is None:
            continue
        if reading.quality == "fresh" and reading.value is not None:
            target = zone[column] if part is None else zone[column][:, part]
            target[0], ages_s[place] = reading.value, reading.age_s or 0.0
            zone["observed"] = 1.0
    offered = [_stand_in(readings) if field == "users" else readings.get(field) for field, _, _ in MEASURED]
    known = np.array([reading is not None for reading in offered])
    counted = ages_s[known] if known.any() else ages_s
    zone["age_s"] = counted.max()


def _stand_in(readings: Mapping[str, Reading]) -> Reading | None:
    """Return the users, or requests per second where nobody counts users."""
    return readings.get("users", readings.get("requests_per_s"))


def _stand(zone: Array, workload: Workload, scenario: Scenario) -> None:
    """Write how one zone stands, record ``[1]``: what its pods have, what they are to have, whether they serve."""
    most = scenario.actuation.allocation_max
    serving = [pod for pod in workload.pods if pod.ready and not pod.deleting]
    zone["pending"] = together(workload, workload.ceiling, workload.replicas, most)
    zone["allocation"] = zone["pending"]
    if serving:
        zone["allocation"] = np.sum([_of_pod(pod, workload, most) for pod in serving], axis=0)
    zone["ready"] = float(bool(serving))


def _of_pod(pod: Pod, workload: Workload, most: tuple[float, ...]) -> tuple[float, float, float]:
    real = workload._replace(limits=pod.limits, requests=pod.requests)
    return together(workload, real.ceiling, 1, most)


def _new_restarts(pods: tuple[Pod, ...], seen: dict[str, int]) -> int:
    """Count restarts since the last look, and take note of them; those of a pod's past before it do not count."""
    new = sum(max(0, pod.restarts - seen.get(pod.name, pod.restarts)) for pod in pods)
    seen.update({pod.name: pod.restarts for pod in pods})
    return new


def _free(nodes: tuple[Node, ...]) -> dict[str, float]:
    """Return the least share of a resource of each node that nobody asked for."""
    return {node.name: min(_shares(node), default=0.0) for node in nodes}


def _shares(node: Node) -> list[float]:
    pairs = zip(node.capacity, node.asked, strict=True)
    return [1.0 - (asked or 0.0) / capacity for capacity, asked in pairs if capacity]


def outcome_of(
    before: Before, now: Assembled, snapshot: Snapshot, graph: ZoneGraph, scenario: Scenario, changed: set[str]
) -> Array:
    """Return what is known to have happened in a tick, record ``[Z]``; what no cluster knows is NaN.

    What was not measured is as telemetry holds it, so that a reward is never NaN: silence is worth what was known last.
    A zone that does not serve is not silent: the cluster says so, and all its users are violated, as in a simulation.

    Args:
        before: The last tick.
        now: This one.
        snapshot: Of the cluster.
        graph: The world's zones.
        scenario: The objective, and the latency of a zone that is down.
        changed: Zones that a command changed.
    """
    zones, service = now.zones, scenario.service
    outcome = np.zeros(len(zones), dtype=OUTCOME)
    for name in (*_UNKNOWN, *_HIDDEN):
        outcome[name] = np.nan
    outcome["users"], outcome["served"] = zones["users"], zones["usage"]
    outcome["down"] = zones["ready"] == 0.0
    for name in ("latency_p50_ms", "latency_ms", "latency_p99_ms"):
        outcome[name] = np.where(outcome["down"], service.down_latency_ms, zones[name])
    outcome["felt_latency_ms"] = outcome["latency_ms"]
    outcome["allocation"] = 0.5 * (before.zones["allocation"] + zones["allocation"])
    outcome["charged"] = outcome["allocation"] * _paid(snapshot, graph)
    outcome["changed"] = [zone in changed for zone in graph.names]
    excess_ms = np.maximum(outcome["latency_ms"] - service.latency_objective_ms, 0.0)
    outcome["violated_user_s"] = zones["users"] * scenario.tick_s * (excess_ms > 0.0)
    outcome["excess_user_ms"] = zones["users"] * excess_ms
    outcome["out_of_memory"] = _killed(snapshot, graph, before.unix_s)
    return outcome


def _paid(snapshot: Snapshot, graph: ZoneGraph) -> Array:
    """Return ``[Z, 3]``: 1 where a resource is set aside for a zone, 0 where it may use what there is."""
    paid = np.ones((len(graph), 3))
    for workload in snapshot.workloads:
        if workload.zone in graph.names:
            parts = (*workload.ceiling, workload.bandwidth_mbps)
            paid[graph.names.index(workload.zone)] = [part is not None for part in parts]
    return paid


def _killed(snapshot: Snapshot, graph: ZoneGraph, since_unix_s: float) -> Array:
    """Return ``[Z]``: 1 where a pod was killed for want of memory since then."""
    killed = np.zeros(len(graph))
    for workload in snapshot.workloads:
        if workload.zone in graph.names:
            moments = [pod.killed_for_memory_s or 0.0 for pod in workload.pods]
            killed[graph.names.index(workload.zone)] = max(moments, default=0.0) > since_unix_s
    return killed
