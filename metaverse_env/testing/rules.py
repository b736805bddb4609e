"""How a rule is broken and how it is quoted; what the rules of every contract share."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from metaverse_env.errors import MetaverseError
from metaverse_env.telemetry import Command, Telemetry

Array = np.ndarray
Rule = Callable[..., None]


class ContractError(MetaverseError, AssertionError):
    """A part breaks a rule of its contract; the message quotes the rule."""


def require(holds: Any, found: str) -> None:
    """Go on if something holds.

    Raises:
        ContractError: It does not; says what was found instead.
    """
    if not holds:
        raise ContractError(found)


def sentence(rule: Rule) -> str:
    """Return what a rule says.

    >>> sentence(require)
    'Go on if something holds.'
    """
    return (rule.__doc__ or rule.__name__).strip().splitlines()[0]


def check(part: object, rules: Iterable[Rule], *subject: Any) -> None:
    """Hold a part against rules, in their order.

    Args:
        part: What the message is about.
        rules: Functions that call :func:`require`.
        *subject: What they take.

    Raises:
        ContractError: With the part, the first rule that it breaks, and what was found.
    """
    for rule in rules:
        try:
            rule(*subject)
        except ContractError as broken:
            name = part if isinstance(part, str) else type(part).__name__
            raise ContractError(f"{name} breaks the rule “{sentence(rule)}” {broken}") from None


def pending_command(telemetry: Telemetry) -> Command:
    """Return the command that asks for what was asked for last: the one that changes nothing."""
    return Command.of(telemetry.zones["pending"], telemetry.zones["handover"])


def require_array(what: str, array: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Require an array of a shape and a type."""
    require(isinstance(array, np.ndarray), f"{what} is a {type(array).__name__}, not an array")
    require(array.dtype == dtype, f"{what} has dtype {array.dtype}, not {np.dtype(dtype)}")
    require(array.shape == shape, f"{what} has shape {array.shape}, not {shape}")


def require_finite(what: str, array: Array) -> None:
    """Require numbers, in every field of a record."""
    for name in array.dtype.names or ():
        require_finite(f"{what}[{name!r}]", array[name])
    if array.dtype.names is None:
        bad = ~np.isfinite(array)
        require(not bad.any(), f"{what} holds {array[bad][:1]} at {np.argwhere(bad)[:1].tolist()}")


def require_within(what: str, array: Array, low: float, high: float = np.inf) -> None:
    """Require values from ``low`` to ``high``; NaN is neither."""
    bad = ~((array >= low) & (array <= high))
    require(not bad.any(), f"{what} holds {array[bad][:1]} at {np.argwhere(bad)[:1].tolist()}, not {low} to {high}")
