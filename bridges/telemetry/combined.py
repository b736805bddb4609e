"""Several sources as one: for each field the first that has a fresh value."""

from collections.abc import Mapping, Sequence
from typing import Final

from bridges.contracts import Reading, Readings, TelemetrySource, Workload
from metaverse_env.errors import ConfigurationError

_ORDER: Final = {"fresh": 0, "stale": 1, "rejected": 2, "missing": 3}


class CombinedSource:
    """A :class:`~bridges.contracts.TelemetrySource` made of others.

    Where none has a fresh value, the best that there is tells why not: stale before rejected before missing, and of
    equals the first source's.

    Args:
        sources: In the order of preference.

    Raises:
        ConfigurationError: No source.
    """

    def __init__(self, *sources: TelemetrySource) -> None:
        if not sources:
            raise ConfigurationError("combined telemetry needs at least one source")
        self._sources = sources

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return what is known now, of every field that any source offers."""
        found: dict[str, dict[str, Reading]] = {workload.zone: {} for workload in workloads}
        for source in self._sources:
            for zone, readings in source.read(workloads).items():
                found[zone] = best_of(found.get(zone, {}), readings)
        return found


def best_of(first: Mapping[str, Reading], second: Mapping[str, Reading]) -> dict[str, Reading]:
    """Return the better reading of each field, of equals the first.

    >>> old, new = Reading(1.0, 90.0, "stale", "Stale"), Reading(2.0, 1.0, "fresh")
    >>> best_of({"users": old}, {"users": new})["users"].value
    2.0
    """
    both = {**second, **first}
    return {
        field: min(
            (readings[field] for readings in (first, second) if field in readings),
            key=lambda reading: _ORDER[reading.quality],
        )
        for field in both
    }
