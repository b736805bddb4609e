"""What the API server sends, taken apart: absent is empty, of the wrong kind is an error that names the place.

Documents are JSON as it came. Bounds keep a broken or hostile answer from filling the memory.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridges.errors import MalformedError
from bridges.kubernetes.quantities import parse
from metaverse_env.errors import ConfigurationError

Document = Mapping[str, Any]

MOST_TEXT = 1 << 20
"""The longest text that is taken, in characters: what etcd stores of an object is no more."""
MOST_WHOLE = 1 << 53
_LONG_FRACTION = re.compile(r"\.(\d{6})\d+")


def broken(where: str, expected: str, value: object) -> MalformedError:
    """Return the error for a value of the wrong kind, with no more of it than helps."""
    return MalformedError(f"{where}: expected {expected}, not {str(value)[:80]!r} ({type(value).__name__})")


def part(document: Document, *keys: str) -> Document:
    """Return the object below some keys; empty where one is absent.

    >>> part({"spec": {"template": {"a": 1}}}, "spec", "template"), part({}, "spec")
    ({'a': 1}, {})
    """
    at: Any = document
    for depth, key in enumerate(keys):
        at = at.get(key)
        if at is None:
            return {}
        if not isinstance(at, Mapping):
            raise broken(".".join(keys[: depth + 1]), "an object", at)
    return at  # type: ignore[no-any-return]


def rows(document: Document, *keys: str, most: int = 100_000) -> list[Document]:
    """Return the objects of a list below some keys; none where it is absent."""
    found = part(document, *keys[:-1]).get(keys[-1])
    if found is None:
        return []
    where = ".".join(keys)
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise broken(where, "a list of objects", found)
    if len(found) > most:
        raise MalformedError(f"{where}: {len(found)} items, more than {most}")
    return found


def text(document: Document, *keys: str) -> str:
    """Return a text below some keys; ``""`` where it is absent."""
    found = part(document, *keys[:-1]).get(keys[-1])
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > MOST_TEXT:
        raise broken(".".join(keys), "a text", found)
    return found


def quantity(value: object, where: str) -> Decimal:
    """Return a quantity's value."""
    try:
        return parse(value if isinstance(value, str) else str(value))
    except ConfigurationError as error:
        raise MalformedError(f"{where}: {error}") from error


def flag(document: Document, *keys: str) -> bool:
    """Return a truth below some keys; false where it is absent."""
    found = part(document, *keys[:-1]).get(keys[-1], False)
    if not isinstance(found, bool):
        raise broken(".".join(keys), "true or false", found)
    return found


def whole(document: Document, *keys: str, default: int = 0) -> int:
    """Return a count below some keys; ``default`` is what Kubernetes takes an absent one for."""
    found = part(document, *keys[:-1]).get(keys[-1])
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < MOST_WHOLE:
        raise broken(".".join(keys), "a whole number from 0", found)
    return found


def texts(document: Document, *keys: str) -> dict[str, str]:
    """Return labels or annotations below some keys."""
    found = part(document, *keys)
    for key, value in found.items():
        if not isinstance(value, str):
            raise broken(f"{'.'.join(keys)}.{key}", "a text", value)
    return dict(found)


def moment(document: Document, *keys: str) -> float | None:
    """Return a time below some keys as Unix seconds; ``None`` where it is absent.

    >>> moment({"startTime": "2026-01-01T00:00:00Z"}, "startTime")
    1767225600.0
    """
    written = text(document, *keys)
    if not written:
        return None
    try:
        read = datetime.fromisoformat(_LONG_FRACTION.sub(r".\1", written))
    except ValueError:
        raise broken(".".join(keys), "a time as in RFC 3339", written) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def condition(document: Document, kind: str) -> Document:
    """Return the status condition of a type; empty where there is none."""
    return next((row for row in rows(document, "status", "conditions") if row.get("type") == kind), {})


def name_of(document: Document) -> str:
    """Return an object's name, which every object has."""
    name = text(document, "metadata", "name")
    if not name:
        raise MalformedError(f"{document.get('kind', 'an object')} without metadata.name")
    return name
