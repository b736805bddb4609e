"""Errors as RFC 9457 problems, which say what is wrong and where, and never repeat what was sent.

An echo would carry back a megabyte of embedding, put a stranger's text into logs, and fail on a NaN, which JSON does
not know.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from predictors.server.requests import FIELD_NAMES

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 20
RETRY_S: Final = 1
"""When to come back after a refusal that passes by itself, s [choice]."""


class ProblemError(Exception):
    """A request that is answered with a problem.

    Args:
        status: HTTP status.
        detail: What is wrong, and what to do; nothing of the request.
        headers: Of the answer.
        errors: Where it is wrong: ``pointer`` and ``detail`` of each.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.errors = status, detail, dict(headers or {}), list(errors)

    def document(self, instance: str) -> dict[str, Any]:
        """Return the problem as a JSON object; ``instance`` is the path that was asked for."""
        basis = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}
        return {**basis, "detail": self.detail, "instance": instance, "errors": self.errors}

    def response(self, instance: str) -> Response:
        """Return the problem as an answer."""
        body = json.dumps(self.document(instance)).encode()
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def unavailable(detail: str) -> ProblemError:
    """Return the problem of a server that cannot answer yet, or no more."""
    return ProblemError(503, detail, {"Retry-After": str(RETRY_S)})


def invalid(error: ValidationError | RequestValidationError) -> ProblemError:
    """Return the problem of a request that breaks its schema."""
    found = [{"pointer": pointer(each["loc"]), "detail": each["msg"]} for each in error.errors()[:MOST_ERRORS]]
    return ProblemError(422, "The request does not fit its schema; nothing was taken from it.", errors=found)


def pointer(location: Sequence[int | str]) -> str:
    """Return a JSON pointer as far as it is made of our own words: what follows would repeat the request.

    >>> pointer(("embedding", 3)), pointer(("zones", "plaza", 0, "active_users"))
    ('#/embedding/3', '#/zones')
    """
    parts = []
    for part in location:
        if isinstance(part, str) and part not in FIELD_NAMES:
            break
        parts.append(f"/{part}")
    return "#" + "".join(parts)


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""

    def answer(request: Request, problem: ProblemError) -> Response:
        return problem.response(request.url.path)

    def refuse(request: Request, error: RequestValidationError) -> Response:
        return answer(request, invalid(error))

    def translate(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_methods(app, request)))
        return answer(request, ProblemError(error.status_code, _DETAILS.get(error.status_code, error.detail), headers))

    def fail(request: Request, _: Exception) -> Response:
        return answer(request, ProblemError(500, "The server failed; its log says why."))

    for kind, handler in ((ProblemError, answer), (RequestValidationError, refuse), (HTTPException, translate)):
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, fail)


_DETAILS: Final = {
    404: "There is nothing at this path; /openapi.json lists what there is.",
    405: "This path does not know this method; the header Allow lists those that it knows.",
}


def _methods(app: FastAPI, request: Request) -> set[str]:
    """Return what can be done at the path of a request: several routes may share it."""
    found: set[str] = set()
    for route in app.routes:
        if route.matches(request.scope)[0] != Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return found
