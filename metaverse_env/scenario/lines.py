"""On which line of a file a key stands, for messages that a person can act on.

Neither ``tomllib`` nor ``yaml.safe_load`` keeps the lines of what it read. For YAML the parser's nodes have them. A
TOML text is cut into its statements, each of which ``tomllib`` reads alone: no second understanding of TOML is needed.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

from metaverse_env.scenario.problems import KeyPath

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a text of several lines, that may end in quotes of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[][{}\n]",
    re.DOTALL,
)


def toml_line(text: str, path: KeyPath) -> int | None:
    """Return the line, counted from 1, of the longest beginning of ``path`` that stands in the text, or None."""
    lines = toml_lines(text)
    known = (lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines)
    return next(known, None)


@lru_cache(maxsize=1)  # the problems of one file are asked for one after the other
def toml_lines(text: str) -> Mapping[KeyPath, int]:
    r"""Return the line, counted from 1, of every key, table and element of a valid TOML text.

    >>> toml_lines("# a world\n[layout]\nzones = 30")
    {('layout',): 2, ('layout', 'zones'): 3}
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, statement in _statements(text):
        parsed = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _header(parsed, lines)
            lines.setdefault(table, number)
        else:
            lines |= {table + path: number for path in _paths(parsed)}
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of every statement: what ends with a line outside of all brackets."""
    depth = start = 0
    line = 1
    for token in _TOKEN.finditer(text + "\n"):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if token[0] == "\n" and depth == 0:
            yield line, text[start : token.end()]
            line += text.count("\n", start, token.end())
            start = token.end()


def _header(parsed: dict[str, Any], lines: Mapping[KeyPath, int]) -> KeyPath:
    """Return the path of ``[a.b]``, or of the next element for ``[[a.b]]``."""
    path: KeyPath = ()
    inner: Any = parsed
    while inner:
        ((key, inner),) = inner.items()
        path += (key,)
        seen = sum(known[:-1] == path and isinstance(known[-1], int) for known in lines)
        if isinstance(inner, list):
            path, inner = (*path, seen), inner[0]
        elif seen:
            path += (seen - 1,)
    return path


def _paths(value: object) -> Iterator[KeyPath]:
    """Yield the path of everything inside a value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (key,)
        yield from ((key, *path) for path in _paths(inner))


def yaml_line(document: yaml.Node | None, path: KeyPath) -> int | None:
    """Return the line, counted from 1, of the longest beginning of ``path`` that stands in the document, or None."""
    node, line = document, None
    for part in path:
        place, node = _child(node, part)
        if place is None:
            break
        line = place.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, yaml.Node] | tuple[None, None]:
    """Return the node that marks the place of an entry, and the entry."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None, None
