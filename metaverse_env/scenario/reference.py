"""The page of every constant of a world, written from the declarations themselves.

``python -m metaverse_env.scenario.reference`` prints it; a test holds the committed page against what is printed.
"""

from collections.abc import Iterator
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from metaverse_env.scenario.describing import group, limits, mark, unit
from metaverse_env.scenario.root import Scenario

_INTRODUCTION = """\
# Scenario reference

Every constant of a world: what a TOML or YAML file may say, and what holds where it says nothing. Keys of a group
stand in a table of its name (`[workload]`). A file may begin with `extends = "multi_zone"` to take over a scenario of
the catalogue; it keeps its own `name`. Unknown keys, values of another type and values out of range are refused, all
at once and with their lines.

**M** measured on data, **V** verified in a source, **E** an estimate, **choice** a decision and no claim about the
world. MB is 10^6 bytes, Mbps is 10^6 bits per second. A unit of 1 is a pure number. This page is printed by
`python -m metaverse_env.scenario.reference`.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections("Top level", Scenario, "")])


def _sections(title: str, model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the table of one group, then those of the groups inside it."""
    inner = {name: (field, group(field.annotation)) for name, field in model.model_fields.items()}
    yield f"## {title}\n\n{(model.__doc__ or '').splitlines()[0]}\n"
    yield "| key | default | unit | range | mark | meaning |\n|---|---|---|---|---|---|"
    yield from (_row(prefix + name, field) for name, (field, table) in inner.items() if table is None or _many(field))
    yield ""
    for name, (field, table) in inner.items():
        if table is not None:
            heading = f"`{prefix}{name}`" + (" (a list)" if _many(field) else "")
            yield from _sections(heading, table, f"{prefix}{name}[]." if _many(field) else f"{prefix}{name}.")


def _many(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", _default(field), unit(field), limits(field), mark(field), field.description)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if group(field.annotation):
        return ", ".join(item.name for item in value)
    return f"`{_plain(value)}`" if value not in ("", ()) else "none"


def _plain(value: Any) -> str:
    return f"[{', '.join(map(_plain, value))}]" if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    print(page(), end="")
