"""Scenarios from files: TOML or YAML with exactly the keys of :class:`~metaverse_env.scenario.root.Scenario`.

One key more is known to files: ``extends = "multi_zone"`` takes over everything that the named catalogue scenario says
and the file does not, except ``name`` and ``description``, for another scenario is not to be taken for it.

Policy: a file is data. It is read as UTF-8 up to 1 MiB, YAML with the safe loader only, and whatever is wrong with it
is one :class:`~metaverse_env.errors.ScenarioError` that names the file, the line and the key.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath
from typing import Any, Final

import yaml
from pydantic import TypeAdapter

from metaverse_env.errors import ScenarioError
from metaverse_env.scenario.lines import toml_line, yaml_line
from metaverse_env.scenario.problems import KeyPath, Source, explained
from metaverse_env.scenario.root import Scenario

MAX_BYTES: Final = 1 << 20
"""Larger files are refused unread: 10,000 zones with their names take a fifth of it."""

NOT_INHERITED: Final = ("name", "description")


@dataclass(frozen=True)
class Document:
    """What a file says, before it is a scenario.

    Attributes:
        data: Its keys and values, as the file nests them.
        source: Where it stands, for messages.
    """

    data: dict[str, Any]
    source: Source


def read_document(path: Path | Traversable) -> Document:
    """Read a TOML or YAML file.

    Args:
        path: A file that ends in ``.toml``, ``.yaml`` or ``.yml``.

    Raises:
        ScenarioError: If it cannot be read, is too large, is not text, is no TOML or YAML, or holds no keys.
    """
    parse = _PARSERS.get(PurePath(path.name).suffix.lower())
    if parse is None:
        raise ScenarioError(f"{path}: a scenario file ends in {', '.join(_PARSERS)}")
    data, line = parse(str(path), _text(path))
    if data is None or data == {}:
        raise ScenarioError(f"{path}: is empty; it needs at least a name")
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: must hold keys and values at its top, but holds a {type(data).__name__}")
    return Document(data, Source(str(path), line))


def build(document: Document) -> Scenario:
    """Validate a document whose ``extends`` is resolved.

    Raises:
        ScenarioError: Naming every problem with its line.
    """
    with explained(Scenario, document.source):
        return TypeAdapter(Scenario).validate_python(document.data)  # raises pydantic's own error, to be given lines


def beside(document: Document, folder: Path) -> Document:
    """Return a document whose bank of intents, where it is a path, is sought in the folder of the file.

    >>> found = beside(
    ...     Document({"intents": {"bank": "own.npz"}}, Source("worlds/a.toml", lambda key: 1)), Path("worlds")
    ... )
    >>> found.data["intents"]["bank"]
    'worlds/own.npz'
    """
    intents = document.data.get("intents")
    bank = intents.get("bank") if isinstance(intents, dict) else None
    if not (isinstance(bank, str) and bank.endswith(".npz")):
        return document
    found = str(folder / Path(bank).expanduser())
    return Document({**document.data, "intents": {**document.data["intents"], "bank": found}}, document.source)


def extended(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` without its name, with every key of ``own`` put over it.

    >>> extended({"name": "a", "layout": {"zones": 3, "seed": 1}}, {"name": "b", "layout": {"zones": 5}})
    {'layout': {'zones': 5, 'seed': 1}, 'name': 'b'}
    """
    return _merged({key: value for key, value in base.items() if key not in NOT_INHERITED}, own)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {key for key in base.keys() & own.keys() if isinstance(base[key], dict) and isinstance(own[key], dict)}
    return {**base, **own, **{key: _merged(base[key], own[key]) for key in both}}


def _text(path: Path | Traversable) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise ScenarioError(f"{path}: is larger than {MAX_BYTES} bytes, the limit for a scenario")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is not UTF-8 text, at byte {error.start}") from error


_Parsed = tuple[Any, Callable[[KeyPath], int | None]]


def _toml(name: str, text: str) -> _Parsed:
    try:
        return tomllib.loads(text), partial(toml_line, text)
    except RecursionError as error:
        raise ScenarioError(f"{name}: is nested too deeply") from error
    except ValueError as error:  # more than TOMLDecodeError: an integer of 5,000 digits, for one
        raise ScenarioError(f"{name}: is not valid TOML: {error}") from error


def _yaml(name: str, text: str) -> _Parsed:
    try:
        loader = yaml.SafeLoader(text)  # what yaml.safe_load uses; its nodes know their lines
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ScenarioError(f"{name}{line}: is not valid YAML: {error.problem}") from error
    except RecursionError as error:
        raise ScenarioError(f"{name}: is nested too deeply") from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:  # a tag that its value does not fit
        raise ScenarioError(f"{name}: is not valid YAML: {error}") from error
    _refuse_repeated_keys(name, node)
    return data, partial(yaml_line, node)


def _refuse_repeated_keys(name: str, node: yaml.Node | None) -> None:
    """YAML forbids them, yet PyYAML silently takes the last one."""
    first_lines: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if isinstance(key.value, str) and key.value in first_lines:
            raise ScenarioError(f"{name}:{line}: {key.value} stands in line {first_lines[key.value]} already")
        first_lines[str(key.value)] = line
        _refuse_repeated_keys(name, value)


_PARSERS: Final = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
