"""What a batch of ticks shows of zones: everything in it could have been measured on a cluster.

It holds what zones used, not what their users wanted.
"""

from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from metaverse_env.units import MEMORY
from predictors.stgnn.data import Recording
from predictors.stgnn.dynamics import features as people
from predictors.stgnn.dynamics.recording import ALLOCATED, LATENCIES, MEASURED, ROUND_TRIP, RUNNING, USED
from predictors.stgnn.dynamics.sharing import shares, sharing_table, slots_back
from predictors.stgnn.features import FLOORS

Array = np.ndarray
Batch = dict[str, Tensor]

THROTTLED: Final = 0.98
"""Share of its allocation from which on a zone may have wanted more than it used."""
LOADS: Final = 4
"""How many loads a throttled zone may have been under."""
_ORDERS: Final = np.array([[0, 1, 2], [1, 3, 0], [2, 0, 3], [3, 2, 1]])
"""In which K-th of (0, 1) the unknowns are, one in each column, hardly correlated in pairs."""
_TURNS: Final = np.array([0.6180340, 0.4142136, 0.7320508])
"""The golden ratio and the roots of 2 and 3, without their whole parts."""
_LEAST_USED: Final = np.array(FLOORS[1:4], dtype=np.float32)
_LEAST_SERVICE_MS: Final = 0.5

_features: WeakKeyDictionary[Recording, Array] = WeakKeyDictionary()


def features_of(recording: Recording) -> Array:
    """Return the features of all ticks, ``[T, W, Z, …]``; computed once for each recording."""
    if recording not in _features:
        shape = recording.measured.shape[:3]
        rows = np.empty((*shape, len(people.DYNAMICS_FEATURES)), dtype=np.float32)
        people.write_people(recording.measured, recording.values, np.zeros(shape[1:], people.MEMORY), rows)
        _features[recording] = rows
    return _features[recording]


def make_batch(recording: Recording, ticks: Array, worlds: Array) -> Batch:
    """Return what the network reads at some ticks, from 1 on, of some worlds, and what was seen then and before."""
    earlier, before, now = (
        recording.measured[rows, worlds].reshape(-1, len(MEASURED))
        for rows in (np.maximum(ticks - 2, 0), ticks - 1, ticks)
    )
    past = {"features": _rows(recording, ticks - 1, worlds), "users": before[:, :1]} | _demand_seen(before, earlier)
    arrays = {"features": _rows(recording, ticks, worlds), "users": now[:, :1], "allocation": np.log(now[:, ALLOCATED])}
    arrays |= _demand_seen(now, before) | _latency_seen(now, before, recording.most_latency_ms)
    arrays |= _where_served(recording, ticks, worlds) | {"ranks": spread_ranks(len(now))}
    arrays |= {f"before_{name}": past[name] for name in ("features", "users", "used", "exact")}
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _rows(recording: Recording, ticks: Array, worlds: Array) -> Array:
    rows = features_of(recording)[ticks, worlds]
    flat: Array = rows.reshape(-1, rows.shape[-1])
    return flat


def _demand_seen(now: Array, before: Array) -> dict[str, Array]:
    """Return what was used, of what it is a bound, between what demand must have been, and whether it counts.

    A throttled zone wanted at least what it used. Afterwards it works off what it left over: then it wants at most what
    it uses; and if it is throttled again, nobody knows what it wants.
    """
    throttled, leftover = (rows[:, USED] >= THROTTLED * rows[:, ALLOCATED] for rows in (now, before))
    throttled[:, MEMORY] = leftover[:, MEMORY] = False
    counts = np.repeat(now[:, RUNNING, None], 3, axis=1)
    counts[:, MEMORY] *= before[:, RUNNING]
    used = np.log(np.maximum(now[:, USED], _LEAST_USED))
    bound = np.where(throttled, 1.0, -1.0 * leftover).astype(np.float32)
    return {
        "used": used,
        "memory": np.maximum(before[:, USED][:, MEMORY, None], _LEAST_USED[MEMORY]),
        "bound": bound,
        "low": np.where(leftover, np.float32(-np.inf), used),
        "high": np.where(throttled, np.float32(np.inf), used),
        "counts": counts,
        "exact": counts * (bound == 0.0),
    }


def _latency_seen(now: Array, before: Array, most_ms: float) -> dict[str, Array]:
    """Return latency above the round trip, what waited before, where it is a lower bound, and where it counts."""
    service, waiting = (np.maximum(rows[:, LATENCIES] - rows[:, ROUND_TRIP], 0.0) for rows in (now, before))
    return {
        "waiting": before[:, RUNNING, None] * waiting[:, 1:2],
        "latency": np.log(np.maximum(service, _LEAST_SERVICE_MS)),
        "latency_bound": (now[:, LATENCIES] >= most_ms).astype(np.float32),
        "latency_counts": now[:, RUNNING],
    }


def spread_ranks(rows: int) -> Array:
    """Return ranks in (0, 1) of three unknowns that have nothing to do with each other, ``float32 [K, rows, 3]``.

    Those of a row are one in each K-th of (0, 1); those of all rows together fill it evenly, as multiples of irrational
    numbers do.

    >>> spread_ranks(1)[:, 0, 0]
    array([0.125, 0.375, 0.625, 0.875], dtype=float32)
    """
    within = (0.5 + np.arange(rows)[:, None] * _TURNS) % 1.0
    ranks: Array = ((_ORDERS[:, None] + within) / LOADS).clip(1e-3, 1.0 - 1e-3).astype(np.float32)
    return ranks


def _where_served(recording: Recording, ticks: Array, worlds: Array) -> dict[str, Array]:
    """Return from where demand comes, and which share of it."""
    graph = recording.graph
    neighbours = sharing_table(graph, len(ticks))
    served = shares(recording.remote[ticks, worlds], graph.neighbours, slots_back(graph.neighbours))
    return {"neighbours": neighbours, "shares": served.reshape(*neighbours.shape, 1)}
