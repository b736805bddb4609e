"""Lists that are written with commas on the command line."""

import math
from collections.abc import Callable
from typing import TypeVar

import typer

Number = TypeVar("Number", int, float)


def parse_horizons(text: str) -> tuple[int, ...]:
    """Return ticks ahead, ascending, each once.

    Raises:
        typer.BadParameter: There is something else than whole numbers from 1 on.

    >>> parse_horizons("6,1,3,1")
    (1, 3, 6)
    """
    found = _numbers(text, "--horizons", int)
    if min(found) < 1:
        raise typer.BadParameter(f"{text!r}: give ticks from 1 on", param_hint="--horizons")
    return tuple(sorted(set(found)))


def parse_split(text: str) -> tuple[float, float, float]:
    """Return the shares of training, validation and test.

    Raises:
        typer.BadParameter: There are not three positive numbers.
    """
    found = _numbers(text, "--split", float)
    if len(found) != 3 or not all(0.0 < share < math.inf for share in found):
        raise typer.BadParameter(f"{text!r}: give three positive shares, such as 0.7,0.1,0.2", param_hint="--split")
    return found[0], found[1], found[2]


def parse_names(text: str) -> list[str]:
    """Return names, each once, in order.

    >>> parse_names("ridge, stgnn,ridge")
    ['ridge', 'stgnn']
    """
    return list(dict.fromkeys(name.strip() for name in text.split(",")))


def _numbers(text: str, option: str, kind: Callable[[str], Number]) -> list[Number]:
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r}: give numbers with commas between them", param_hint=option) from None
