"""What somebody who watches can ask of a session: plain values, the same from a key, a click or a browser.

:func:`parse` reads them from what a page sends, which nobody can trust.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from metaverse_env.errors import ConfigurationError, UnknownNameError

Disturbance = Literal["flash_crowd", "node_failure"]
DISTURBANCES: Final[tuple[str, ...]] = get_args(Disturbance)

SLOWEST: Final = 1.0 / 16.0
FASTEST: Final = 64.0
"""Ticks per second that a session may be asked for [choice]: a tick of 15 s in 16 s, nearly as it is; a day in 90 s."""

_LONGEST: Final = 200
"""Characters of a name that is asked for; longer ones are refused unread [choice]."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop or go on; ``on`` says which, and ``None`` turns it round."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Let one tick pass, and pause."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Let so many ticks pass in a second, from :data:`SLOWEST` to :data:`FASTEST`."""

    ticks_per_s: float


@dataclass(frozen=True, slots=True)
class Select:
    """Show the details of a zone; ``None`` of none."""

    zone: int | None


@dataclass(frozen=True, slots=True)
class SwitchPolicy:
    """Let another policy decide from the next tick on."""

    name: str


@dataclass(frozen=True, slots=True)
class SwitchScenario:
    """Start anew in another scenario, with the same seed."""

    name: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Start the episode anew, with the same seed."""


@dataclass(frozen=True, slots=True)
class Inject:
    """Let something happen now.

    Attributes:
        kind: ``"flash_crowd"`` in a zone, or ``"node_failure"`` of a node; one that failed already comes back.
        place: Index of the zone or of the node; ``None`` takes the selected zone or its node, else the busiest zone's.
    """

    kind: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class ToggleLayer:
    """Show or hide a part of the picture."""

    name: str


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Keep the picture that is shown."""


@dataclass(frozen=True, slots=True)
class Record:
    """Begin or end a film of what is shown."""


@dataclass(frozen=True, slots=True)
class Help:
    """Show or hide what can be asked."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the session."""


Command = (
    Pause
    | Step
    | Speed
    | Select
    | SwitchPolicy
    | SwitchScenario
    | Restart
    | Inject
    | ToggleLayer
    | Screenshot
    | Record
    | Help
    | Quit
)

COMMANDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Command)}
"""Every command by its name."""

_KINDS: Final[dict[tuple[str, str], tuple[type, ...]]] = {
    ("Pause", "on"): (bool, type(None)),
    ("Speed", "ticks_per_s"): (int, float),
    ("Select", "zone"): (int, type(None)),
    ("Inject", "place"): (int, type(None)),
}
"""What a field may be; any other is a name."""


def parse(said: Mapping[str, Any]) -> Command:
    """Read a command such as ``{"command": "Speed", "ticks_per_s": 2.0}``.

    Raises:
        UnknownNameError: No such command.
        ConfigurationError: A field that it does not have, lacks, or of another kind.

    >>> parse({"command": "Select", "zone": 3})
    Select(zone=3)
    """
    name = said.get("command")
    if not isinstance(name, str) or name not in COMMANDS:
        raise UnknownNameError("command", str(name)[:_LONGEST], COMMANDS)
    given = {key: value for key, value in said.items() if key != "command"}
    known = {field.name for field in fields(COMMANDS[name])}
    for field, value in given.items():
        if field not in known:
            raise ConfigurationError(f"{name} has no {field[:_LONGEST]!r}; it has {', '.join(sorted(known)) or 'none'}")
        _check(name, field, value)
    try:
        command: Command = COMMANDS[name](**given)
    except TypeError as error:
        raise ConfigurationError(f"{name} lacks one of: {', '.join(sorted(known))}") from error
    return command


def _check(name: str, field: str, value: Any) -> None:
    kinds = _KINDS.get((name, field), (str,))
    right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    if not right or (isinstance(value, str) and len(value) > _LONGEST):
        words = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigurationError(f"{name}.{field} must be {words}, got {str(value)[:_LONGEST]!r}")
