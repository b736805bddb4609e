"""What the dynamics reads of a zone, computed by the same compiled functions in training and in every step.

See :mod:`predictors.stgnn.features`. All that is compiled here stands in this file, for Numba looks for changes in no
other.
"""

import math
from typing import Any, Final

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import bell, draw, place_key, tick_key
from metaverse_env.simulator.vectors import copy
from predictors.stgnn.features import EMBEDDING, FLOORS, HISTORY_WIDTH, LEVEL_SCALE, LEVELS, UTILISATIONS

LAGS: Final = 4
"""Ticks of the truth that the dynamics remembers."""

REMEMBERED_FLOORS: Final = (*FLOORS[:5], 0.01, 0.01, 0.01)
"""The least value of what it remembers: :data:`LEVELS`, then the load of each resource, served over allocated."""

DYNAMICS_FEATURES: Final = (
    "users",
    *(f"{name}_change@-{lag}" for lag in range(1, LAGS + 1) for name in LEVELS),
    *(f"{name}@-{lag}" for lag in range(1, LAGS + 1) for name in UTILISATIONS),
    "signals",
    *(f"intent_{e}" for e in range(EMBEDDING)),
    *(f"intent_before_{e}" for e in range(EMBEDDING)),
)
"""Columns of the dynamics' input. ``users_change`` is to the present users, the others to lag 1; those of lag 1 are
levels over 4."""

QUIET_MS: Final = 200.0
"""Latency of no zone that is quiet [E]."""

INTENT_GAIN: Final = 0.25
"""Weight of a tick in the running mean of intents that the dynamics remembers."""


@compiled
def level(value: float, index: int) -> float:
    """Return the log of a remembered value, not below its floor."""
    return math.log(max(value, REMEMBERED_FLOORS[index]))


@compiled
def write_dynamics_row(users: float, ring: Any, signals: float, intent: Any, before: Any, row: Any) -> None:
    """Write the dynamics' features of one zone.

    Args:
        users: Present level.
        ring: ``[LAGS, 8]`` levels, newest first.
        signals: How many signals the present intent is the mean of.
        intent: Present intent, ``[32]``.
        before: Running mean of the intents before.
        row: Written.
    """
    row[0] = LEVEL_SCALE * users
    for lag in range(LAGS):
        place = 1 + 5 * lag
        row[place] = ring[lag, 0] - users
        for index in range(1, 5):
            row[place + index] = ring[lag, index] - ring[0, index] if lag else LEVEL_SCALE * ring[0, index]
        for resource in range(3):
            row[1 + 5 * LAGS + 3 * lag + resource] = ring[lag, 5 + resource]
    place = 1 + 8 * LAGS
    row[place] = LEVEL_SCALE * math.log1p(signals)
    for e in range(EMBEDDING):
        row[place + 1 + e] = intent[e]
        row[place + 1 + EMBEDDING + e] = before[e]


@compiled
def remember(ring: Any, now: Any) -> None:
    """Put the levels of an outcome in front of a zone's ring ``[LAGS, 8]``; the oldest is forgotten."""
    for lag in range(LAGS - 1, 0, -1):
        for index in range(8):
            ring[lag, index] = ring[lag - 1, index]
    ring[0, 0] = level(now.users, 0)
    ring[0, 4] = level(now.latency_ms, 4)
    for resource in range(3):
        ring[0, 1 + resource] = level(now.demand[resource], 1 + resource)
        ring[0, 5 + resource] = level(now.served[resource] / now.allocation[resource], 5 + resource)


@compiled
def _coming(z: int, slot: int, remote: Any, edges: Any) -> float:
    """Return what share of a neighbour's demand comes to a zone."""
    other = edges[z, slot].zone
    if other >= 0:
        for back in range(edges.shape[1]):
            if edges[other, back].zone == z:
                return float(remote[other, back])
    return 0.0


@compiled
def _staying(z: int, remote: Any) -> float:
    """Return what share of its own demand a zone serves."""
    stays = 1.0
    for slot in range(remote.shape[1]):
        stays -= remote[z, slot]
    return max(stays, 0.0)


@compiled
def write_anchor(ring: Any, last: Any) -> None:
    """Write what the outputs are relative to: levels of the last demand, and of the zone's latency when it is quiet.

    That is the least of the remembered ones, :data:`QUIET_MS` at most: more tells of an overload and not of the zone.
    """
    for resource in range(3):
        last[resource] = ring[0, 1 + resource]
    last[3] = math.log(QUIET_MS)
    for lag in range(LAGS):
        last[3] = min(last[3], ring[lag, 4])


@entry_point
def dynamics_inputs(
    worlds: Any, zones: Any, remote: Any, outcome: Any, telemetry: Any, intents: Any, edges: Any, keep: Any,
    ring: Any, before: Any, first: int, features: Any, last: Any, allocation: Any, stays: Any, comes: Any,
    demand_noise: Any, latency_noise: Any,
) -> None:  # fmt: skip
    """Write the dynamics' inputs of a tick whose people and allocations are settled; advance residuals and intents.

    Args:
        worlds: Of the state, as the two that follow.
        zones: Their residuals are changed.
        remote: Shares that neighbours serve.
        outcome: Of the output, as :func:`~metaverse_env.simulator.entry.step_people` leaves it; so the two that follow.
        telemetry: For the number of signals.
        intents: ``float32 [W, Z, 32]``.
        edges: Record ``[Z, D]`` of the constants.
        keep: ``float32 [4]``, correlation of the residuals from tick to tick.
        ring: ``float32 [W, Z, LAGS, 8]``.
        before: ``float32 [W, Z, 32]``, running mean of intents; updated.
        first: The first of the block of worlds to write; the inputs say how many they are.
        features: Written, ``float32 [B Z, …]``, as all that follow: the inputs of ``DynamicsNet``.
        last: See :func:`write_anchor`.
        allocation: Logarithms.
        stays: Share of its demand that a zone serves.
        comes: Share of each neighbour's demand that it serves.
        demand_noise: Residuals of demand.
        latency_noise: Residual of latency.
    """
    count = zones.shape[1]
    for row in range(len(features)):
        w, z = first + row // count, row % count
        zone, now = zones[w, z], outcome[w, z]
        zone_key = place_key(tick_key(worlds[w].noise_key, worlds[w].tick), z)
        for target in range(4):
            shock = bell(draw(zone_key, streams.RESIDUAL + target))
            gain = math.sqrt(1.0 - keep[target] * keep[target])
            zone.residual[target] = keep[target] * zone.residual[target] + gain * shock
        copy(demand_noise[row], zone.residual[:3])
        latency_noise[row, 0] = zone.residual[3]
        signals, intent = telemetry[w, z].signals, intents[w, z]
        write_dynamics_row(level(now.users, 0), ring[w, z], signals, intent, before[w, z], features[row])
        stays[row, 0] = _staying(z, remote[w])
        for slot in range(edges.shape[1]):
            comes[row, slot, 0] = _coming(z, slot, remote[w], edges)
        write_anchor(ring[w, z], last[row])
        for resource in range(3):
            allocation[row, resource] = math.log(now.allocation[resource])
        for e in range(EMBEDDING):
            before[w, z, e] += INTENT_GAIN * (intent[e] - before[w, z, e])


@entry_point
def remember_tick(outcome: Any, ring: Any) -> None:
    """Remember what a tick turned out to be.

    Args:
        outcome: Record ``[W, Z]``.
        ring: ``float32 [W, Z, LAGS, 8]``, changed.
    """
    for w in range(outcome.shape[0]):
        for z in range(outcome.shape[1]):
            remember(ring[w, z], outcome[w, z])


@entry_point
def dynamics_rows(
    truth: Any, values: Any, ticks: Any, worlds: Any, rings: Any, means: Any, features: Any, last: Any
) -> None:
    """Write the features that the dynamics would have had at some ticks of some worlds."""
    count = truth.shape[2]
    for b in range(len(ticks)):
        tick, w = ticks[b], worlds[b]
        for z in range(count):
            ring, mean, row = rings[b, z], means[b, z], features[b * count + z]
            for lag in range(LAGS):
                for index in range(8):
                    ring[lag, index] = level(truth[max(tick - 1 - lag, 0), w, z, index], index)
            for e in range(EMBEDDING):
                mean[e] = 0.0
            for before in range(max(0, tick - 16), tick):
                for e in range(EMBEDDING):
                    mean[e] += INTENT_GAIN * (values[before, w, z, HISTORY_WIDTH + e] - mean[e])
            users = level(truth[tick, w, z, 0], 0)
            write_dynamics_row(users, ring, values[tick, w, z, 10], values[tick, w, z, HISTORY_WIDTH:], mean, row)
            write_anchor(ring, last[b * count + z])
