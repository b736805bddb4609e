"""Conditions of the zones, as the API writes them, in one ConfigMap of the bridge.

They are not on the Deployments: each write there is one more that GitOps may undo and that others' preconditions fail
on, and the zones' owners did not ask for it. One object holds all zones, is written only when something changed, and
zones that are gone go from it by themselves (server-side apply). In shadow mode it is not written.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from bridges.errors import RejectedError
from bridges.kubernetes.events import clip
from bridges.kubernetes.resources import CONFIG_MAPS

if TYPE_CHECKING:
    from bridges.kubernetes.objects import Objects

NAME: Final = "metaverse-bridge-status"
TYPES: Final = ("AbleToScale", "ScalingActive", "ScalingLimited", "FieldManagerConflict", "RBACDenied")
"""The first three are HorizontalPodAutoscaler's."""
MOST_MESSAGE_BYTES: Final = 160
MOST_BYTES: Final = 900_000
"""A ConfigMap holds 1 MiB; with more zones than fit, messages go first."""
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class Condition(NamedTuple):
    """One condition of one zone.

    Attributes:
        type: One of ``TYPES``.
        status: ``None`` where it is not known.
        reason: One word.
        message: For people.
        since_s: Unix time of the latest change of the status.
    """

    type: str
    status: bool | None
    reason: str
    message: str = ""
    since_s: float = 0.0


Conditions = Mapping[str, tuple[Condition, ...]]
"""Zone to its conditions."""


def since(before: Iterable[Condition], now: Iterable[Condition], unix_s: float) -> tuple[Condition, ...]:
    """Return conditions with the time since when their status has been the same, sorted by type."""
    known = {one.type: one for one in before}

    def begun_s(one: Condition) -> float:
        old = known.get(one.type)
        return old.since_s if old is not None and old.status == one.status else unix_s

    return tuple(one._replace(since_s=begun_s(one)) for one in sorted(now))


def encode(conditions: Iterable[Condition], messages: bool = True) -> str:
    """Return conditions as the API would write them."""
    return json.dumps([_written(one, messages) for one in conditions], separators=(",", ":"), ensure_ascii=False)


def _written(one: Condition, messages: bool) -> dict[str, str]:
    when = datetime.fromtimestamp(int(one.since_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = "Unknown" if one.status is None else str(one.status)
    found = {"type": one.type, "status": status, "reason": one.reason, "lastTransitionTime": when}
    return {**found, "message": clip(one.message, MOST_MESSAGE_BYTES)} if messages and one.message else found


def data_of(conditions: Conditions) -> dict[str, str]:
    """Return the ConfigMap's data: a key for each zone.

    Raises:
        RejectedError: A zone's name cannot be a key, or there are more zones than fit.
    """
    for zone in conditions:
        if not _KEY.fullmatch(zone):
            raise RejectedError(f"zone {zone!r} cannot be a key of a ConfigMap: letters, digits and -._ can")
    for messages in (True, False):
        data = {zone: encode(each, messages) for zone, each in sorted(conditions.items())}
        if sum(len(zone) + len(text.encode()) for zone, text in data.items()) <= MOST_BYTES:
            return data
    raise RejectedError(f"the conditions of {len(conditions)} zones do not fit into a ConfigMap of 1 MiB")


class ConditionBoard:
    """Writes the conditions; owns what was written last.

    Args:
        client: Of the API.
        namespace: Of the ConfigMap.
        name: Of the ConfigMap.
    """

    def __init__(self, client: "Objects", namespace: str, name: str = NAME) -> None:
        self._client, self._target = client, CONFIG_MAPS.at(namespace, name)
        self._conditions: dict[str, tuple[Condition, ...]] = {}
        self._written: dict[str, str] | None = None

    def show(self, conditions: Mapping[str, Iterable[Condition]]) -> bool:
        """Write the conditions of all zones if any changed; return whether it was written.

        Raises:
            ClusterError: It was not; the next call tries again.
        """
        unix_s, before = self._client.clock.unix_s(), self._conditions
        self._conditions = {zone: since(before.get(zone, ()), now, unix_s) for zone, now in conditions.items()}
        data = data_of(self._conditions)
        if data == self._written:
            return False
        self._written = None
        self._client.apply(self._target, {"data": data})
        self._written = data
        return True
