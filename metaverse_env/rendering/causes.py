"""Why the users of a zone suffer, as far as what is seen tells it: a few words, the most likely cause first. Pure."""

from collections.abc import Iterator
from typing import Final

from metaverse_env.rendering.around import NodeSnapshot
from metaverse_env.rendering.marks import FULL, NEARLY_FULL
from metaverse_env.rendering.snapshot import RESOURCES, Snapshot, ZoneSnapshot

STOLEN: Final = 0.05
"""Share of a node's CPU that others take from which that is a cause. [choice]"""

_LIMITS: Final = ("CPU at limit", "memory at limit", "network at limit")
_NODES: Final = ("{}: CPU full", "{}: memory full", "{}: network full")


def cause(world: Snapshot, zone: ZoneSnapshot) -> str:
    """Return why the users of a zone suffer; empty for one that does not, or where nothing that is seen explains it."""
    if zone.severity(world.objective_ms) not in ("over", "down"):
        return ""
    return next(_causes(zone, world.nodes[zone.node] if zone.node < len(world.nodes) else None), "")


def _causes(zone: ZoneSnapshot, node: NodeSnapshot | None) -> Iterator[str]:
    if node is not None and node.lost:
        yield f"{node.name} lost"
    if zone.out_of_memory:
        yield "killed: out of memory"
    if zone.down:
        yield "restarts"
        return
    yield from (words for words, used in zip(_LIMITS, zone.utilisation, strict=True) if used >= FULL)
    if node is not None:
        yield from _at_node(node)
    if zone.crowded:
        yield f"crowd: arrivals ×{zone.crowd:.1f}"
    parts = zip(RESOURCES, zone.utilisation, strict=True)
    yield from (f"{name} {100 * used:.0f} % in use" for name, used in parts if used >= NEARLY_FULL)


def _at_node(node: NodeSnapshot) -> Iterator[str]:
    """Yield what is wrong with a node."""
    used = node.used or (0.0, 0.0, 0.0)
    yield from (words.format(node.name) for words, share in zip(_NODES, used, strict=True) if share >= FULL)
    if node.slow_ms > 0.0:
        yield f"slow network +{node.slow_ms:.0f} ms"
    if node.stolen >= STOLEN:
        yield f"CPU steal {100 * node.stolen:.0f} %"
