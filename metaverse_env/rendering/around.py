"""What lies around the zones, as plain values: nodes, users on the way, and who is served by a neighbour."""

from dataclasses import dataclass
from typing import NamedTuple

Triple = tuple[float, float, float]


class Flow(NamedTuple):
    """Users on the way between two zones at the end of the tick, who left together.

    Attributes:
        source: Where they come from.
        goal: Where they go.
        travel_ticks: How long the way is.
        ahead_ticks: How much of it is left.
        users: How many they are.
    """

    source: int
    goal: int
    travel_ticks: int
    ahead_ticks: int
    users: int


class Served(NamedTuple):
    """The share of a zone's users whom a neighbour serves."""

    source: int
    goal: int
    share: float


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """One node.

    Attributes:
        name: Its name.
        zones: Who lives there.
        allocated: Share of its cores, MB, Mbps that its zones have; of a cluster only the largest is known, thrice.
        used: Share that they use; ``None`` where capacities are not known.
        capacity: Cores, MB, Mbps; ``None`` where they are not known.
        lost: Whether it is gone and waits for its replacement.
        slow_ms: Round trip that a degraded network adds.
        stolen: Share of CPU that others take.
    """

    name: str
    zones: tuple[int, ...]
    allocated: Triple
    used: Triple | None = None
    capacity: Triple | None = None
    lost: bool = False
    slow_ms: float = 0.0
    stolen: float = 0.0
