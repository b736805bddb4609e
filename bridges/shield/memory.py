"""What the shield remembers: recommendations, changes and kills. A value; what follows from it is a new one.

Moments are monotonic seconds inside and Unix seconds in a checkpoint, so that a process can go on where another ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from bridges.shield.clamps import QUANTITIES
from metaverse_env.autoscaling.stabilising import Change, Log, Recommended

Array = np.ndarray

KEPT_S: Final = 3600.0
"""How long changes are kept: budgets are by the hour, and no rate policy looks further back."""


class Kill(NamedTuple):
    """A container that was killed for its memory.

    Attributes:
        noticed_s: When it was noticed.
        killed_unix_s: When it happened, by the cluster's clock: tells kills apart, and is compared with nothing else.
        floor_mb: What its zone's pods should have from then on.
        at_most: Whether they had all that is allowed.
    """

    noticed_s: float
    killed_unix_s: float
    floor_mb: float
    at_most: bool


@dataclass(frozen=True, eq=False)
class Memory:
    """What was recommended, changed and killed.

    Attributes:
        zones: Names, ``Z`` of them: the rows of all arrays.
        logs: For each quantity the recommendations ``[Z]``, before any limit.
        ups: Written increases ``[Z, 4]``, oldest first.
        downs: Written decreases ``[Z, 4]``, likewise.
        kills: By zone, oldest first.
    """

    zones: tuple[str, ...] = ()
    logs: tuple[Log, ...] = ((),) * len(QUANTITIES)
    ups: tuple[Change, ...] = ()
    downs: tuple[Change, ...] = ()
    kills: Mapping[str, tuple[Kill, ...]] = field(default_factory=dict)

    def of_zones(self, zones: tuple[str, ...], now: Array, now_s: float) -> "Memory":
        """Return the memory of these zones; one that is new starts as if it had always been wished as it is (T50).

        Args:
            zones: Names, ``Z`` of them.
            now: ``[Z, 4]``, what they have.
            now_s: The time.
        """
        if zones == self.zones:
            return self
        rows = np.array([self.zones.index(zone) if zone in self.zones else -1 for zone in zones], dtype=np.intp)
        new = rows < 0
        logs = tuple(
            (*(Recommended(_rows(one.replicas, rows, np.nan), one.time_s) for one in log), first)
            for log, first in zip(self.logs, _firsts(now, new, now_s), strict=True)
        )
        ups, downs = (
            tuple(Change(_rows(one.replicas, rows, 0.0), one.time_s) for one in changes)
            for changes in (self.ups, self.downs)
        )
        return Memory(zones, logs, ups, downs, {zone: kills for zone, kills in self.kills.items() if zone in zones})

    def with_changes(self, change: Array, now_s: float) -> "Memory":
        """Remember what was written.

        Args:
            change: ``[Z, 4]``, new less old; ``nan`` or 0 where nothing was.
            now_s: The time.
        """
        change = np.nan_to_num(change)
        if not change.any():
            return self
        ups, downs = (Change(np.maximum(sign * change, 0.0), now_s) for sign in (1.0, -1.0))
        recent = tuple(tuple(o for o in old if o.time_s > now_s - KEPT_S) for old in (self.ups, self.downs))
        return replace(self, ups=(*recent[0], ups), downs=(*recent[1], downs))

    def with_kills(self, new: Mapping[str, Sequence[Kill]], now_s: float, kept_s: float) -> "Memory":
        """Remember kills, and forget those that are long over."""
        if not new and not self.kills:
            return self
        zones = {*self.kills, *new}
        both = {zone: (*self.kills.get(zone, ()), *new.get(zone, ())) for zone in sorted(zones)}
        recent = {zone: tuple(k for k in kills if k.noticed_s > now_s - kept_s) for zone, kills in both.items()}
        return replace(self, kills={zone: kills for zone, kills in recent.items() if kills})


def _rows(values: Array, rows: Array, lacking: float) -> Array:
    """Return rows by number; ``lacking`` for number -1."""
    taken: Array = values[rows] if len(values) else np.full((len(rows), *values.shape[1:]), lacking)
    taken[rows < 0] = lacking
    return taken


def _firsts(now: Array, new: Array, now_s: float) -> list[Recommended]:
    """Return for each quantity what new zones have, as a recommendation; ``nan`` for the others."""
    return [Recommended(np.where(new, column, np.nan), now_s) for column in now.T]


def checkpoint_of(memory: Memory, now_s: float, unix_s: float) -> dict[str, Any]:
    """Return the memory as JSON, its moments in Unix seconds."""
    offset_s = unix_s - now_s

    def dated(entries: Sequence[Recommended] | Sequence[Change]) -> list[Any]:
        return [[one.time_s + offset_s, _written(one.replicas)] for one in entries]

    kills = {
        zone: [one._replace(noticed_s=one.noticed_s + offset_s)._asdict() for one in kills]
        for zone, kills in memory.kills.items()
    }
    logs = {name: dated(log) for name, log in zip(QUANTITIES, memory.logs, strict=True)}
    changes = {"ups": dated(memory.ups), "downs": dated(memory.downs)}
    return {"zones": list(memory.zones), "logs": logs, **changes, "kills": kills}


def restored(checkpoint: Mapping[str, Any], now_s: float, unix_s: float) -> Memory:
    """Return the memory of a checkpoint.

    A moment of the future, after a clock was set back, counts as now: windows then last longer, never shorter (T41).

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    offset_s = now_s - unix_s

    def moment(then_unix_s: Any) -> float:
        return min(float(then_unix_s) + offset_s, now_s)

    zones = tuple(str(zone) for zone in checkpoint["zones"])
    logs = tuple(
        tuple(Recommended(_read(values, (len(zones),)), moment(then)) for then, values in checkpoint["logs"][name])
        for name in QUANTITIES
    )
    shape = (len(zones), len(QUANTITIES))
    ups, downs = (
        tuple(Change(_read(values, shape), moment(then)) for then, values in checkpoint[name])
        for name in ("ups", "downs")
    )
    kills = {
        str(zone): tuple(
            Kill(moment(one["noticed_s"]), float(one["killed_unix_s"]), float(one["floor_mb"]), bool(one["at_most"]))
            for one in listed
        )
        for zone, listed in checkpoint["kills"].items()
    }
    return Memory(zones, logs, ups, downs, kills)


def _written(values: Array) -> Any:
    listed = values.astype(object)
    listed[np.isnan(values)] = None
    return listed.tolist()


def _read(values: Any, shape: tuple[int, ...]) -> Array:
    read = np.array(values, dtype=np.float64)  # None becomes nan
    if read.shape != shape and read.size:
        raise ValueError(f"an array of shape {read.shape}, expected {shape}")
    return read.reshape(shape)
