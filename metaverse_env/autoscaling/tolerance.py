"""How far a ratio may be from 1 before anything is done, and how many replicas there can be at all."""

from typing import Any, Final, NamedTuple

MOST_REPLICAS: Final = 2**31 - 1
"""Replicas are 32-bit integers in Kubernetes; larger wishes end here [V]."""


class Tolerance(NamedTuple):
    """How far usage over target may be from 1 before anything is done; the controller's 0.1 both ways [V]."""

    down: float = 0.1
    up: float = 0.1

    def holds(self, ratio: Any) -> Any:
        """Tell whether a ratio of usage to target is near enough to 1."""
        return (1.0 - self.down <= ratio) & (ratio <= 1.0 + self.up)
