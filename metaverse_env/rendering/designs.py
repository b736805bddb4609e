"""How cards are designed: one for each amount that a card can tell."""

from typing import Final, Literal, NamedTuple

Level = Literal["full", "compact", "dot", "point"]
Point = tuple[float, float]


class Design(NamedTuple):
    """How a card is designed, px; it grows with its cell.

    Attributes:
        width: Of the cell, its gap to the next one excluded.
        height: The same.
        card: How high the card itself is; below it are the street and the shelf.
        crowd: Middle of the crowd of users.
        radius: Of the largest crowd.
        street: Middle of the street in front of the zones.
        shelf: Top of the node's shelf, which ends at ``height``.
    """

    width: float
    height: float
    card: float
    crowd: Point
    radius: float
    street: float
    shelf: float


CARDS: Final[dict[Level, Design]] = {
    "full": Design(200.0, 106.0, 91.0, (44.0, 46.5), 39.0, 92.8, 94.4),
    "compact": Design(102.0, 56.0, 47.0, (20.0, 19.0), 15.0, 49.0, 51.0),
    "dot": Design(62.0, 34.0, 28.5, (15.0, 14.0), 12.0, 29.8, 31.0),
    "point": Design(4.0, 2.0, 2.0, (2.0, 1.0), 1.0, 1.0, 2.0),
}
"""By how much they tell, the most first."""
