"""Who may write: one of several replicas, by a Lease of ``coordination.k8s.io``; judgement without any I/O.

A holder renews the lease again and again. Others measure, by their own monotonic clock, for how long it has not
changed, and take it once that is longer than the holder itself promised; times that stand in the lease are of
somebody else's clock and only for people (T49). The holder stops acting earlier than that: ``renew_deadline_s`` after
the *sending* of its latest successful renewal (T46).
"""

import math
import re
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal, NamedTuple

from bridges.errors import MalformedError
from bridges.kubernetes.resources import Json
from metaverse_env.errors import ConfigurationError

INSTALLATION = "metaverse-env.dev/installation"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "metaverse-bridge"
LEASE = "metaverse-bridge"
"""Name of the lease that all who write to a namespace's zones share, unless they are told another."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")

Step = Literal["create", "take", "renew", "wait"]


def unique_identity() -> str:
    """Return a name that no other process has, nor this one after a restart."""
    return f"{socket.gethostname()}_{token_hex(8)}"


@dataclass(frozen=True, kw_only=True)
class LeaseSettings:
    """How leadership is held.

    Attributes:
        namespace: Of the lease.
        name: Of the lease. Replicas of one installation share it; installations side by side need different ones (T51).
        installation: Label of the lease, so that another installation with the same name is noticed.
        identity: Of this replica.
        duration_s: Promised by the holder: others wait so long after its latest change. Whole seconds.
        renew_deadline_s: The holder acts no longer than this after it sent its latest renewal. What it sent before
            has the difference to ``duration_s`` to arrive.
        retry_s: Between tries, of the holder and of those that wait.
    """

    namespace: str
    name: str = LEASE
    installation: str = "default"
    identity: str = field(default_factory=unique_identity)
    duration_s: int = 15
    renew_deadline_s: float = 10.0
    retry_s: float = 1.5

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.installation):
            raise ConfigurationError(
                f"installation {self.installation!r}: 1 to 42 small letters, digits and - inside are possible"
            )
        if not (self.identity and self.namespace and self.name):
            raise ConfigurationError("a lease needs a namespace, a name and an identity that no other replica has")
        if type(self.duration_s) is not int or self.duration_s < 1:
            raise ConfigurationError(f"duration_s {self.duration_s!r}: a whole number of seconds from 1 on is needed")
        if not 0 < 2 * self.retry_s <= self.renew_deadline_s < self.duration_s:
            raise ConfigurationError(
                f"retry_s {self.retry_s:g}, renew_deadline_s {self.renew_deadline_s:g}, duration_s {self.duration_s}: "
                "twice the first has to fit into the second, which has to be below the third"
            )


class Record(NamedTuple):
    """A lease as it stands.

    Attributes:
        holder: Identity, or ``""`` after a release.
        duration_s: What the holder promised.
        epoch: ``leaseTransitions``: how often it changed hands; what a former holder wrote has a smaller one.
        version: ``resourceVersion``.
        ours: Whether a replica of this installation made it.
    """

    holder: str
    duration_s: float
    epoch: int
    version: str
    ours: bool


class Sight(NamedTuple):
    """A record, and since when (monotonic) it has been seen like this."""

    record: Record
    since_s: float


class Held(NamedTuple):
    """Leadership: its epoch, and the monotonic time until which it may be used."""

    epoch: int
    until_s: float


def read_record(lease: Json, settings: LeaseSettings) -> Record:
    """Return what a Lease says.

    Raises:
        MalformedError: It is none.
    """
    try:
        metadata, spec = lease["metadata"], lease.get("spec") or {}
        labels = metadata.get("labels") or {}
        ours = labels.get(MANAGED_BY) == MANAGER and labels.get(INSTALLATION) == settings.installation
        duration_s = float(spec.get("leaseDurationSeconds") or 0)
        holder, epoch = str(spec.get("holderIdentity") or ""), int(spec.get("leaseTransitions") or 0)
        return Record(holder, duration_s, epoch, metadata["resourceVersion"], ours)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedError(f"Lease {settings.namespace}/{settings.name} cannot be read: {error!r}") from error


def look(before: Sight | None, record: Record, now_s: float) -> Sight:
    """Return how long a record has been the same; one that is seen for the first time is new."""
    if before is not None and before.record.version == record.version:
        return before
    return Sight(record, now_s)


def decide(sight: Sight | None, settings: LeaseSettings, leading: bool, now_s: float) -> Step:
    """Return what to do about a lease. One that is ours after we slept too long is taken anew, in another epoch.

    Args:
        sight: ``None`` where there is no lease.
        settings: Ours.
        leading: Whether we may still act.
        now_s: Monotonic time.

    Raises:
        ConfigurationError: The lease is another application's (T51).
    """
    if sight is None:
        return "create"
    record = sight.record
    if not record.ours:
        raise ConfigurationError(
            f"Lease {settings.namespace}/{settings.name}, held by {record.holder!r}, belongs to another application or "
            "installation: it lacks our labels. Choose another name"
        )
    if record.holder == settings.identity:
        return "renew" if leading else "take"
    free = not record.holder or now_s >= sight.since_s + max(record.duration_s, 1.0)
    return "take" if free else "wait"


def lease_body(step: Step, settings: LeaseSettings, lease: Json | None, last_epoch: int, unix_s: float) -> Json:
    """Return the Lease to write.

    Args:
        step: ``"create"``, ``"take"`` or ``"renew"``.
        settings: Ours.
        lease: As it was read, or ``None``.
        last_epoch: The greatest that was ever seen, -1 for none: a lease that was deleted does not start anew.
        unix_s: For people.
    """
    now = micro_time(unix_s)
    metadata, spec = (lease or {}).get("metadata", {}), dict((lease or {}).get("spec") or {})
    if step != "renew":
        epoch = max(int(spec.get("leaseTransitions") or 0) if lease else -1, last_epoch) + 1
        spec |= {"acquireTime": now, "leaseTransitions": epoch, "holderIdentity": settings.identity}
    spec |= {"renewTime": now, "leaseDurationSeconds": settings.duration_s}
    labels = {MANAGED_BY: MANAGER, INSTALLATION: settings.installation}
    return {
        "metadata": {**metadata, "name": settings.name, "labels": {**metadata.get("labels", {}), **labels}},
        "spec": spec,
    }


def released_body(lease: Json, unix_s: float) -> Json:
    """Return the Lease with nobody holding it, so that another replica need not wait (T47)."""
    spec: dict[str, Any] = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": micro_time(unix_s)}
    return {**lease, "spec": {**lease["spec"], **spec}}


def micro_time(unix_s: float) -> str:
    """Return a time as MicroTime. Its microsecond is never 0, which some clients drop and old servers need (T48).

    >>> micro_time(1767225600.0), micro_time(1767225600.5)
    ('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.500000Z')
    """
    whole = math.floor(unix_s)
    micro = min(999_999, max(1, round((unix_s - whole) * 1e6)))
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{micro:06d}Z"
