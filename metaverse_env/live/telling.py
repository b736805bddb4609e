"""What the ticker says of a tick: pure functions from records to short sentences."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from metaverse_env.recording.episode import Turn
from metaverse_env.rendering.interface import Message, MessageKind

Array = np.ndarray

NOTICEABLE: Final = 0.01
"""Relative change of an allocation below which nothing is told [choice]."""
_TINY: Final = 1e-6
_AMOUNTS: Final = (("CPU", "{:.2f}", "cores"), ("memory", "{:.0f}", "MB"), ("network", "{:.0f}", "Mbps"))


def told_of(turn: Turn, kind: MessageKind, names: Sequence[str]) -> Iterator[Message]:
    """Yield what the ticker says of a tick; what befalls zones is told by the picture itself.

    Args:
        turn: The tick.
        kind: Whether what was asked for was simulated, tried or real.
        names: Of the zones.
    """
    telemetry = turn.step.tick.telemetry
    words = changed(turn.view.telemetry.zones["pending"][0], telemetry.zones["pending"][0], names)
    if words is not None:
        yield Message(float(telemetry.weather["time_s"][0]), kind, words)


def changed(old: Array, new: Array, names: Sequence[str]) -> str | None:
    """Return the largest change between two allocations, and in how many zones there are others.

    Args:
        old: ``[Z, 3]``: cores, MB, Mbps.
        new: The same.
        names: Of the zones.

    Returns:
        ``None`` where nothing changes.

    >>> old, new = (
    ...     np.array([[1.0, 512.0, 50.0], [2.0, 600.0, 80.0]]),
    ...     np.array([[1.5, 512.0, 50.0], [2.0, 630.0, 80.0]]),
    ... )
    >>> changed(old, new, ("plaza", "arena"))
    'plaza CPU 1.00 to 1.50 cores, and 1 zone more'
    """
    change = np.abs(np.log(np.maximum(new, _TINY) / np.maximum(old, _TINY)))
    zones = int((change > NOTICEABLE).any(axis=1).sum())
    if not zones:
        return None
    zone, resource = divmod(int(change.argmax()), change.shape[1])
    name, digits, unit = _AMOUNTS[resource]
    words = f"{name} {digits.format(old[zone, resource])} to {digits.format(new[zone, resource])} {unit}"
    others = f", and {zones - 1} zone{'s' * (zones > 2)} more" if zones > 1 else ""
    return f"{names[zone]} {words}{others}"
