"""One mechanism for parts that live elsewhere: ``"module:name"``, imported when asked for.

Parts of an upper storey stand in tables, which :func:`resolve` reads; parts of a user's are named as they are, for
:func:`resolve_own`.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from metaverse_env.errors import ConfigurationError, MissingDependencyError, UnknownNameError


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


def resolve_own(kind: str, name: str) -> Any:
    """Import what a user calls ``"module:name"``.

    Args:
        kind: What is looked up, in words, for the error.
        name: Module and attribute.

    Raises:
        ConfigurationError: There is no colon, a file in place of a module, or no such module.
        UnknownNameError: The module has no such attribute.

    >>> resolve_own("function", "math:sqrt")(9.0)
    3.0
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise ConfigurationError(f"{kind} {name!r} has no module; give module:name, such as my_module:{name or 'Mine'}")
    if "/" in module_name or module_name.endswith(".py"):
        stem = module_name.rpartition("/")[2].removesuffix(".py")
        raise ConfigurationError(
            f"{kind} {name!r}: name the module, not the file: {stem}:{attribute}, in the folder of {stem}.py or with "
            f"that folder in PYTHONPATH"
        )
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f"{kind} {name!r}: there is no module {missing.name!r}. Run in the folder of {module_name}.py, or name it "
            f"in PYTHONPATH; what the module itself imports must be installed."
        ) from missing
    if not hasattr(module, attribute):
        own = (there for there, thing in vars(module).items() if _made_in(module_name, thing))
        known = [there for there in own if not there.startswith("_")]
        raise UnknownNameError(f"{kind} in module {module_name}", attribute, known)
    return getattr(module, attribute)


def _made_in(module_name: str, thing: Any) -> bool:
    """Tell whether a module makes something itself, or an object of a class of its own; the rest is only imported."""
    return getattr(thing, "__module__", None) == module_name
