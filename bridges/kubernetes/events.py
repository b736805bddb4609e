"""Events of the API (events.k8s.io/v1): what happened to a zone, where people look for it, without a flood.

The first of its kind makes an event; the next ones count up its series, at most once in a while. None is worth a
failed cycle: what cannot be written is counted and logged. In shadow mode there is no recorder.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Literal, NamedTuple

from bridges.contracts import Receipt, Workload
from bridges.errors import ConflictError, NotFoundError, OutcomeUnknownError
from bridges.kubernetes.lease import micro_time
from bridges.kubernetes.resources import DEPLOYMENTS, EVENTS, Json
from metaverse_env.errors import ClusterError

if TYPE_CHECKING:
    from bridges.kubernetes.objects import Objects

logger = logging.getLogger(__name__)

CONTROLLER = "metaverse-env.dev/bridge"
MOST_NOTE_BYTES = 1024
MOST_WORD = 128
MOST_NAME = 253
SERIES_S = 360.0
"""A series ends after so long without another one, s; as in client-go."""
FLUSH_S = 60.0
"""A series is written at most so often, s."""
MOST_SERIES = 4096
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")

Type = Literal["Normal", "Warning"]


class Happening(NamedTuple):
    """What happened.

    Attributes:
        type: Whether somebody should look.
        reason: One word such as ``"SuccessfulRescale"``.
        action: What was done, in one word.
        note: For people.
    """

    type: Type
    reason: str
    action: str
    note: str


class Series(NamedTuple):
    """An event that was written.

    Attributes:
        name: Of the event.
        version: ``resourceVersion``.
        times: How often it happened, those not yet written included.
        last_s: Monotonic time of the latest.
        written_s: Monotonic time of the latest writing.
    """

    name: str
    version: str
    times: int
    last_s: float
    written_s: float


def happening_of(receipt: Receipt) -> Happening | None:
    """Return what a receipt is worth telling; ``None`` for what changed nothing and is as it should be."""
    if receipt.result == "written" and not receipt.code:
        return Happening("Normal", "SuccessfulRescale", "Rescale", receipt.change.reason or "changed as decided")
    if receipt.result in {"refused", "failed", "written"}:
        reason = receipt.code if _WORD.fullmatch(receipt.code) else "FailedRescale"
        return Happening("Warning", reason, "Rescale", receipt.message or "no reason was given")
    return None


def event_name(deployment: str, random_hex: str) -> str:
    """Return a valid name that begins with the Deployment's.

    >>> event_name("zone-1", "17ab")
    'zone-1.17ab'
    """
    return f"{deployment[: MOST_NAME - 1 - len(random_hex)].rstrip('.-')}.{random_hex}"


def clip(text: str, most_bytes: int) -> str:
    """Return as much of a text as fits into so many bytes of UTF-8.

    >>> clip("zone 広場 is full", 11)
    'zone 広…'
    """
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"


def event_body(workload: Workload, happening: Happening, name: str, instance: str, unix_s: float) -> Json:
    """Return an event about a Deployment."""
    regarding = {"apiVersion": DEPLOYMENTS.api_version, "kind": DEPLOYMENTS.kind, "uid": workload.uid}
    return {
        "metadata": {"name": name},
        "eventTime": micro_time(unix_s),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:MOST_WORD],
        "action": happening.action[:MOST_WORD],
        "reason": happening.reason[:MOST_WORD],
        "type": happening.type,
        "regarding": {**regarding, "name": workload.name, "namespace": workload.namespace},
        "note": clip(happening.note, MOST_NOTE_BYTES),
    }


class EventRecorder:
    """Writes events; owns the series.

    Args:
        client: Of the API.
        instance: Identity of this replica.
    """

    def __init__(self, client: "Objects", instance: str) -> None:
        self._client, self._clock, self._instance = client, client.clock, instance
        self._series: dict[tuple[str, str, str], Series] = {}
        self.lost = 0
        """How many could not be written."""

    def tell(self, receipts: Sequence[Receipt], workloads: Mapping[str, Workload], within_s: float = 2.0) -> None:
        """Write what receipts are worth; those for which there is no time are lost.

        Args:
            receipts: What became of changes.
            workloads: By zone.
            within_s: How long it may take, s.
        """
        until_s = self._clock.monotonic_s() + within_s
        for receipt in receipts:
            happening, workload = happening_of(receipt), workloads.get(receipt.change.zone)
            if happening is None or workload is None:
                continue
            if self._clock.monotonic_s() < until_s:
                self.record(workload, happening)
            else:
                self.lost += 1

    def record(self, workload: Workload, happening: Happening) -> None:
        """Write an event, or count up one that goes on."""
        key, now_s = (workload.uid, happening.type, happening.reason), self._clock.monotonic_s()
        series = self._series.get(key)
        if series is not None and now_s - series.last_s > SERIES_S:
            series = None
        try:
            self._series[key] = self._go_on(workload, happening, series, now_s)
        except ClusterError as error:
            self.lost += 1
            logger.warning("event %s of %s was not written: %s", happening.reason, workload.zone, error)
        self._forget(now_s)

    def _go_on(self, workload: Workload, happening: Happening, series: Series | None, now_s: float) -> Series:
        if series is None:
            return self._begin(workload, happening, now_s)
        series = series._replace(times=series.times + 1, last_s=now_s)
        if now_s - series.written_s < FLUSH_S:
            return series
        told = {"count": series.times, "lastObservedTime": micro_time(self._clock.unix_s())}
        body = {"metadata": {"resourceVersion": series.version}, "series": told}
        try:
            made = self._client.patch(EVENTS.at(workload.namespace, series.name), body, kind="merge")
        except (NotFoundError, ConflictError, OutcomeUnknownError):  # it is gone after an hour; then a new one begins
            return self._begin(workload, happening, now_s)
        return series._replace(version=made["metadata"]["resourceVersion"], written_s=now_s)

    def _begin(self, workload: Workload, happening: Happening, now_s: float) -> Series:
        name = event_name(workload.name, token_hex(8))
        body = event_body(workload, happening, name, self._instance, self._clock.unix_s())
        made = self._client.create(EVENTS.at(workload.namespace), body)
        return Series(name, made["metadata"]["resourceVersion"], 1, now_s, now_s)

    def _forget(self, now_s: float) -> None:
        if len(self._series) > MOST_SERIES:
            self._series = {key: one for key, one in self._series.items() if now_s - one.last_s <= SERIES_S}
