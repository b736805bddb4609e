"""The quantities that are steered, and the record of every one that a rule changed."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

Array = np.ndarray

QUANTITIES: Final = ("cpu_cores", "memory_mb", "bandwidth_mbps", "replicas")
"""Columns of a wish: of one pod cores, MB and Mbps; and how many pods there are."""
UNITS: Final = ("cores", "MB", "Mbps", "pods")
GRAINS: Final = np.array([1e-3, 1e-3, 1e-3, 1.0])
"""What percentages are rounded to, as an autoscaler rounds to whole pods."""
CPU, MEMORY, BANDWIDTH, REPLICAS = range(4)


class Clamp(NamedTuple):
    """One value that a rule changed.

    Attributes:
        zone: Whose it is.
        quantity: One of :data:`QUANTITIES`.
        rule: Which rule.
        before: As it came to the rule, in the quantity's unit; ``nan`` where nothing was asked.
        after: As it left it.
        reason: Why, for people.
    """

    zone: str
    quantity: str
    rule: str
    before: float
    after: float
    reason: str


def clamps_of(rule: str, before: Array, after: Array, zones: Sequence[str], reasons: Any) -> tuple[Clamp, ...]:
    """Return a clamp for every value that a rule changed.

    Args:
        rule: Its name.
        before: ``[Z, 4]``.
        after: ``[Z, 4]``.
        zones: ``Z`` names.
        reasons: One text, or an array of them that broadcasts to ``[Z, 4]``.

    >>> clamps_of("limits", np.array([[5.0]]), np.array([[4.0]]), ["a"], "at most 4 cores")
    (Clamp(zone='a', quantity='cpu_cores', rule='limits', before=5.0, after=4.0, reason='at most 4 cores'),)
    """
    changed = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    if not changed.any():
        return ()
    texts = np.broadcast_to(np.asarray(reasons, dtype=object), before.shape)
    return tuple(
        Clamp(zones[z], QUANTITIES[q], rule, float(before[z, q]), float(after[z, q]), str(texts[z, q]))
        for z, q in np.argwhere(changed)
    )
