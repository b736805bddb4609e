"""Whether a policy's answer is a command at all (T67): of the right shape, finite, and within sense."""

from typing import Any, Final

import numpy as np

from metaverse_env.telemetry import Command

Array = np.ndarray

MOST_OVER_LIMIT: Final = 100.0
"""A wish of more than so many times the most that a zone may have is no wish but a failure."""


def fault_of(answer: Any, zones: tuple[str, ...], most: Array) -> str:
    """Return why an answer cannot be used, with its place and value; ``""`` when it can.

    Args:
        answer: What a policy returned.
        zones: ``Z`` names.
        most: ``[3]``, the most that a zone may have: cores, MB, Mbps.

    >>> fault_of(Command.of([[[np.nan, 1.0, 1.0]]]), ("lobby",), np.full(3, 9.0))
    "zone 'lobby': cpu_cores = nan; must be a finite number"
    """
    if not isinstance(answer, Command):
        return f"a {type(answer).__name__} is no Command; return Command.of(allocation [1, {len(zones)}, 3])"
    if answer.zones.shape != (1, len(zones)):
        return f"a command of shape {answer.zones.shape}; must be (1, {len(zones)})"
    values = np.concatenate([answer.allocation[0], answer.handover[0][:, None]], axis=1).astype(np.float64)
    names = ("cpu_cores", "memory_mb", "bandwidth_mbps", "handover")
    highest = np.array([*(MOST_OVER_LIMIT * most), 1.0])
    for bad, rule in (
        (~np.isfinite(values), "must be a finite number"),
        (values < 0.0, "must not be negative"),
        (values > highest, "must be within reason"),
    ):
        if bad.any():
            zone, column = np.argwhere(bad)[0]
            return f"zone {zones[zone]!r}: {names[column]} = {values[zone, column]:g}; {rule}"
    return ""
