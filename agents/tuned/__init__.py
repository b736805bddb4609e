"""Parameters of controllers that ``metaverse benchmark tune`` found: those shipped here, by scenario, and a user's own.

A file holds, beside what it was made under, ``{"controllers": {NAME: {"parameters": {...}}}}``. Whether the values are
allowed is checked by the controller that takes them.
"""

import json
from pathlib import Path
from typing import Any

from metaverse_env.errors import ConfigurationError, UnknownNameError

SUFFIX = ".json"
_FOLDER = Path(__file__).parent


def shipped() -> tuple[str, ...]:
    """Return the names of the scenarios that parameters are shipped for."""
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{SUFFIX}")))


def tuned_parameters(policy: str, source: str) -> dict[str, float]:
    """Return a controller's tuned parameters by name.

    Args:
        policy: Its name, as it was tuned.
        source: A scenario of :func:`shipped`, or the path of a ``tuned.json``.

    Raises:
        UnknownNameError: Nothing is shipped for that scenario, or the file has no such controller.
        ConfigurationError: The file cannot be read, or is no result of a tuning.
    """
    controllers = tuned_controllers(source)
    if policy not in controllers:
        raise UnknownNameError(f"controller in the tuned parameters of {source}", policy, controllers)
    try:
        return {str(name): value for name, value in controllers[policy]["parameters"].items()}
    except (AttributeError, LookupError, TypeError) as error:
        raise _unfit(source, f"controller {policy!r} has no table of parameters") from error


def tuned_controllers(source: str) -> dict[str, Any]:
    """Return a file's entries by controller: parameters, and what they gave in training.

    Raises:
        UnknownNameError: Nothing is shipped for that scenario.
        ConfigurationError: The file cannot be read, or is no result of a tuning.
    """
    path = Path(source)
    if path.suffix != SUFFIX:
        if source not in shipped():
            raise UnknownNameError(f"scenario with tuned parameters, or file *{SUFFIX},", source, shipped())
        path = _FOLDER / f"{source}{SUFFIX}"
    try:
        controllers = json.loads(path.read_text(encoding="utf-8"))["controllers"]
    except OSError as error:
        raise ConfigurationError(f"tuned parameters {source}: cannot read: {error.strerror or error}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise _unfit(source, "it is no JSON object with 'controllers'") from error
    if not isinstance(controllers, dict):
        raise _unfit(source, "'controllers' is no table")
    return controllers


def _unfit(source: str, reason: str) -> ConfigurationError:
    return ConfigurationError(f"tuned parameters {source}: {reason}; give a tuned.json of 'metaverse benchmark tune'")
