"""The parts of a card: latency, bars, triangles, the curve of latency with its forecast. Each says one thing."""

from typing import Final

from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import NOTICEABLE, Severity, ZoneSnapshot

MOST_SHOWN: Final = 1.6
"""Multiple of the allocation up to which the mark of a bar goes; the largest discrete factor of the catalogue."""

_OVERHANG: Final = 3.0 / 11.0
"""Share of a bar's height by which its mark is longer at each end."""

_EDGE: Final = 1.0
"""Of a curve's box, kept free, for a line has a thickness."""

NEARLY_FULL: Final = 0.8
FULL: Final = 0.95
"""Utilisation from which a bar warns, and from which it alarms; a choice."""

ENLARGED: Final = 1.9
"""Scale from which a full card says more in smaller letters; a choice."""

PAST_TICKS: Final = 24
"""Ticks of the past that the curve of a card shows: six minutes of 15 s; a choice."""

Box = tuple[float, float, float, float]
Ahead = tuple[tuple[float, float], ...]
Points = tuple[tuple[float, float], ...]

FADES: Final = (50, 30, 15)
"""Shades of a forecast's band, from one tick ahead that is forecast to the next; the last one for all others."""


def latency_words(zone: ZoneSnapshot, ms: str = " ms") -> str:
    """Return the latency in words; from a second on in seconds, which is shorter."""
    if zone.down:
        return "OOM" if zone.out_of_memory else "DOWN"
    return time_words(zone.latency_ms, ms)


def time_words(time_ms: float, ms: str = " ms") -> str:
    """Return a latency in words, the same way everywhere.

    >>> time_words(47.2), time_words(1500.0)
    ('47 ms', '1.5 s')
    """
    return f"{time_ms:.0f}{ms}" if time_ms < 999.5 else f"{time_ms / 1000.0:.1f} s"


def count_words(users: float) -> str:
    """Return a number of users, shortened from ten thousand on.

    >>> count_words(996.0), count_words(9999.0), count_words(123456.0), count_words(2.5e6)
    ('996', '9999', '123k', '2.5M')
    """
    if users < 9_999.5:
        return f"{users:.0f}"
    return f"{users / 1e3:.0f}k" if users < 999_500.0 else f"{users / 1e6:.1f}M"


def draw_latency(pen: Pen, zone: ZoneSnapshot, severity: Severity, box: Box, size: float) -> None:
    """Draw the latency on a pill of the severity's colour."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, severity, corner=height / 2)
    colour = "ink" if severity == "near" else "card"
    pen.text(x + width / 2, y + height / 2, latency_words(zone), size, colour, "middle", room=width - 4.0)


def draw_bar(pen: Pen, zone: ZoneSnapshot, resource: int, box: Box) -> None:
    """Draw the allocation as a frame, what is in use as its filling, at most all of it, and the wish as a mark."""
    x, y, width, height = box
    whole = width / MOST_SHOWN
    used, over = min(zone.utilisation[resource], 1.0), _OVERHANG * height
    given = zone.allocation[resource]
    asked = min(zone.pending[resource] / given, MOST_SHOWN) if given > 0.0 else 0.0
    pen.rectangle(x, y, whole, height, "held", "muted")
    pen.rectangle(x, y, whole * used, height, _filling(zone, used))
    pen.rectangle(x + whole * asked - 0.75, y - over, 1.5, height + 2.0 * over, "ink")


def _filling(zone: ZoneSnapshot, used: float) -> str:
    if zone.stale_s > 0.0:
        return "muted"
    return "over" if used >= FULL else "near" if used >= NEARLY_FULL else "in_use"


def draw_change(pen: Pen, change: float, x: float, y: float, half: float) -> None:
    """Draw what the controller did in this tick: a triangle up or down, or nothing."""
    if abs(change - 1.0) > NOTICEABLE:
        up = change > 1.0
        pen.triangle(x, y, half, up, "more" if up else "less")


def draw_curve(pen: Pen, box: Box, past: tuple[float, ...], ahead: Ahead, ticks: tuple[int, ...], limit: float) -> None:
    """Draw the past of a value and its forecast as a band that fades the farther it looks, over the limit to keep.

    Args:
        pen: Draws it.
        box: Where; the limit is half way up.
        past: One value a tick, the present one last.
        ahead: Forecast (median, p90) at each of ``ticks`` ahead; empty without one.
        ticks: Ticks ahead, ascending.
        limit: What the value should not exceed.
    """
    x, y, width, height = box
    pen.rectangle(x, y, width, height, "paper")
    step = width / (PAST_TICKS + (ticks[-1] if ahead else 0))
    now, bottom, up = x + step * PAST_TICKS, y + height, height / (2.0 * limit) if limit > 0.0 else 0.0

    def level(value: float) -> float:
        return bottom - min(max(value * up, _EDGE), height - _EDGE)

    if ahead:
        start = now, level(past[-1])
        right = [min(now + step * tick, x + width - _EDGE) for tick in ticks]
        upper = [(px, level(p90)) for px, (_, p90) in zip(right, ahead, strict=True)]
        lower = [(px, level(median)) for px, (median, _) in zip(right, ahead, strict=True)]
        draw_band(pen, (start, *upper), (start, *lower), warning(ahead, limit))
    pen.rectangle(x, y + height / 2 - 0.5, width, 1.0, "muted")
    shown = past[-PAST_TICKS - 1 :]
    first = now - step * (len(shown) - 1)
    if len(shown) > 1:
        places = [(first + step * place, level(value)) for place, value in enumerate(shown)]
        pen.line(tuple(places), "ink", 1.5)
    if ahead:
        pen.rectangle(now - 0.5, y, 1.0, height, "muted")


def warning(ahead: Ahead, limit: float) -> str:
    """Return the colour of a forecast: whether its median, or only its p90, exceeds the limit."""
    if max(ahead)[0] > limit:
        return "over"
    return "near" if max(p90 for _, p90 in ahead) > limit else "fine"


def draw_band(pen: Pen, upper: Points, lower: Points, colour: str) -> None:
    """Draw the band between median and p90, fainter from one tick ahead to the next, and the median."""
    for place in range(len(upper) - 1):
        shade = f"{colour}/{FADES[min(place, len(FADES) - 1)]}"
        pen.polygon((lower[place], upper[place], upper[place + 1], lower[place + 1]), shade)
    pen.line(lower, colour, 1.5)
