"""Observations written as telemetry, the records that histories are made of.

A zone that is silent in a tick is held, grows older and is marked unobserved, as in a simulated world. Of a zone that
speaks, but leaves out its usage or its allocation, these are held likewise, and the age is that of the usage; an intent
is of its tick alone. What was never told is zero, as is a usage that is older than the history reaches: neither an
allocation nor a latency is ever zero where it is known, and ``ready`` is 1 where anything is.
"""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from metaverse_env.history import TICKS, History
from metaverse_env.simulator.records import TELEMETRY, WEATHER
from metaverse_env.telemetry import Telemetry
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK
from metaverse_env.zones import ZoneGraph
from predictors.server.requests import Observation
from predictors.stgnn.features import EMBEDDING

_EPOCH_WEEKDAY_S = 3 * SECONDS_PER_DAY
"""The Unix epoch was a Thursday; weeks start on Monday."""


def time_of_week_s(unix_s: float) -> float:
    """Return the time since Monday 00:00 UTC.

    >>> time_of_week_s(1_767_571_200.0)  # Monday, 5 January 2026
    0.0
    """
    return (unix_s + _EPOCH_WEEKDAY_S) % SECONDS_PER_WEEK


def nothing_known(zones: int, unix_s: float) -> Telemetry:
    """Return telemetry of one world in which no zone was ever observed."""
    weather = np.zeros(1, dtype=WEATHER)
    weather["time_s"], weather["price_factor"] = time_of_week_s(unix_s), 1.0
    return Telemetry(np.zeros((1, zones), dtype=TELEMETRY), weather, np.zeros((1, zones, EMBEDDING), dtype=np.float32))


def held(before: Telemetry, tick_s: float, unix_s: float) -> Telemetry:
    """Return the next tick's telemetry while nobody has spoken in it: older, unobserved, without intents."""
    after = nothing_known(before.zones.shape[1], unix_s)
    after.zones[:] = before.zones
    after.zones["observed"] = after.zones["signals"] = 0.0
    after.zones["age_s"] += np.where(before.zones["ready"] > 0.0, tick_s, 0.0)
    outdated = after.zones["age_s"] >= TICKS * tick_s
    for name in ("usage", "latency_ms", "age_s"):
        after.zones[name][outdated] = 0.0
    return after


def observe(telemetry: Telemetry, zone: int, observation: Observation) -> None:
    """Write what a zone says now over what was there; what it leaves out is held."""
    record = telemetry.zones[0, zone]
    record["users"], record["observed"], record["ready"] = observation.active_users, 1.0, 1.0
    if observation.usage is not None:
        usage = observation.usage
        record["usage"] = usage.cpu_cores, usage.memory_mb, usage.bandwidth_mbps
        record["latency_ms"] = usage.latency_ms
    if observation.usage is not None or record["latency_ms"] == 0.0:
        record["age_s"] = 0.0
    if observation.allocation is not None:
        given = observation.allocation
        record["allocation"] = given.cpu_cores, given.memory_mb, given.bandwidth_mbps
    record["signals"] = observation.embedding is not None
    telemetry.intents[0, zone] = 0.0 if observation.embedding is None else observation.embedding


def past(graph: ZoneGraph, said: dict[str, Sequence[Observation | None]], end_s: float, tick_s: float) -> History:
    """Return the history of one world from what its zones said.

    Args:
        graph: All zones; those that ``said`` does not name were never observed.
        said: By zone, oldest first; the last entry is of the tick that ended at ``end_s``.
        end_s: Unix time, s.
        tick_s: Length of a tick, s.
    """
    history = History(1, graph, EMBEDDING)
    zones = [graph.names.index(name) for name in said]
    ticks = list(zip_longest(*(reversed(observations) for observations in said.values())))[::-1]
    telemetry = nothing_known(len(graph), end_s)
    for index, observations in enumerate(ticks, start=1 - len(ticks)):
        telemetry = held(telemetry, tick_s, end_s + index * tick_s)
        for zone, observation in zip(zones, observations, strict=True):
            if observation is not None:
                observe(telemetry, zone, observation)
        history.append(telemetry)
    return history
