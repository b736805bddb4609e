"""Users as moving dots: where each is at every moment between two ticks. Arrays, for there are many of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

Array = np.ndarray

KINDS: Final = ("here", "suffering", "arriving", "leaving", "travelling")
"""What a dot is doing; :attr:`Dots.kind` holds indices into this. Each is the name of a colour, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Dots that move in a tick: from a start past one bend to an end, while they grow or shrink.

    Attributes:
        start: ``float32 [N, 2]``, x and y at phase 0, px.
        bend: ``float32 [N, 2]``, where a dot passes on its way, px.
        end: ``float32 [N, 2]``, at phase 1, px.
        turn: ``float32 [N]``, the phase in (0, 1) at which it passes the bend.
        size: ``float32 [N, 2]``, share of the full radius at phase 0 and at phase 1; 0 is not there.
        kind: ``uint8 [N]``, index into :data:`KINDS`.
        radius: Of a full dot, px.
        weight: Users that one dot stands for.
    """

    start: Array
    bend: Array
    end: Array
    turn: Array
    size: Array
    kind: Array
    radius: float
    weight: int

    def __len__(self) -> int:
        return len(self.kind)

    def at(self, phase: float) -> tuple[Array, Array]:
        """Return places ``float32 [N, 2]``, px, and radii ``float32 [N]``, px, at a phase in [0, 1]."""
        turn = self.turn[:, None]
        first = self.start + (self.bend - self.start) * np.minimum(phase / turn, 1.0)
        place = first + (self.end - self.bend) * np.maximum((phase - turn) / (1.0 - turn), 0.0)
        radius = self.radius * (self.size[:, 0] + (self.size[:, 1] - self.size[:, 0]) * phase)
        return place.astype(np.float32), radius.astype(np.float32)


def _none() -> Dots:
    places, sizes = np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    return Dots(places, places, places, np.zeros(0, np.float32), sizes, np.zeros(0, np.uint8), 2.0, 1)


NO_DOTS: Final = _none()
