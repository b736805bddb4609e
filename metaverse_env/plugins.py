"""One mechanism for parts that live in an upper storey: ``"module:name"`` in a table, imported when asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from metaverse_env.errors import MissingDependencyError, UnknownNameError


def resolve(kind: str, name: str, table: Mapping[str, str], extra: str = "all") -> Any:
    """Import the entry that a table names.

    Args:
        kind: What is looked up, in words, for the error.
        name: Its key.
        table: Names to ``"module:name"``.
        extra: The extra of this project that brings the third-party imports of that module.

    Raises:
        UnknownNameError: The table has no such name.
        MissingDependencyError: The module needs a package that is not installed.

    >>> resolve("number", "pi", {"pi": "math:pi"})
    3.141592653589793
    """
    if name not in table:
        raise UnknownNameError(kind, name, table)
    module, attribute = table[name].split(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(f"{kind} {name!r}", str(missing.name).partition(".")[0], extra) from missing
