"""Small curves of the episode: a title, the scale, and a line whose peaks stay, however long the episode gets."""

from typing import Final, NamedTuple

from metaverse_env.rendering.pen import Pen

_TITLE_HIGH: Final = 11.0
_SIZE: Final = 9.0
_WHOLE_FROM: Final = 1000.0
_PX_A_BIN: Final = 2.0
"""Width of a bin: its least and its most value need two columns."""


class Spark(NamedTuple):
    """A curve.

    Attributes:
        title: What it is, with its unit.
        values: One a tick, the present one last.
        colour: Of the line.
        floor: The lower end of the scale; ``None`` for the least value.
    """

    title: str
    values: tuple[float, ...]
    colour: str
    floor: float | None = 0.0


def draw_spark(pen: Pen, spark: Spark, box: tuple[float, float, float, float], tick: int) -> None:
    """Draw a curve into a box; ``tick`` is the present one, counted from the start of the episode."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, "paper")
    values, top, high = spark.values, y + _TITLE_HIGH + 1.0, height - _TITLE_HIGH - 2.0
    least, most = (min(values), max(values)) if values else (0.0, 0.0)
    low = least if spark.floor is None else spark.floor
    ends = f"{_number(low)} to {_number(most)}" if len(values) > 1 else ""
    used = pen.text(x + 3.0, y + 6.0, spark.title, _SIZE, "muted", room=width - 6.0)
    if pen.width(ends, _SIZE) <= width - used - 11.0:
        pen.text(x + width - 3.0, y + 6.0, ends, _SIZE, "muted", "right")
    if len(values) < 2:
        return
    right, up = (width - 2.0) / (len(values) - 1), high / max(most - low, 1e-6)
    points = kept(values, tick, int(width / _PX_A_BIN))
    drawn = [(x + 1.0 + right * place, top + high - up * (value - low)) for place, value in points]
    pen.line(tuple(drawn), spark.colour, 1.5)


def _number(value: float) -> str:
    """Return an end of a scale: two decimals at most, three digits of what is smaller than a thousand.

    >>> _number(0.0), _number(30.52), _number(-0.0851), _number(1250.6)
    ('0', '30.5', '−0.09', '1251')
    """
    rounded = round(value, 2)
    return (f"{rounded:.0f}" if abs(rounded) >= _WHOLE_FROM else f"{rounded:.3g}").replace("-", "−")


def kept(values: tuple[float, ...], tick: int, bins: int) -> list[tuple[int, float]]:
    """Return places and values of the points to draw: the least and the most of every bin, in their order.

    Bins hold a power of two of ticks and begin at multiples of it, counted from the start of the episode, so that a
    bin that is complete never changes: a peak stays as high as it was, and its bin is only joined with the next one.

    >>> kept((0.0, 0.0, 5.0, 0.0), 4, 4)
    [(0, 0.0), (1, 0.0), (2, 5.0), (3, 0.0)]
    >>> kept((0.0, 0.0, 5.0, 0.0, 1.0, 2.0), 6, 3)
    [(0, 0.0), (1, 0.0), (2, 5.0), (3, 0.0), (4, 1.0), (5, 2.0)]
    """
    wide = 1
    while len(values) > wide * bins:
        wide *= 2
    if wide <= 2:
        return list(enumerate(values))
    first, points, start = tick - len(values), list[tuple[int, float]](), 0
    while start < len(values):
        end = min(start + wide - (first + start) % wide, len(values))
        within = values[start:end]
        places = {within.index(min(within)), within.index(max(within))}
        points += [(start + place, within[place]) for place in sorted(places)]
        start = end
    return points if points[-1][0] == len(values) - 1 else [*points, (len(values) - 1, values[-1])]
