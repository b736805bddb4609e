"""What a namespace allows: its LimitRanges and ResourceQuotas, read into whole units."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from bridges.contracts import Amounts, Bounds
from bridges.kubernetes.documents import Document, name_of, part, quantity, rows, text
from bridges.kubernetes.sizes import Ratios, Size, amounts_of

QUOTA_UNITS = {
    "requests.cpu": 1000,
    "cpu": 1000,
    "limits.cpu": 1000,
    "requests.memory": 1,
    "memory": 1,
    "limits.memory": 1,
    "pods": 1,
}
"""Names that a quota may give what pods use, and how many of our units one of theirs is."""
SAME = {"cpu": "requests.cpu", "memory": "requests.memory"}
OTHER_PODS = frozenset({"Terminating", "BestEffort"})
"""Scopes of quotas that never count pods that serve and ask for something."""


class Range(NamedTuple):
    """What one LimitRange wants of every container, or of every pod as a whole.

    Attributes:
        name: Of the LimitRange.
        kind: ``"Container"`` or ``"Pod"``.
        least: Of requests and limits.
        most: Of requests and limits; a limit must be given.
        ratio: The most of limit over request; both must be given.
    """

    name: str
    kind: str
    least: Size
    most: Size
    ratio: Ratios


class Quota(NamedTuple):
    """What is left of one ResourceQuota: names as in :data:`QUOTA_UNITS`, ``requests.`` always written."""

    name: str
    left: Mapping[str, int]


class Rules(NamedTuple):
    """All of a namespace."""

    ranges: tuple[Range, ...] = ()
    quotas: tuple[Quota, ...] = ()


def read_rules(limit_ranges: Iterable[Document], quotas: Iterable[Document]) -> Rules:
    """Return the rules of a namespace."""
    ranges = [item for document in limit_ranges for item in _ranges(document)]
    return Rules(tuple(ranges), tuple(_quota(document) for document in quotas if _counts_us(document)))


def _ranges(document: Document) -> Iterable[Range]:
    for item in rows(document, "spec", "limits", most=100):
        if item.get("type") in {"Container", "Pod"}:
            ratio = part(item, "maxLimitRequestRatio")
            ratios = [Fraction(quantity(ratio[key], key)) if key in ratio else None for key in ("cpu", "memory")]
            least, most = _size(part(item, "min"), up=True), _size(part(item, "max"), up=False)
            yield Range(name_of(document), text(item, "type"), least, most, Ratios(*ratios))


def _size(found: Document, *, up: bool) -> Size:
    rounding = math.ceil if up else math.floor
    pairs = (("cpu", 1000), ("memory", 1))
    return Size(*(rounding(quantity(found[key], key) * per) if key in found else None for key, per in pairs))


def _counts_us(document: Document) -> bool:
    """Return whether a quota counts pods that serve: those that select by priority are left to the server."""
    scopes = part(document, "spec").get("scopes") or []
    return not OTHER_PODS & set(map(str, scopes)) and not part(document, "spec", "scopeSelector")


def _quota(document: Document) -> Quota:
    hard = part(document, "status", "hard") or part(document, "spec", "hard")
    used = part(document, "status", "used")
    left: dict[str, int] = {}
    for key in QUOTA_UNITS.keys() & hard.keys():
        free = quantity(hard[key], key) - quantity(used.get(key, "0"), key)
        name = SAME.get(key, key)
        left[name] = min(math.floor(free * QUOTA_UNITS[key]), left.get(name, 1 << 60))
    return Quota(name_of(document), left)


def bounds_of(rules: Rules) -> Bounds:
    """Return the rules as controllers see them: the strictest of each."""
    containers = [item for item in rules.ranges if item.kind == "Container"]
    least = [max(_said(item.least[side] for item in containers), default=None) for side in (0, 1)]
    most = [min(_said(item.most[side] for item in containers), default=None) for side in (0, 1)]
    left = [
        min(_said(quota.left.get(key) for quota in rules.quotas), default=None)
        for key in ("requests.cpu", "requests.memory")
    ]
    return Bounds(amounts_of(Size(*least)), amounts_of(Size(*most)), _not_negative(amounts_of(Size(*left))))


def _said(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _not_negative(amounts: Amounts) -> Amounts:
    return Amounts(*(None if value is None else max(0.0, value) for value in amounts))
