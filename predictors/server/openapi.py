"""The OpenAPI document: FastAPI writes it, and this adds what FastAPI cannot see.

That is the bodies, which endpoints read themselves, the problems, which have a media type of their own, and the keys.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from predictors.server.answers import Problem
from predictors.server.problems import MEDIA_TYPE
from predictors.server.requests import BatchRequest, ForecastRequest, Report

_BODIES: Final = (Report, BatchRequest, ForecastRequest)
_REFERENCE: Final = "#/components/schemas/{model}"
_KEYS: Final = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
_RETRY: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_OPEN_TO_ALL: Final = frozenset({"/healthz", "/readyz"})
_GUARDED: Final = (401, 403, 429)

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """Return the documentation of problems with these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=Problem.__name__)}}}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": content,
            **({"headers": _RETRY} if status in (429, 503) else {}),
        }
        for status in statuses
    }


def takes(body: type[BaseModel], *more: int) -> dict[str, Any]:
    """Return what FastAPI is to be told of an endpoint that reads a body itself; ``more`` are its own problems."""
    schema = {"$ref": _REFERENCE.format(model=body.__name__)}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
        "responses": problems(400, 413, 422, 429, 500, 503, *more),
        "tags": ["forecasts"],
    }


def document(app: FastAPI, guarded: bool) -> Callable[[], dict[str, Any]]:
    """Return what ``app.openapi`` is to be: its own document, once completed.

    Args:
        app: The application.
        guarded: Whether keys are asked for.
    """
    written = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(written(), guarded)
        return written()  # which is kept from the first time on

    return openapi


def _complete(text: dict[str, Any], guarded: bool) -> None:
    models = [(model, "validation") for model in _BODIES] + [(Problem, "serialization")]
    _, schemas = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    text.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    if not guarded:
        return
    text["components"]["securitySchemes"] = _KEYS
    for path, operations in text["paths"].items():
        for operation in operations.values() if path not in _OPEN_TO_ALL else ():
            operation["security"] = [{name: []} for name in _KEYS]
            operation["responses"] |= {str(status): about for status, about in problems(*_GUARDED).items()}
