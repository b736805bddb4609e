"""What the learned dynamics reads of a zone, computed by the same compiled functions in training and in every step.

Only what comes from outside is read; what a network said of the ticks before is no feature, so it cannot chase itself.
"""

import math
from typing import Any, Final

import numpy as np

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.simulator import streams
from metaverse_env.simulator.rng import bell, draw, place_key, tick_key
from metaverse_env.simulator.vectors import fill
from predictors.stgnn.features import EMBEDDING, FLOORS, HISTORY_WIDTH, LEVEL_SCALE

LAGS: Final = 4
"""Ticks whose users are remembered."""
KEPT: Final = (0.7, 0.93)
"""Share of what was heard before that counts on, in the quick and in the slow mean of intents."""

DYNAMICS_FEATURES: Final = (
    "users",
    *(f"users_change@-{lag}" for lag in range(1, LAGS + 1)),
    "quick_signals",
    "slow_signals",
    *(f"intent_quick_{e}" for e in range(EMBEDDING)),
    *(f"intent_slow_{e}" for e in range(EMBEDDING)),
)
"""Columns of the network's input; ``users`` is the log over 4, the changes are to it."""

TARGETS: Final = 4
"""What deviates: demand of three resources, and latency."""
MOST_DEVIATIONS: Final = 4.0
"""Deviations are cut at this many standard deviations, so that everything is bounded."""
MEMORY: Final = np.dtype(
    [
        ("users", "f4", (LAGS,)),  # levels, newest first
        ("signals", "f4", (len(KEPT),)),  # how many were heard, fading
        ("intents", "f4", (len(KEPT), EMBEDDING)),  # their sums, fading alike
        ("waiting_ms", "f4"),  # p95 of the last tick above the round trip; 0 for a zone that was down
        ("residual", "f4", (2, TARGETS)),  # quick and slow part of the deviations, standard normal
    ],
    align=True,
)
"""What is remembered of a zone."""

_LEAST_USERS: Final = FLOORS[0]


@compiled
def users_level(users: float) -> float:
    """Return the log of a number of users, of none as of half a user."""
    return math.log(max(users, _LEAST_USERS))


@compiled
def hear(memory: Any, signals: float, intent: Any) -> None:
    r"""Add a tick\'s signals, of which ``intent [32]`` is the mean."""
    for mean in range(len(KEPT)):
        kept = KEPT[mean]
        memory.signals[mean] = kept * memory.signals[mean] + signals
        for e in range(EMBEDDING):
            memory.intents[mean, e] = kept * memory.intents[mean, e] + signals * intent[e]


@compiled
def write_row(memory: Any, level: float, row: Any) -> None:
    """Write the features of a zone whose users have this level.

    Means are over one signal more than were heard, which said nothing: few signals are believed less.
    """
    row[0] = LEVEL_SCALE * level
    for lag in range(LAGS):
        row[1 + lag] = memory.users[lag] - level
    for mean in range(len(KEPT)):
        place = 1 + LAGS + len(KEPT) + mean * EMBEDDING
        row[1 + LAGS + mean] = LEVEL_SCALE * math.log1p(memory.signals[mean])
        weight = 1.0 / (1.0 + memory.signals[mean])
        for e in range(EMBEDDING):
            row[place + e] = weight * memory.intents[mean, e]


@compiled
def remember_users(memory: Any, level: float) -> None:
    """Put the users of a tick in front of those before."""
    for lag in range(LAGS - 1, 0, -1):
        memory.users[lag] = memory.users[lag - 1]
    memory.users[0] = level


@compiled
def forget(memory: Any, level: float, waiting_ms: float) -> None:
    """Start a zone that has long had these users and was never heard."""
    for lag in range(LAGS):
        memory.users[lag] = level
    for mean in range(len(KEPT)):
        memory.signals[mean] = 0.0
        for e in range(EMBEDDING):
            memory.intents[mean, e] = 0.0
    memory.waiting_ms = waiting_ms


@entry_point
def write_people(measured: Any, values: Any, memory: Any, features: Any) -> None:
    """Write the features of every tick of a recording.

    Args:
        measured: ``float32 [T, W, Z, …]``, users first.
        values: ``float32 [T, W, Z, 11 + 32]`` of histories.
        memory: Record ``[W, Z]`` :data:`MEMORY`, to work in.
        features: ``float32 [T, W, Z, features]``, written.
    """
    for w in range(values.shape[1]):
        for z in range(values.shape[2]):
            zone = memory[w, z]
            forget(zone, users_level(measured[0, w, z, 0]), 0.0)
            for t in range(values.shape[0]):
                level = users_level(measured[t, w, z, 0])
                hear(zone, values[t, w, z, 10], values[t, w, z, HISTORY_WIDTH:])
                write_row(zone, level, features[t, w, z])
                remember_users(zone, level)


@compiled
def round_trip_ms(w: int, z: int, places: Any, nodes: Any) -> float:
    """Return the way to a zone, ms, with what its node's network adds to it."""
    return float(places[z].base_rtt_ms + nodes[w, places[z].node].degraded_rtt_ms)


@compiled
def stir(residual: Any, key: int, weave: Any, noise: Any) -> None:
    """Move a zone's deviations one tick on; write what they add up to, cut at :data:`MOST_DEVIATIONS`.

    Args:
        residual: ``[2, 4]``, changed.
        key: Of the zone's noise in this tick.
        weave: ``[4, 2, 3]``: for each target and part its weight, its correlation from tick to tick, and what keeps its
            variance at 1.
        noise: ``[5]``, written: of demand, and that of latency twice.
    """
    for target in range(TARGETS):
        total = 0.0
        for part in range(2):
            weight, keep, gain = weave[target, part, 0], weave[target, part, 1], weave[target, part, 2]
            shock = bell(draw(key, streams.RESIDUAL + TARGETS * part + target))
            residual[part, target] = keep * residual[part, target] + gain * shock
            total += weight * residual[part, target]
        noise[target] = min(max(total, -MOST_DEVIATIONS), MOST_DEVIATIONS)
    noise[TARGETS] = noise[TARGETS - 1]


@entry_point
def start_inputs(
    worlds: Any, nodes: Any, zones: Any, places: Any, mask: Any, memory: Any, first: int,
    features: Any, users: Any, allocation: Any, waiting: Any, shares: Any, noise: Any,
) -> None:  # fmt: skip
    """Write the inputs of worlds that have just been reset, as if they had long been as they are; noise is 0.

    Args:
        worlds: Record ``[W]`` of the state, as the two that follow.
        nodes: Record ``[W, N]``.
        zones: Record ``[W, Z]``.
        places: Record ``[Z]``, the zones' constants.
        mask: ``bool [W]``, which worlds were reset; the rows of others are left as they are.
        memory: Record ``[W, Z]``, started anew, the slow part of residuals with independent draws.
        first: The first of the block of worlds to write; the inputs say how many they are.
        features: Written, as all that follow; see :func:`dynamics_inputs`.
        users: How many.
        allocation: Logarithms.
        waiting: Above the round trip, ms.
        shares: None.
        noise: None.
    """
    count = zones.shape[1]
    for row in range(len(features)):
        w, z = first + row // count, row % count
        if mask[w]:
            zone, own = zones[w, z], memory[w, z]
            level = users_level(zone.measured[0, 0])
            forget(own, level, max(zone.measured[0, 5] - round_trip_ms(w, z, places, nodes), 0.0))
            key = place_key(tick_key(worlds[w].noise_key, worlds[w].tick), z)
            for target in range(TARGETS):
                own.residual[1, target] = bell(draw(key, streams.RESIDUAL + target))
            write_row(own, level, features[row])
            users[row, 0], waiting[row, 0] = zone.measured[0, 0], own.waiting_ms
            for resource in range(3):
                allocation[row, resource] = math.log(zone.current[resource])
            fill(shares[row], 0.0)
            fill(noise[row], 0.0)


@entry_point
def dynamics_inputs(
    worlds: Any, remote: Any, outcome: Any, telemetry: Any, intents: Any, edges: Any, back: Any, weave: Any,
    memory: Any, first: int, features: Any, users: Any, allocation: Any, waiting: Any, shares: Any, noise: Any,
) -> None:  # fmt: skip
    """Write the network's inputs of a tick whose people and allocations are settled; remember its people.

    Args:
        worlds: Record ``[W]`` of the state.
        remote: ``[W, Z, D]`` of the state, shares that neighbours serve.
        outcome: Of the output, as :func:`~metaverse_env.simulator.entry.step_people` leaves it; so the two that follow.
        telemetry: For the number of signals.
        intents: ``float32 [W, Z, 32]``.
        edges: Record ``[Z, D]`` of the constants.
        back: Their :func:`~predictors.stgnn.dynamics.sharing.slots_back`.
        weave: See :func:`stir`.
        memory: Record ``[W, Z]``, changed.
        first: The first of the block of worlds to write; the inputs say how many they are.
        features: Written, ``float32 [B Z, …]``, as all that follow: the inputs of ``DynamicsNet``.
        users: How many.
        allocation: Logarithms.
        waiting: p95 of the last tick above the round trip, ms.
        shares: What of whose demand a zone serves beside its own, see :mod:`predictors.stgnn.dynamics.sharing`.
        noise: Deviations.
    """
    count = memory.shape[1]
    for row in range(len(features)):
        w, z = first + row // count, row % count
        own, now = memory[w, z], outcome[w, z]
        level = users_level(now.users)
        hear(own, telemetry[w, z].signals, intents[w, z])
        write_row(own, level, features[row])
        remember_users(own, level)
        stir(own.residual, place_key(tick_key(worlds[w].noise_key, worlds[w].tick), z), weave, noise[row])
        users[row, 0], waiting[row, 0] = now.users, own.waiting_ms
        for resource in range(3):
            allocation[row, resource] = math.log(now.allocation[resource])
        shares[row, 0, 0] = 0.0
        for slot in range(edges.shape[1]):
            other = edges[z, slot].zone
            shares[row, 0, 0] -= remote[w, z, slot]
            shares[row, 1 + slot, 0] = remote[w, other, back[z, slot]] if other >= 0 else 0.0


@entry_point
def remember_waiting(outcome: Any, nodes: Any, places: Any, memory: Any) -> None:
    """Remember how long a tick let users wait.

    Args:
        outcome: Record ``[W, Z]``.
        nodes: Record ``[W, N]`` of the state.
        places: Record ``[Z]``, the zones' constants.
        memory: Record ``[W, Z]``, changed.
    """
    for w in range(outcome.shape[0]):
        for z in range(outcome.shape[1]):
            waited = max(outcome[w, z].latency_ms - round_trip_ms(w, z, places, nodes), 0.0)
            memory[w, z].waiting_ms = 0.0 if outcome[w, z].down > 0.0 else waited
