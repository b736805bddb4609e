"""The details of the selected zone: its past half hour, its forecast, and what happened to it."""

from typing import Final, NamedTuple

import numpy as np

from metaverse_env.rendering.chronicle import COLUMNS, ROWS
from metaverse_env.rendering.icons import draw_icon
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.layout import PANEL
from metaverse_env.rendering.lettering import spelled
from metaverse_env.rendering.marks import count_words, draw_band, draw_latency, time_words, warning
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.shapes import Hit
from metaverse_env.rendering.snapshot import Snapshot, ZoneSnapshot
from metaverse_env.units import SECONDS_PER_HOUR

Array = np.ndarray
Ahead = tuple[tuple[float, float], ...]

_LEFT: Final = 14.0
_WIDE: Final = PANEL - 28.0
_CHARTS_FROM: Final = 92.0
_EDGE: Final = 1.0
"""Of a plot, kept free, for a line has a thickness."""
_SHARES: Final = (70, 30)
"""Percent of a chart's width for the past and for the forecast."""

_EVENTS_HIGH: Final = 84.0
_WHOLE_FROM: Final = 100.0
"""Ends of scales from which they are told as whole numbers."""
_IN_MINUTES: Final = 600.0
"""Seconds from which a time is told in minutes."""
_SECONDS_PER_MINUTE: Final = SECONDS_PER_HOUR / 60.0


class Chart(NamedTuple):
    """A value over time.

    Attributes:
        title: What it is.
        now: The present value in words.
        past: One value a tick, the present one last.
        ahead: Forecast (median, p90) at each tick ahead.
        limit: What it should keep below, one value a tick as ``past``; empty without one.
        limit_words: What that is.
    """

    title: str
    now: str
    past: Array
    ahead: Ahead
    limit: Array
    limit_words: str


def draw_panel(pen: Pen, world: Snapshot, interface: Interface, index: int, height: float) -> Hit:
    """Draw the panel of a zone, ``height`` high, ``pen`` standing at its corner; return what closes it."""
    zone = world.zones[index]
    pen.rectangle(0.0, 0.0, PANEL, height, "card")
    pen.rectangle(0.0, 0.0, 2.0, height, "ink")
    pen.text(_LEFT, 18.0, spelled(zone.name, index + 1, interface.any_script), 18.0, room=_WIDE - 34.0)
    pen.text(PANEL - 20.0, 17.0, "×", 20.0, "muted", "middle")
    draw_latency(pen, zone, zone.severity(world.objective_ms), (_LEFT, 32.0, 74.0, 19.0), 14.0)
    _draw_words(pen, world, zone)
    charts = _charts(world, zone, index)
    _draw_times(pen, world)
    high = (height - _CHARTS_FROM - _EVENTS_HIGH) / len(charts)
    for place, chart in enumerate(charts):
        _draw_chart(pen, chart, world, _CHARTS_FROM + high * place, high)
    _draw_events(pen, world, index, height - _EVENTS_HIGH)
    corner = pen.x + (PANEL - 36.0) * pen.scale, pen.y, 36.0 * pen.scale, 34.0 * pen.scale
    return Hit(*corner, "unselect")


def _draw_words(pen: Pen, world: Snapshot, zone: ZoneSnapshot) -> None:
    """Say how many are here, on which node, and what they do and announce."""
    people = f"{count_words(zone.users)} users"
    node = f" on {world.nodes[zone.node].name}" if zone.node < len(world.nodes) else ""
    pen.text(_LEFT + 84.0, 41.5, people + node, 12.0, room=_WIDE - 84.0)
    x = _LEFT + 6.0
    if zone.activity:
        draw_icon(pen, zone.activity, x, 65.0, 6.0)
        x += 12.0 + pen.text(x + 10.0, 65.0, zone.activity, 12.0, room=90.0)
    if zone.announced:
        pen.pointer(x + 8.0, 65.0, 4.0, "less")
        draw_icon(pen, zone.announced, x + 24.0, 65.0, 6.0, "less")
        pen.text(x + 34.0, 65.0, f"{zone.announced} announced", 12.0, "less", room=_LEFT + _WIDE - x - 34.0)


def _present(world: Snapshot) -> float:
    """Return where the present is, in charts."""
    return _LEFT + _WIDE * (_SHARES[0] / 100 if world.ticks_ahead else 1.0)


def _draw_times(pen: Pen, world: Snapshot) -> None:
    """Write over the charts when their left end, the present and their right end are."""
    y, present = _CHARTS_FROM - 5.0, _present(world)
    pen.text(_LEFT, y, f"{ROWS * world.tick_s / _SECONDS_PER_MINUTE:.0f} min ago", 9.5, "muted")
    pen.text(present, y, "now", 9.5, "muted", "middle" if world.ticks_ahead else "right")
    if world.ticks_ahead:
        ahead = f"in {world.ticks_ahead[-1] * world.tick_s / _SECONDS_PER_MINUTE:.0f} min"
        pen.text(_LEFT + _WIDE, y, ahead, 9.5, "muted", "right")


def _charts(world: Snapshot, zone: ZoneSnapshot, index: int) -> tuple[Chart, ...]:
    rows = [row.values[index] for row in world.trail.rows if index < len(row.values)]
    now = (zone.users, zone.latency_ms, *zone.usage, *zone.allocation)
    past = dict(zip(COLUMNS, np.array(rows or [now], dtype=np.float64).T, strict=True))
    objective = np.full(len(rows) or 1, world.objective_ms)
    cpu, memory, bandwidth = zone.usage
    none = np.zeros(0)
    return (
        Chart("Users", count_words(zone.users), past["users"], (), none, ""),
        Chart(
            "p95 latency",
            time_words(zone.latency_ms),
            past["latency_ms"],
            zone.latency_ahead_ms,
            objective,
            f"grey: objective {world.objective_ms:.0f} ms",
        ),
        Chart(
            "CPU",
            f"{cpu:.2f} of {zone.allocation[0]:.2f} cores",
            past["cpu_cores"],
            zone.cpu_ahead_cores,
            past["allocated_cpu_cores"],
            "grey: given",
        ),
        Chart(
            "Memory",
            f"{memory:.0f} of {zone.allocation[1]:.0f} MB",
            past["memory_mb"],
            zone.memory_ahead_mb,
            past["allocated_memory_mb"],
            "grey: given",
        ),
        Chart(
            "Network",
            f"{bandwidth:.0f} of {zone.allocation[2]:.0f} Mbps",
            past["bandwidth_mbps"],
            zone.bandwidth_ahead_mbps,
            past["allocated_bandwidth_mbps"],
            "grey: given",
        ),
    )


def _draw_chart(pen: Pen, chart: Chart, world: Snapshot, y: float, height: float) -> None:
    """Draw a chart: the past, the present as a line, the forecast as a band that fades, the limit in grey."""
    used = pen.text(_LEFT, y + 6.0, chart.title, 11.5, room=90.0)
    used += 8.0 + pen.text(_LEFT + used + 8.0, y + 6.0, chart.now, 11.5, "muted", room=_WIDE - used - 8.0)
    top, high = y + 14.0, height - 20.0
    pen.rectangle(_LEFT, top, _WIDE, high, "paper")
    most = max(chart.past.max(), chart.limit.max(initial=0.0), *(p90 for _, p90 in chart.ahead), 1e-6) * 1.05
    present = _present(world)
    scale = f"0 to {most:.3g}" if most < _WHOLE_FROM else f"0 to {most:.0f}"
    says = (f"{chart.limit_words}; {scale}" if chart.limit_words else scale, scale)
    room = _WIDE - used - 8.0
    fits = next((words for words in says if pen.width(words, 9.5) <= room), "")
    pen.text(_LEFT + _WIDE, y + 6.0, fits, 9.5, "muted", "right")

    def place(share: float, value: float) -> tuple[float, float]:
        wide = present - _LEFT if share <= 0.0 else _LEFT + _WIDE - _EDGE - present
        return present + share * wide, top + _EDGE + (high - 2.0 * _EDGE) * (1.0 - min(max(value, 0.0) / most, 1.0))

    def drawn(values: Array) -> tuple[tuple[float, float], ...]:
        return tuple(place((t + 1 - len(values)) / ROWS, value) for t, value in enumerate(values.tolist()))

    if chart.ahead:
        shares, start = [tick / world.ticks_ahead[-1] for tick in world.ticks_ahead], place(0.0, chart.past[-1])
        upper = [place(share, p90) for share, (_, p90) in zip(shares, chart.ahead, strict=True)]
        lower = [place(share, median) for share, (median, _) in zip(shares, chart.ahead, strict=True)]
        draw_band(pen, (start, *upper), (start, *lower), warning(chart.ahead, chart.limit[-1]))
        pen.rectangle(present - 0.5, top, 1.0, high, "muted")
    if len(chart.past) > 1:
        if len(chart.limit):
            pen.line(drawn(chart.limit), "muted", 1.0)
        pen.line(drawn(chart.past), "ink", 1.5)


def _draw_events(pen: Pen, world: Snapshot, index: int, y: float) -> None:
    """Write what happened to the zone, the latest first."""
    pen.rectangle(_LEFT, y - 1.0, _WIDE, 1.0, "line")
    zone = world.zones[index]
    node = zone.node
    mine = [event for event in reversed(world.trail.events) if event.zone == index or 0 <= event.node == node]
    for place, event in enumerate(mine[:5]):
        ago = (world.trail.tick - event.tick) * world.tick_s
        when = "now" if ago <= 0.0 else _ago(ago)
        line = y + 10.0 + 15.0 * place
        pen.text(_LEFT + 54.0, line, when, 10.6, "muted", "right", room=54.0)
        said = event.text if event.node < 0 else f"{world.nodes[node].name} {event.text}"
        pen.text(_LEFT + 60.0, line, said, 10.6, room=_WIDE - 60.0)
    if not mine:
        pen.text(_LEFT, y + 10.0, "Nothing happened to it yet.", 10.6, "muted", room=_WIDE)


def _ago(seconds: float) -> str:
    """Return how long ago something was.

    >>> _ago(45.0), _ago(1080.0)
    ('45 s ago', '18 min ago')
    """
    return f"{seconds:.0f} s ago" if seconds < _IN_MINUTES else f"{seconds / _SECONDS_PER_MINUTE:.0f} min ago"
