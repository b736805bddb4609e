"""From a recording to actions: what was asked of each zone, when it was other than before."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bridges.contracts import Amounts, Change, Workload
from metaverse_env.errors import ConfigurationError
from metaverse_env.recording import Recording

Array = np.ndarray
_SAME = 1e-4
"""Relative difference that is none."""


class Action(NamedTuple):
    """What was asked for in one tick.

    Attributes:
        number: Counted from 0.
        at_s: Since the start of the recording, s.
        allocation: Zone to cores, MB and Mbps together; zones that were asked for the same as before are left out.
    """

    number: int
    at_s: float
    allocation: Mapping[str, tuple[float, float, float]]


def actions_of(recording: Recording, world: int = 0, zones: Mapping[str, str] | None = None) -> list[Action]:
    """Return the actions of one world of a recording; ticks in which nothing new was asked for have none.

    Args:
        recording: With its commands.
        world: Which.
        zones: The recording's zones to those of the cluster; the same names by default.

    Raises:
        ConfigurationError: There is no such world, or no such zone.
    """
    if not 0 <= world < len(recording.seeds):
        raise ConfigurationError(f"world {world} is not in the recording; it has 0 to {len(recording.seeds) - 1}")
    named = zones or {}
    if unknown := sorted(set(named) - set(recording.zone_names)):
        raise ConfigurationError(f"zone {unknown[0]!r} is not in the recording: {', '.join(recording.zone_names)}")
    names = [named.get(name, name) for name in recording.zone_names]
    return [
        Action(number, tick * recording.scenario.tick_s, asked)
        for number, (tick, asked) in enumerate(_changes(recording.commands["allocation"][:, world], names))
    ]


def _changes(allocation: Array, names: list[str]) -> Iterator[tuple[int, dict[str, tuple[float, float, float]]]]:
    before = np.full(allocation.shape[1:], np.nan)
    for tick, now in enumerate(allocation.astype(np.float64)):
        new = ~np.isclose(now, before, rtol=_SAME, atol=0.0).all(axis=1)
        if new.any():
            yield tick, {names[z]: (now[z, 0], now[z, 1], now[z, 2]) for z in np.flatnonzero(new).tolist()}
        before = now


def change_of(workload: Workload, allocation: tuple[float, float, float], number: int) -> Change:
    """Return what gives a zone's pods, together, an allocation; the number of pods stays."""
    pods = max(1, workload.replicas)
    cores, megabytes, mbps = (part / pods for part in allocation)
    ceiling = Amounts(*(new if has else None for new, has in zip((cores, megabytes), workload.ceiling, strict=True)))
    return Change(
        zone=workload.zone,
        requests=workload.requests_for(ceiling),
        bandwidth_mbps=None if workload.bandwidth_mbps is None else mbps,
        reason=f"replay of action {number}",
    )
