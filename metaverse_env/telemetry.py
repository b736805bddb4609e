"""What is observed, what truly happened, what is asked and what is believed: the values that pass between the layers.

Each wraps one structured array, so a compiled function takes it as one argument; the properties are views by name.
Arrays are batch-first, ``[worlds, zones, …]``.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from metaverse_env.errors import ActionError
from metaverse_env.simulator.records import COMMAND

Array = np.ndarray


class Records:
    """Named columns of one world, for ``info``: ``records["users"]`` is an array ``[Z]`` or ``[Z, 3]``.

    Equal when every byte is, so that two episodes of one seed compare equal.

    >>> records = Records(Command.of([[[1.0, 512.0, 50.0]]], 0.25).zones[0])
    >>> records["handover"]
    array([0.25], dtype=float32)
    >>> records
    Records(allocation=[[1. 512. 50.]], handover=[0.25])
    """

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def __getitem__(self, name: str) -> Array:
        values: Array = self.array[name]
        return values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Records):
            return NotImplemented
        return self.array.dtype == other.array.dtype and self.array.tobytes() == other.array.tobytes()

    __hash__ = None  # type: ignore[assignment]  # a mutable array inside

    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return self.array.dtype.names or ()

    def __repr__(self) -> str:
        """Show every column on one line, of many zones the first two and the last two."""
        with np.printoptions(precision=3, suppress=True, threshold=6, edgeitems=2):
            shown = (f"{name}={' '.join(str(self.array[name]).split())}" for name in self.keys())
            return f"Records({', '.join(shown)})".replace("[ ", "[").replace(" ]", "]")


class Telemetry(NamedTuple):
    """What can be observed of every zone at one tick: from a simulation or from a cluster, the same fields.

    Attributes:
        zones: Record ``[W, Z]``: ``users``; ``usage`` (cores, MB, Mbps); ``latency_p50_ms``, ``latency_ms`` (p95),
            ``latency_p99_ms``; ``age_s`` of these; ``observed`` (1: a new sample; 0: held from before, and older);
            ``allocation`` in effect and ``pending`` (cores, MB, Mbps); ``handover``; ``ready``; ``restarts``;
            ``node_free`` (share; negative when overcommitted); ``signals`` (0 masks the intent).
        weather: Record ``[W]``: ``time_s`` within the week (Monday 00:00 UTC is 0) and ``price_factor``.
        intents: ``float32 [W, Z, E]``, mean embedding of the signals of the tick; ``E`` may be 0.
    """

    zones: Array
    weather: Array
    intents: Array

    @property
    def users(self) -> Array:
        """``float32 [W, Z]``."""
        return self.zones["users"]

    @property
    def usage(self) -> Array:
        """``float32 [W, Z, 3]``: cores, MB, Mbps in use."""
        return self.zones["usage"]

    @property
    def allocation(self) -> Array:
        """``float32 [W, Z, 3]``: cores, MB, Mbps in effect."""
        return self.zones["allocation"]

    @property
    def latency_ms(self) -> Array:
        """``float32 [W, Z]``: p95 over the tick."""
        return self.zones["latency_ms"]

    @property
    def observed(self) -> Array:
        """``bool [W, Z]``: whether a new sample arrived in this tick."""
        return self.zones["observed"] > 0


class Outcome(NamedTuple):
    """What truly happened in one tick, hidden causes included; reward and ``info`` come from here.

    Attributes:
        zones: Record ``[W, Z]`` of :data:`~metaverse_env.simulator.records.OUTCOME`.
        tick_s: Length of the tick.
    """

    zones: Array
    tick_s: float


class Tick(NamedTuple):
    """The result of one step of a world.

    Attributes:
        telemetry: What was observed.
        outcome: What truly happened.
        report: What the world itself has to say of the tick, for ``info["report"]``: a cluster its skipped ticks, what
            became of commands, how good measurements are. ``None`` where there is nothing to say, as in a simulation.
    """

    telemetry: Telemetry
    outcome: Outcome
    report: Mapping[str, Any] | None = None


class Command(NamedTuple):
    """What is asked of a world for the next tick.

    Attributes:
        zones: Record ``[W, Z]``: ``allocation`` (cores, MB, Mbps) and ``handover`` (share of new sessions).
    """

    zones: Array

    @classmethod
    def of(cls, allocation: Any, handover: Any = 0.0) -> "Command":
        """Build a command.

        Args:
            allocation: ``[W, Z, 3]``: cores, MB, Mbps.
            handover: ``[W, Z]`` or one number: share of new sessions served by a neighbour.

        Raises:
            ActionError: An allocation of another shape.

        >>> Command.of([[[1.0, 512.0, 50.0]]]).handover
        array([[0.]], dtype=float32)
        """
        allocation = np.asarray(allocation, dtype=np.float32)
        if allocation.ndim != 3 or allocation.shape[2] != 3:
            raise ActionError(
                f"allocation needs shape (worlds, zones, 3), the last for cores, MB and Mbps; got {allocation.shape}"
            )
        zones = np.zeros(allocation.shape[:2], dtype=COMMAND)
        zones["allocation"], zones["handover"] = allocation, handover
        return cls(zones)

    @property
    def allocation(self) -> Array:
        """``float32 [W, Z, 3]``."""
        return self.zones["allocation"]

    @property
    def handover(self) -> Array:
        """``float32 [W, Z]``."""
        return self.zones["handover"]


class Forecast(NamedTuple):
    """What is believed about the future of every zone.

    Attributes:
        values: ``float32 [W, Z, len(ticks), 4, 3]``: targets (cores, MB, Mbps, ms) by quantiles .5 .9 .99. The first
            three are demand, what users would consume if nothing limited them: of memory, what its use tends to.
        ticks: How many ticks ahead each entry is, ascending, from 1.
    """

    values: Array
    ticks: tuple[int, ...]

    def at(self, tick: int) -> Array:
        """Return ``[W, Z, 4, 3]`` for one of the ticks ahead."""
        return self.values[:, :, self.ticks.index(tick)]
