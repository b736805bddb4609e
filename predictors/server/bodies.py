"""Bodies of requests: read within bounds of size, strictly JSON, then held against their schema.

FastAPI would do the last part itself, but coerces UTF-16, lets the last of two equal keys win and takes a third more
of a processor for each request.
"""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from predictors.server.problems import ProblemError, invalid

Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, model: type[Model], most_bytes: int) -> Model:
    """Return what a request says.

    Raises:
        ProblemError: 400 no JSON, 413 too large, 422 not what the model asks for.
    """
    headers = dict(request.scope["headers"])
    _require_json(headers.get(b"content-type", b""))
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > most_bytes:
        raise _too_large(most_bytes)
    body = await _receive(request, most_bytes)
    try:
        return model.model_validate(parse(body))
    except ValidationError as error:
        raise invalid(error) from None


def parse(body: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    NaN and infinities are let pass, for the schema to refuse: who sends them means a number.

    Raises:
        ProblemError: 400 it is none; 422 an object has a key twice.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_distinct)
    except RecursionError:
        raise ProblemError(400, "The body is nested too deeply.") from None
    except UnicodeDecodeError as error:
        raise ProblemError(400, f"The body is not UTF-8: byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise ProblemError(400, f"The body is not JSON: {error.msg}, character {error.pos}.") from None
    except ValueError:
        raise ProblemError(400, "The body has an integer with too many digits.") from None


def _require_json(content_type: bytes) -> None:
    kind = content_type.split(b";")[0].strip().lower()
    if kind != b"application/json" and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        raise ProblemError(422, "The body must be JSON: send the header Content-Type: application/json.")


async def _receive(request: Request, most_bytes: int) -> bytes:
    """Return the body; what is counted is what comes, as a body need not say its length."""
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ProblemError(400, "The connection ended within the body.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    return body


def _too_large(most_bytes: int) -> ProblemError:
    return ProblemError(413, f"The body has more than {most_bytes} bytes.", {"Connection": "close"})


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ProblemError(422, "An object of the body has the same key twice.")
    return found
