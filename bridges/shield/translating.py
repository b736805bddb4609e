"""Between what a policy commands (of a zone, all pods together) and what a cluster is asked for (of one pod)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bridges.contracts import Amounts, Change, Workload
from bridges.shield.clamps import BANDWIDTH, CPU, MEMORY, QUANTITIES, REPLICAS, UNITS

Array = np.ndarray

_ROUNDING: Final = 1e-4
"""Five pods times a float32 of 1.2 are six, not a little more."""
_SAME: Final = 1e-6
"""Relative difference that is none: commands are float32."""


def aligned(values: Array, rows: Sequence[str], zones: Sequence[str]) -> Array:
    """Return the rows of some zones in another order; those of zones that have none are ``nan``.

    >>> aligned(np.array([[1.0], [2.0]]), ("a", "b"), ("b", "new"))
    array([[ 2.],
           [nan]])
    """
    places = {zone: place for place, zone in enumerate(rows)}
    nothing = np.full(values.shape[1:], np.nan)
    picked = [values[places[zone]] if zone in places else nothing for zone in zones]
    return np.array(picked, dtype=np.float64).reshape(len(zones), *values.shape[1:])


def wish_of(allocation: Array, now: Array, pod_size: Array | None) -> Array:
    """Return ``[Z, 4]``, what an allocation asks of pods.

    Args:
        allocation: ``[Z, 3]``, of zones: cores, MB, Mbps; ``nan`` for nothing asked.
        now: ``[Z, 4]``, what their pods have.
        pod_size: ``[3]`` where pods are counted; ``None`` where they change their size, and their number stays.
    """
    nothing = np.full(now.shape, np.nan)
    if pod_size is None:
        wish = np.column_stack([allocation / now[:, REPLICAS:], nothing[:, REPLICAS]])
    else:
        pods = np.ceil((allocation / pod_size).max(axis=1) - _ROUNDING)
        wish = np.column_stack([nothing[:, :REPLICAS], pods])
    same = np.isclose(wish, now, rtol=_SAME, atol=0.0)
    return np.where(same, now, wish)


def changes_of(goals: Array, now: Array, workloads: Sequence[Workload]) -> tuple[Change, ...]:
    """Return what to ask of a cluster for what differs from what there is; a zone of which nothing does has no change.

    Args:
        goals: ``[Z, 4]``, what the shield let through.
        now: ``[Z, 4]``.
        workloads: ``Z`` of them; their limits keep their ratio to what is requested.
    """
    differs = ~np.isnan(goals) & (goals != now)
    zones = np.flatnonzero(differs.any(axis=1)).tolist()
    return tuple(_change(workloads[z], goals[z], now[z], differs[z]) for z in zones)


def _change(workload: Workload, goal: Array, now: Array, differs: Array) -> Change:
    ceiling = Amounts(*(float(goal[q]) if differs[q] else None for q in (CPU, MEMORY)))
    return Change(
        zone=workload.zone,
        requests=None if ceiling == Amounts(None, None) else workload.requests_for(ceiling),
        replicas=round(goal[REPLICAS]) if differs[REPLICAS] else None,
        bandwidth_mbps=float(goal[BANDWIDTH]) if differs[BANDWIDTH] else None,
        reason=described(goal, now),
    )


def described(goal: Array, now: Array) -> str:
    """Say what changes, for events and records.

    >>> described(np.array([0.5, np.nan, np.nan, np.nan]), np.array([0.3, 64.0, np.nan, 1.0]))
    'cpu_cores 0.3 -> 0.5 cores'
    """
    parts = zip(QUANTITIES, UNITS, now, goal, strict=True)
    return ", ".join(
        f"{name} {old:.6g} -> {new:.6g} {unit}" for name, unit, old, new in parts if not np.isnan(new) and new != old
    )
