"""What the API server's answers mean: an object, or the error that says what to do about it."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, NoReturn

from bridges.errors import (
    ConflictError,
    DeniedError,
    ExpiredError,
    MalformedError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    UnauthorisedError,
    UnavailableError,
)
from bridges.kubernetes.resources import Json

MOST_SHOWN = 300
_MANAGER = re.compile(r'conflict with "([^"]*)"')
_NOT_ALLOWED = re.compile(r'cannot \S+ (resource|path)|User "[^"]*" cannot ')
NOT_DONE = frozenset({429, 503})
"""Said before anything is done: too many, or not ready. After 500, 502 and 504 a write may yet have been done."""


class Request(NamedTuple):
    """What is asked.

    Attributes:
        method: Of HTTP.
        target: Path with query.
        body: JSON, or ``None``.
        content_type: Of the body.
        verb: As roles name it.
        title: Resource and object, for messages.
        changes: Whether it may change something: reads and dry runs do not.
    """

    method: str
    target: str
    body: bytes | None = None
    content_type: str = "application/json"
    verb: str = "get"
    title: str = ""
    changes: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {self.title}"


class Answer(NamedTuple):
    """What came back: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def judge(request: Request, answer: Answer, unix_s: float) -> Json:
    """Return the object of an answer.

    Args:
        request: What was asked.
        answer: What came back.
        unix_s: The time, for an answer that says until when to wait.

    Raises:
        ClusterError: One of :mod:`bridges.errors`, by what to do about it.
    """
    if not 200 <= answer.status < 300:
        _refuse(request, answer, unix_s)
    try:
        return parse(answer.body)
    except ValueError as error:
        _unreadable(request, f"{answer.status} with {shorten(answer.body)!r}: {error}", error)


def parse(body: bytes) -> Json:
    """Return a JSON object.

    Raises:
        ValueError: It is something else.
    """
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"an object was expected, not {type(found).__name__}")
    return found


def _unreadable(request: Request, why: str, cause: Exception) -> NoReturn:
    if request.changes:
        raise OutcomeUnknownError(f"{request}: the answer cannot be read ({why}); read back what was done") from cause
    raise MalformedError(f"{request}: the answer is not what the API promises ({why})") from cause


def _refuse(request: Request, answer: Answer, unix_s: float) -> NoReturn:
    status = read_status(answer.body)
    message = f"{request}: {answer.status} {status.get('message') or shorten(answer.body) or 'without a word'}"
    if answer.status == 409:
        raise ConflictError(message, conflicts(status))
    if answer.status == 403:
        raise _denied(request, status, message)
    if answer.status in NOT_DONE or (answer.status >= 500 and not request.changes):
        raise UnavailableError(message, retry_after_s(answer, unix_s))
    if answer.status >= 500:
        raise OutcomeUnknownError(f"{message}; read back what was done")
    if answer.status == 410:
        raise ExpiredError(message)
    if answer.status == 401:
        raise UnauthorisedError(f"{message}; the token may have expired or been revoked")
    if answer.status == 404:
        raise NotFoundError(message)
    if 400 <= answer.status < 500:
        raise RejectedError(message)
    raise MalformedError(f"{message}; redirections are not followed")


def _denied(request: Request, status: Json, message: str) -> DeniedError | RejectedError:
    """Tell an account that may not (RBAC) from an admission that will not (quota, limits): both are 403."""
    if status and not _NOT_ALLOWED.search(str(status.get("message"))):
        return RejectedError(message)
    return DeniedError(f"{message}. Allow verb {request.verb!r} on {request.title.split()[0]!r} in its Role")


def read_status(body: bytes) -> Json:
    """Return a ``Status`` object, or an empty one where the body is plain text, HTML or broken."""
    try:
        found = parse(body)
    except ValueError:
        return {}
    return found if found.get("kind") == "Status" else {}


def conflicts(status: Json) -> dict[str, str]:
    """Return the fields that others own, to their managers; several are joined by a comma.

    >>> cause = {"field": ".spec.replicas", "message": 'conflict with "hpa" using apps/v1'}
    >>> conflicts({"details": {"causes": [cause]}})
    {'spec.replicas': 'hpa'}
    """
    found: dict[str, set[str]] = {}
    for cause in causes(status):
        manager = _MANAGER.search(str(cause.get("message", "")))
        if manager:
            found.setdefault(str(cause.get("field", "")).removeprefix("."), set()).add(manager[1])
    return {field: ", ".join(sorted(managers)) for field, managers in found.items()}


def causes(status: Json) -> list[Any]:
    """Return the causes that a ``Status`` gives; none where it has no details."""
    details = status.get("details")
    listed = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in listed if isinstance(cause, dict)] if isinstance(listed, list) else []


def retry_after_s(answer: Answer, unix_s: float) -> float | None:
    """Return how long the server asks to wait, s: its header holds seconds or a date (RFC 9110, 10.2.3)."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - unix_s) if text else None
    except ValueError:
        return None


def shorten(body: bytes) -> str:
    """Return the beginning of a body in printable words."""
    words = " ".join(body[: 4 * MOST_SHOWN].decode("utf-8", "replace").split())
    printable = "".join(sign for sign in words if sign.isprintable())
    return printable if len(printable) <= MOST_SHOWN else f"{printable[:MOST_SHOWN]}…"
