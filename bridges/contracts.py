"""What the bridge needs of a cluster, of a source of telemetry and of a clock: the real ones and those in memory alike.

Amounts are in the project's units (cores, MB of 10^6 bytes, Mbps); Kubernetes' quantities exist only in
:mod:`bridges.kubernetes`. Moments are seconds of a :class:`Clock`: monotonic for windows, leases and ages, Unix time
for what is shown to people. A value that is not there is ``None``, never 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from bridges.workloads import Amounts, Bounds, Node, Pod, Rollout, Snapshot, Workload
from metaverse_env.telemetry import Command

__all__ = [
    "FIELDS",
    "Amounts",
    "Bounds",
    "Change",
    "Clock",
    "Cluster",
    "Node",
    "Pod",
    "Projection",
    "Quality",
    "Reading",
    "Readings",
    "Receipt",
    "Result",
    "Rollout",
    "Snapshot",
    "TelemetrySource",
    "Workload",
]

FIELDS = (
    "users",
    "cpu_cores",
    "memory_mb",
    "bandwidth_mbps",
    "latency_p50_ms",
    "latency_ms",
    "latency_p99_ms",
    "requests_per_s",
    "violated_share",
)
"""What can be read of a zone. ``latency_ms`` is the p95; ``violated_share`` is of requests above the objective."""

Quality = Literal["fresh", "stale", "missing", "rejected"]
"""``stale``: older than is allowed; ``missing``: there is none; ``rejected``: there is one that cannot be true."""
Result = Literal["written", "unchanged", "dry_run", "skipped", "refused", "failed"]
"""``unchanged``: the cluster has it already; ``skipped``: not now; ``refused``: not as it stands; ``failed``: tried."""


class Change(NamedTuple):
    """What is asked of one zone. ``None`` leaves a part as it is.

    Attributes:
        zone: Its name.
        requests: CPU and memory of one pod.
        replicas: How many pods.
        bandwidth_mbps: Egress of one pod.
        handover: Share of new sessions for its neighbours: zone name to share.
        reason: Why, for events and records.
    """

    zone: str
    requests: Amounts | None = None
    replicas: int | None = None
    bandwidth_mbps: float | None = None
    handover: Mapping[str, float] | None = None
    reason: str = ""


class Receipt(NamedTuple):
    """What became of a change.

    Attributes:
        change: As it was asked.
        result: What became of it.
        code: One word for metrics, such as ``"Conflict"``, ``"RBACDenied"``, ``"OwnedByHPA"``, ``""`` when written.
        message: For people: value, limit, unit, zone, remedy.
        advice: Parts that were not written because nothing here honours them, in words.
        version: ``resourceVersion`` after the write.
    """

    change: Change
    result: Result
    code: str = ""
    message: str = ""
    advice: tuple[str, ...] = ()
    version: str = ""


class Reading(NamedTuple):
    """One measured value.

    Attributes:
        value: In the unit of its field; ``None`` unless fresh or stale.
        age_s: How old it is, s; ``None`` where there is none.
        quality: Whether it may be used.
        code: Why not, in one word such as ``"ClockSkew"``; ``""`` when fresh.
    """

    value: float | None
    age_s: float | None
    quality: Quality
    code: str = ""


Readings = Mapping[str, Mapping[str, Reading]]
"""Zone to field to reading. A field that a source does not offer is absent."""


@runtime_checkable
class Clock(Protocol):
    """Time, injected so that tests need not wait."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        ...

    def unix_s(self) -> float:
        """Return seconds since 1970, UTC."""
        ...

    def wait_until(self, monotonic_s: float) -> None:
        """Return then, or sooner when told to stop."""
        ...


@runtime_checkable
class Cluster(Protocol):
    """Zones that are workloads. Errors are :class:`~metaverse_env.errors.ClusterError`."""

    def read(self) -> Snapshot:
        """Return how things stand; makes no change."""
        ...

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Ask for changes, given what was read; one receipt each, in their order. One that fails stops no other."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """A :class:`Cluster` that looks after what it wrote; whoever acts calls it once a cycle, after reading."""

    def verify(self, snapshot: Snapshot) -> tuple[Receipt, ...]:
        """Judge earlier writes by what was read since, and put right, once, those that cannot come about.

        Returns one receipt for each zone of which there is something to tell: ``written`` where the last good values
        were put back or pods brought in line, ``failed`` where that did not help, ``refused`` where others undo what
        is written. Zones whose writes came about are left out.
        """
        ...


@runtime_checkable
class Projection(Protocol):
    """A shield in use: nothing is written to a cluster that it did not let through."""

    def project(
        self, command: Command, snapshot: Snapshot, readings: Readings, now_s: float
    ) -> tuple[tuple[Change, ...], tuple[Any, ...]]:
        """Return what may be asked for a command of one world, and every clamp with its reason.

        A zone of which nothing may be changed now has no change. Asks nobody: it decides by what it is given, and by
        what it was told was written.
        """
        ...

    def wrote(self, receipts: Sequence[Receipt], now_s: float) -> None:
        """Take note of what became of changes."""
        ...


@runtime_checkable
class TelemetrySource(Protocol):
    """Something that measures zones."""

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return what is known now. A source that is away gives ``missing`` readings with its reason, not an error."""
        ...
