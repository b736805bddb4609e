"""What can be known of a zone: measured, aged, sometimes missing (world model, section 5)."""

from typing import Any

from metaverse_env.compiling import compiled
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import between, draw, uniform
from metaverse_env.simulator.vectors import copy
from metaverse_env.units import BANDWIDTH, CPU, SECONDS_PER_HOUR


@compiled
def measure(zone: Any, outcome: Any, tick_s: float) -> None:
    """Store the true measurements of this tick in front of the older ones."""
    measured = zone.measured
    for depth in range(measured.shape[0] - 1, 0, -1):
        for field in range(measured.shape[1]):
            measured[depth, field] = measured[depth - 1, field]
    running = 1.0 - outcome.down
    measured[0, 0] = outcome.users
    work = outcome.served[CPU] + zone.backlog_core_s / tick_s
    measured[0, 1] = running * min(work, outcome.allocation[CPU])
    measured[0, 2] = running * zone.memory_mb
    measured[0, 3] = running * min(outcome.served[BANDWIDTH], outcome.allocation[BANDWIDTH])
    measured[0, 4] = outcome.latency_p50_ms
    measured[0, 5] = outcome.latency_ms
    measured[0, 6] = outcome.latency_p99_ms


@compiled
def read_aged(measured: Any, field: int, age_ticks: float) -> float:
    """Return a measurement as it was ``age_ticks`` ago, linear between whole ticks."""
    newer = min(int(age_ticks), measured.shape[0] - 2)
    part = min(age_ticks - newer, 1.0)
    return measured[newer, field] + part * (measured[newer + 1, field] - measured[newer, field])


@compiled
def scrape(zone: Any, key: int, telemetry: Any, rules: Any) -> bool:
    """Read the zone's metrics into ``telemetry`` unless they are missing; tell whether they were there."""
    zone.missing_ticks -= 1
    chance = rules.missing_per_h * rules.tick_s / SECONDS_PER_HOUR
    if zone.missing_ticks <= 0 and chance > 0.0 and uniform(draw(key, streams.MISSING)) < chance:
        low, high = rules.missing_s
        zone.missing_ticks = 1 + int(between(draw(key, streams.MISSING_TIME), low, high) / rules.tick_s)
    if zone.missing_ticks > 0:
        return False
    low, high = rules.metric_age_s
    zone.metric_age_s = between(draw(key, streams.AGE), low, high)
    age_ticks = zone.metric_age_s / rules.tick_s
    telemetry.users = read_aged(zone.measured, 0, age_ticks)
    for resource in range(3):
        telemetry.usage[resource] = read_aged(zone.measured, 1 + resource, age_ticks)
    telemetry.latency_p50_ms = read_aged(zone.measured, 4, age_ticks)
    telemetry.latency_ms = read_aged(zone.measured, 5, age_ticks)
    telemetry.latency_p99_ms = read_aged(zone.measured, 6, age_ticks)
    return True


@compiled
def observe_zone(zone: Any, key: int, before: Any, telemetry: Any, rules: Any) -> None:
    """Write one zone's telemetry. What is missing is held from ``before``, grows older, and is marked unobserved."""
    if scrape(zone, key, telemetry, rules):
        telemetry.observed = 1.0
    else:
        zone.metric_age_s += rules.tick_s
        telemetry.users = before.users
        copy(telemetry.usage, before.usage)
        telemetry.latency_p50_ms = before.latency_p50_ms
        telemetry.latency_ms = before.latency_ms
        telemetry.latency_p99_ms = before.latency_p99_ms
        telemetry.observed = 0.0
    telemetry.age_s = zone.metric_age_s
    copy(telemetry.allocation, zone.current)
    copy(telemetry.pending, zone.wanted)
    telemetry.handover = zone.handover
    telemetry.ready = 0.0 if zone.down_s > 0.0 or zone.outage_s > 0.0 else 1.0
    telemetry.restarts = zone.kills_total
    busiest = 0.0
    for resource in range(3):
        busiest = max(busiest, telemetry.usage[resource] / zone.current[resource])
    zone.headroom = 1.0 - busiest
