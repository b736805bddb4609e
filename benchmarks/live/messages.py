"""What a viewer may say, read from what comes: one JSON object, small, of a known form. Nobody is trusted.

=========================================  ====================================================
``{"size": [1280, 720]}``                  draw for a window of that size, px
``{"drawn": 12}``                          picture 12 is shown: another one may come
``{"control": "pause"}``                  a key or a button was pressed, as the table of controls names it
``{"control": "zone", "zone": 3}``         a zone was clicked
``{"command": "Speed", "ticks_per_s": 2}``  :func:`metaverse_env.live.commands.parse`
=========================================  ====================================================
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from metaverse_env.errors import ConfigurationError
from metaverse_env.live.commands import Command
from metaverse_env.live.commands import parse as parse_command
from metaverse_env.rendering.layout import SMALLEST

Size = tuple[int, int]

MOST_BYTES: Final = 1024
"""Of a message [choice]; the longest that a page of ours sends has a tenth of it. Longer ones end the connection."""

LARGEST: Final = (3840, 2160)
"""Width and height that are drawn at most, px [choice]: a whole screen in 4K. A page enlarges what is smaller."""

_LONGEST_NAME: Final = 40
_MOST_ZONES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Resize:
    """The picture is to have another size, px."""

    size: Size


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture is shown."""

    number: int


@dataclass(frozen=True, slots=True)
class Press:
    """A key, a button or a zone was pressed; -1 is no zone."""

    control: str
    zone: int = -1


Ask = Press | Command
"""What is for the session."""
Message = Resize | Drawn | Ask


class MessageError(ConfigurationError):
    """A message that cannot be understood."""


def parse(text: str | None) -> Message:
    """Read a message.

    Args:
        text: As it came; ``None`` for bytes, which nobody sends.

    Raises:
        MessageError: It is no JSON object, or none of those above.
        ConfigurationError: A command that there is not, or not so.

    >>> parse('{"size": [1280, 720]}'), parse('{"drawn": 7}')
    (Resize(size=(1280, 720)), Drawn(number=7))
    """
    try:
        said = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise MessageError(f"a message must be a JSON object, such as {_EXAMPLE}") from error
    if not isinstance(said, dict):
        raise MessageError(f"a message must be a JSON object, such as {_EXAMPLE}")
    if "command" in said:
        return parse_command(said)
    if "control" in said:
        return _press(**said) if said.keys() <= {"control", "zone"} else _unknown()
    if len(said) == 1:
        ((name, value),) = said.items()
        if name in _READERS:
            return _READERS[name](value)
    return _unknown()


_EXAMPLE: Final = '{"control": "pause"}'


def _size(value: Any) -> Resize:
    if not (isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value)):
        raise MessageError("size must be [width, height] in whole px")
    for name, asked, least, most in zip(("width", "height"), value, SMALLEST, LARGEST, strict=True):
        if not least <= asked <= most:
            raise MessageError(f"a {name} of {str(asked)[:12]} px; a picture has {least} to {most} px")
    return Resize((value[0], value[1]))


def _drawn(value: Any) -> Drawn:
    if type(value) is not int or value < 0:
        raise MessageError("drawn must be the number of a picture")
    return Drawn(value)


def _press(control: Any, zone: Any = -1) -> Press:
    if not (isinstance(control, str) and 0 < len(control) <= _LONGEST_NAME):
        raise MessageError(f"control must be the name of a control, of {_LONGEST_NAME} characters at most")
    if type(zone) is not int or not -1 <= zone < _MOST_ZONES:
        raise MessageError("zone must be the index of a zone, or -1 for none")
    return Press(control, zone)


def _unknown() -> NoReturn:
    names = ", ".join(("control", "command", *_READERS))
    raise MessageError(f"a message says one of: {names}; for instance {_EXAMPLE}")


_READERS: Final[dict[str, Callable[[Any], Message]]] = {"size": _size, "drawn": _drawn}
