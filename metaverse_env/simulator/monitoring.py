"""What can be known of a zone: measured, aged, sometimes missing (world model, section 5)."""

from typing import Any

import numpy as np

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import between, draw, uniform
from metaverse_env.simulator.vectors import copy
from metaverse_env.units import BANDWIDTH, CPU, SECONDS_PER_HOUR


@stage
def measure(zone: Any, outcome: Any, rules: Any) -> None:
    """Store the true measurements of this tick in front of the older ones."""
    measured = zone.measured
    for depth in range(measured.shape[0] - 1, 0, -1):
        for field in range(measured.shape[1]):
            measured[depth, field] = measured[depth - 1, field]
    running = 1.0 - outcome.down
    measured[0, 0] = outcome.users
    work = outcome.served[CPU] + zone.backlog_core_s * rules.ticks_per_s
    measured[0, 1] = running * min(work, outcome.allocation[CPU])
    measured[0, 2] = running * zone.memory_mb
    measured[0, 3] = running * min(outcome.served[BANDWIDTH], outcome.allocation[BANDWIDTH])
    measured[0, 4] = outcome.latency_p50_ms
    measured[0, 5] = outcome.latency_ms
    measured[0, 6] = outcome.latency_p99_ms


@stage
def read_aged(measured: Any, field: int, newer: int, part: Any) -> Any:
    """Return a measurement as it was ``newer + part`` ticks ago, linear between whole ticks."""
    return measured[newer, field] + part * (measured[newer + 1, field] - measured[newer, field])


@stage
def is_missing(zone: Any, key: int, rules: Any) -> bool:
    """Tell whether the zone's metrics are missing in this tick; now and then, they begin to be."""
    zone.missing_ticks -= 1
    chance = rules.missing_per_h * rules.tick_s / SECONDS_PER_HOUR
    if chance > 0.0 and zone.missing_ticks <= 0 and uniform(draw(key, streams.MISSING)) < chance:
        low, high = rules.missing_s
        zone.missing_ticks = 1 + int(between(draw(key, streams.MISSING_TIME), low, high) / rules.tick_s)
    missing: bool = zone.missing_ticks > 0
    return missing


@stage
def scrape(zone: Any, key: int, telemetry: Any, rules: Any) -> None:
    """Read the zone's metrics, as old as metrics are, into ``telemetry``."""
    low, high = rules.metric_age_s
    zone.metric_age_s = between(draw(key, streams.AGE), low, high)
    age_ticks, measured = zone.metric_age_s * rules.ticks_per_s, zone.measured
    newer = min(int(age_ticks), len(measured) - 2)
    part = np.float32(min(age_ticks - newer, 1.0))
    telemetry.users = read_aged(measured, 0, newer, part)
    for resource in range(3):
        telemetry.usage[resource] = read_aged(measured, 1 + resource, newer, part)
    telemetry.latency_p50_ms = read_aged(measured, 4, newer, part)
    telemetry.latency_ms = read_aged(measured, 5, newer, part)
    telemetry.latency_p99_ms = read_aged(measured, 6, newer, part)


@compiled
def hold(zone: Any, before: Any, telemetry: Any, rules: Any) -> None:
    """Keep what was last known of a zone, which grows older."""
    zone.metric_age_s += rules.tick_s
    telemetry.users = before.users
    copy(telemetry.usage, before.usage)
    telemetry.latency_p50_ms = before.latency_p50_ms
    telemetry.latency_ms = before.latency_ms
    telemetry.latency_p99_ms = before.latency_p99_ms


@stage
def observe_zone(zone: Any, key: int, before: Any, telemetry: Any, rules: Any) -> None:
    """Write one zone's telemetry. What is missing is held from ``before``, grows older, and is marked unobserved."""
    if is_missing(zone, key, rules):
        hold(zone, before, telemetry, rules)
        telemetry.observed = 0.0
    else:
        scrape(zone, key, telemetry, rules)
        telemetry.observed = 1.0
    telemetry.age_s = zone.metric_age_s
    telemetry.ready = 1.0 * (max(zone.down_s, zone.outage_s) <= 0.0)
    telemetry.restarts = zone.kills_total
    telemetry.handover = zone.handover
    most = np.float32(0.0)
    for resource in range(3):
        telemetry.allocation[resource], telemetry.pending[resource] = zone.current[resource], zone.wanted[resource]
        most = max(most, telemetry.usage[resource] / zone.current[resource])
    zone.headroom = (1.0 - most) * telemetry.ready
