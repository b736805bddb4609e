"""Options of the command line: lists that are written with commas, and times."""

import math
from collections.abc import Callable
from typing import TypeVar

import typer

from predictors.forecasting.times import Cut, parse_time

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


def parse_cut(first: str | None, until: str | None, step_s: float | None) -> Cut:
    """Return which rows are wanted.

    Raises:
        typer.BadParameter: A time is none.

    >>> parse_cut("1970-01-02", None, 60.0)
    Cut(first_s=86400.0, until_s=inf, step_s=60.0)
    """
    begin = -math.inf if first is None else _time(first, "--from")
    return Cut(begin, math.inf if until is None else _time(until, "--until"), step_s)


def _time(text: str, option: str) -> float:
    try:
        return parse_time(text)
    except ValueError:
        words = f"{text!r} is no time; give ISO 8601 such as 2024-01-31T18:00:00Z, or Unix seconds"
        raise typer.BadParameter(words, param_hint=option) from None


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
