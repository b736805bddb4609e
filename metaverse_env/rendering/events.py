"""What somebody does with a window."""

from typing import NamedTuple


class Key(NamedTuple):
    """A key was pressed; its name is that of a browser's ``KeyboardEvent.key``."""

    name: str


class Click(NamedTuple):
    """The mouse was pressed, px of the picture."""

    x: float
    y: float


class Closed(NamedTuple):
    """The window was closed."""


Event = Key | Click | Closed
