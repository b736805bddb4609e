"""What the controller sees of the world goes through here, so that every input of a decision is known and kept."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from bridges.contracts import Change, Clock, Cluster, Readings, Receipt, Snapshot, TelemetrySource, Verifier, Workload
from bridges.errors import ShutError, UnavailableError
from metaverse_env.errors import ClusterError

_FIRST_WAIT_S: Final = 0.1
_TRIES: Final = 4


class Moments:
    """A clock that stands still within a cycle: whatever is asked when, a decision has one time.

    Args:
        clock: Read at the start of every cycle, and waited with.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.refresh()

    def refresh(self) -> None:
        """Take the time of now."""
        self._moment_s, self._unix_s = self._clock.monotonic_s(), self._clock.unix_s()

    def monotonic_s(self) -> float:
        """Return the seconds at the cycle's start."""
        return self._moment_s

    def unix_s(self) -> float:
        """Return the Unix time at the cycle's start."""
        return self._unix_s

    def wait_until(self, monotonic_s: float) -> None:
        """Wait, and begin a new cycle."""
        self._clock.wait_until(monotonic_s)
        self.refresh()


class Watched:
    """A cluster and its telemetry, as they were read last.

    Args:
        cluster: What is read and written.
        source: What measures it.
        clock: For waits between tries.
        budget_s: How long it may be tried to get an answer from a source that is away, s (T4).
        draw: Uniform in [0, 1), for waits.
        stopping: Whether the process is asked to end; then nobody is asked any more.
    """

    def __init__(
        self,
        cluster: Cluster,
        source: TelemetrySource,
        clock: Clock,
        budget_s: float,
        draw: Callable[[], float] = random.random,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.cluster, self.source, self._clock = cluster, source, clock
        self._budget_s, self._draw, self._stopping = budget_s, draw, stopping
        self.snapshot: Snapshot | None = None
        self.readings: Readings = {}
        self.error: ClusterError | None = None

    def read(self) -> Snapshot:
        """Return how things stand; the :class:`~bridges.contracts.Cluster` of a world.

        Raises:
            ClusterError: The cluster cannot be read.
        """
        self.error = None
        try:
            if self._stopping() and self.snapshot is not None:
                raise UnavailableError("not read: asked to stop")
            self.snapshot = self.cluster.read()
        except ClusterError as error:
            self.error = error
            raise
        return self.snapshot

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Refuse: a world only looks, and the controller writes itself.

        Raises:
            UnavailableError: Always.
        """
        raise UnavailableError("a world that is only watched was asked to write")

    def measure(self, workloads: Sequence[Workload]) -> Readings:
        """Return what is known, asking again within the budget while nothing at all is."""
        if self._stopping():
            return self.readings
        until_s = self._clock.monotonic_s() + self._budget_s
        for attempt in range(_TRIES):
            self.readings = self.source.read(workloads)
            wait_s = self._draw() * _FIRST_WAIT_S * 2**attempt
            if _anything(self.readings) or self._clock.monotonic_s() + wait_s >= until_s:
                break
            self._clock.wait_until(self._clock.monotonic_s() + wait_s)
        return self.readings

    @property
    def telemetry(self) -> TelemetrySource:
        """The source of a world: this one, patient and watched."""
        return _Measured(self)

    @property
    def verifier(self) -> Verifier | None:
        """The cluster, if it looks after what it wrote."""
        return self.cluster if isinstance(self.cluster, Verifier) else None


class _Measured:
    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def read(self, workloads: Sequence[Workload]) -> Readings:
        return self._watched.measure(workloads)


def _anything(readings: Readings) -> bool:
    return any(reading.quality == "fresh" for fields in readings.values() for reading in fields.values())


class OneByOne:
    """A cluster whose writes pass a door one by one: for one in memory, which has none of its own.

    Args:
        cluster: What is written.
        check: Called before each write; raises :class:`~bridges.controller.gate.ShutError` to drop it.
    """

    def __init__(self, cluster: Cluster, check: Callable[[], None]) -> None:
        self._cluster, self._check = cluster, check

    def read(self) -> Snapshot:
        """Return how things stand."""
        return self._cluster.read()

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Ask for changes, each only while the door is open."""
        return tuple(self._one(change, snapshot, dry_run) for change in changes)

    def _one(self, change: Change, snapshot: Snapshot, dry_run: bool) -> Receipt:
        try:
            if not dry_run:
                self._check()
        except ShutError as shut:
            return Receipt(change, "skipped", "Fenced", f"zone {change.zone!r}: {shut}")
        return self._cluster.write((change,), snapshot, dry_run)[0]
