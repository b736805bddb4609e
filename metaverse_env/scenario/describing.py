"""What a field of a scenario accepts, in words: read from the field itself, so that errors and documents cannot drift.

Every function takes pydantic's ``FieldInfo`` as :mod:`metaverse_env.scenario.fields` declares it.
"""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_NOUNS: dict[Any, tuple[str, str]] = {
    float: ("a number", "numbers"),
    int: ("a whole number", "whole numbers"),
    str: ("a text", "texts"),
}
_TABLE = ("a table of keys", "tables of keys")
_LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_WITHOUT_UNIT = ("1", "name", "text")


def unit(field: FieldInfo) -> str:
    """Return the unit as declared: ``"1"`` for a pure number, ``"name"`` for an alternative; else it is free text."""
    return _extra(field).get("unit", "text")


def mark(field: FieldInfo) -> str:
    """Return the mark of the source: ``"M"``, ``"V"``, ``"E"`` or ``"choice"``."""
    return _extra(field).get("mark", "choice")


def limits(field: FieldInfo) -> str:
    """Return the range, such as ``"> 0, <= 64"``, the alternatives, or nothing where only the type limits."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    found = ((sign, getattr(item, name, None)) for item in field.metadata for name, sign in _LIMITS.items())
    bounds = [f"{sign} {limit:g}" for sign, limit in found if limit is not None]
    return ", ".join(bounds + ["not empty" for item in field.metadata if getattr(item, "min_length", 0)])


def unit_phrase(field: FieldInfo) -> str:
    """Return the unit as it follows a value, ``" s"``, or an empty string for pure numbers and names."""
    return "" if unit(field) in _WITHOUT_UNIT else f" {unit(field)}"


def expected(field: FieldInfo, *, element: bool = False) -> str:
    """Return what the field accepts, in words.

    Args:
        field: The field.
        element: Describe one element of a tuple instead of the whole.

    >>> from metaverse_env.scenario.root import Scenario
    >>> expected(Scenario.model_fields["tick_s"])
    'a number in s (>= 1, <= 60)'
    """
    shape = _singular(get_args(field.annotation)[0]) if element else _singular(field.annotation)
    of_unit = f" in{unit_phrase(field)}" if unit_phrase(field) else ""
    bounds = f" ({limits(field)})" if limits(field) else ""
    return shape + of_unit + bounds


def group(annotation: Any) -> type[BaseModel] | None:
    """Return the group of constants that an annotation holds, alone or in a tuple, or None."""
    kind = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted key of every constant of a model and its groups, but not of lists of groups."""
    for name, field in model.model_fields.items():
        inner = group(field.annotation)
        if inner is None or get_origin(field.annotation) is tuple:
            yield prefix + name
        else:
            yield from keys(inner, f"{prefix}{name}.")


def _extra(field: FieldInfo) -> dict[str, str]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}  # type: ignore[return-value]


def _singular(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of these names"
    if get_origin(annotation) is tuple:
        first, *rest = get_args(annotation)
        plural = _NOUNS.get(first, _TABLE)[1]
        return f"a list of {plural}" if rest == [...] else f"a list of {1 + len(rest)} {plural}"
    return _NOUNS.get(annotation, _TABLE)[0]
