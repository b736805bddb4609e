"""What is wrong with a scenario, said so that a person can mend it: the place, the value, what was expected, the unit.

pydantic finds the problems; here its findings become one :class:`~metaverse_env.errors.ScenarioError` that lists them
all. A scenario that was read from a file brings a :class:`Source`, which knows the line of a key.
"""

import reprlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from metaverse_env.errors import ScenarioError, did_you_mean
from metaverse_env.scenario.describing import expected, group, keys, unit_phrase

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KeyPath = tuple[int | str, ...]
"""Where a value stands: keys of tables and indices of lists, such as ``("intents", "activities", 1, "cpu")``."""

MOST_LISTED: Final = 50
"""Problems beyond this are counted and not listed: a list of 10,000 wrong names is one mistake, not 10,000."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlevel = 2


@dataclass(frozen=True)
class Source:
    """The text that a scenario was read from.

    Attributes:
        name: The file's name as the user gave it.
        line: Returns the line, counted from 1, of a key or of what encloses it; None where no line says it.
    """

    name: str
    line: Callable[[KeyPath], int | None]

    def place(self, path: KeyPath = ()) -> str:
        """Return ``"file:line"``, or the file alone where the line is not known."""
        line = self.line(path)
        return self.name if line is None else f"{self.name}:{line}"


@contextmanager
def explained(model: type[BaseModel], source: Source | None = None) -> Iterator[None]:
    """Turn pydantic's findings on ``model`` into one :class:`~metaverse_env.errors.ScenarioError`."""
    try:
        yield
    except ValidationError as error:
        raise ScenarioError(explain(error, model, source)) from error


def explain(error: ValidationError, model: type[BaseModel], source: Source | None = None) -> str:
    """Return every problem, one a line in the order of the file, under a headline that counts them."""
    details = error.errors(include_url=False)
    if source is not None:
        details.sort(key=lambda detail: source.line(detail["loc"]) or 0)
    lines = [_one_line(detail, model, source) for detail in details[:MOST_LISTED]]
    if len(details) == 1:
        return lines[0]
    if len(details) > MOST_LISTED:
        lines.append(f"and {len(details) - MOST_LISTED} more")
    return "\n  ".join([f"{len(details)} problems:", *lines])


def dotted(path: KeyPath) -> str:
    """Return a path as people write it.

    >>> dotted(("intents", "activities", 1, "cpu"))
    'intents.activities[1].cpu'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{_printable(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def _printable(key: str) -> str:
    return key if key.isidentifier() else repr(key)


def _one_line(detail: "ErrorDetails", model: type[BaseModel], source: Source | None) -> str:
    place = model.__name__ if source is None else source.place(detail["loc"])
    return f"{place}: {_problem(detail, model)}"


def _problem(detail: "ErrorDetails", model: type[BaseModel]) -> str:
    path, kind = detail["loc"], detail["type"]
    if kind in ("extra_forbidden", "invalid_key"):
        return f"{dotted(path)} is no key of a scenario.{_suggestion(model, path)}"
    field = _field(model, path)
    if kind == "value_error":  # a rule over several values, which says itself what is wrong
        rule = str(detail["ctx"]["error"]) + (unit_phrase(field) if field else "")
        return f"{dotted(path)}: {rule}" if path else rule
    if kind == "missing" and isinstance(path[-1], str):
        return f"{dotted(path)} is missing, expected {_expectation(field)}"
    value = _shown(detail["input"])
    if kind == "missing":  # a list that is too short; pydantic names the element that is not there
        path = path[:-1]
    key = f"{dotted(path)} = " if path else ""
    also = ", finite" if kind == "finite_number" else ""
    return f"{key}{value}, expected {_expectation(field, element=bool(path) and isinstance(path[-1], int))}{also}"


def _shown(value: object) -> str:
    """Return a value, shortened; a tuple as the list that it was in the file."""
    return _short.repr(list(value) if isinstance(value, tuple) else value)


def _expectation(field: FieldInfo | None, *, element: bool = False) -> str:
    return "a table of keys" if field is None else expected(field, element=element)


def _suggestion(model: type[BaseModel], path: KeyPath) -> str:
    """Suggest a key of the same table, or else the same key of another one."""
    key = str(path[-1])
    enclosing = _field(model, path[:-1])
    table = model if enclosing is None else group(enclosing.annotation) or model
    elsewhere = [known for known in keys(model) if known.rpartition(".")[2] == key]
    return f" Did you mean {elsewhere[0]!r}?" if elsewhere else did_you_mean(key, table.model_fields)


def _field(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """Return the innermost declared field on a path; an index belongs to the field of its list."""
    field = None
    for part in path:
        if isinstance(part, str):
            field = model.model_fields[part]
            model = group(field.annotation) or model
    return field
