"""What was last answered for each zone: written by the thread that forecasts, read by scrapes and by ``/zones``."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from metaverse_env.units import TARGETS


class Shown(NamedTuple):
    """An answer of ``/predict``.

    Attributes:
        values: In the order of the targets; ``None`` where there was no finite answer.
        reported_s: Unix time of the report that it answers, s.
    """

    values: Sequence[float] | None
    reported_s: float

    def named(self) -> dict[str, float]:
        """Return the values by target."""
        return dict(zip(TARGETS, self.values or (), strict=True))


class Board:
    """The last answers, by zone.

    Args:
        keep_s: How long an answer is shown without a new one, s.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._shown: dict[str, Shown] = {}

    def show(self, zone: str, values: Sequence[float] | None) -> Shown:
        """Put up an answer, or that there is none, and return what is shown."""
        shown = self._shown[zone] = Shown(values, time.time())
        return shown

    def take_down(self, zone: str) -> None:
        """Show nothing of a zone any more."""
        self._shown.pop(zone, None)

    def current(self) -> dict[str, Shown]:
        """Return what is shown and not yet too old."""
        oldest_s = time.time() - self._keep_s
        # list() takes its copy in one step of the interpreter, so that the other thread cannot come between
        return {zone: shown for zone, shown in list(self._shown.items()) if shown.reported_s > oldest_s}
