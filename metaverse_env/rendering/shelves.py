"""Nodes as the shelves that their zones stand on: how much of each is given away, and what befell it."""

from typing import Final

from metaverse_env.rendering.designs import CARDS, Level
from metaverse_env.rendering.layout import Box, Shelf
from metaverse_env.rendering.marks import ENLARGED, FULL, NEARLY_FULL
from metaverse_env.rendering.pen import Pen
from metaverse_env.rendering.snapshot import SHORT_NAMES, NodeSnapshot, Triple

_SIZE: Final = 9.8
_SMALLER: Final = 6.4
"""Of letters, on an enlarged shelf."""

_ALL: Final = 1.005
"""Share given that is told as more than 100 %."""


def draw_shelf(pen: Pen, shelf: Shelf, node: NodeSnapshot, level: Level) -> None:
    """Draw one shelf of a node, filled by the share of its scarcest resource that its zones have been given."""
    # the pen stands at the picture's corner: places are pixels, and only sizes of letters are the design's
    _, _, _, height = shelf.box
    draw_ground(pen, shelf.box, max(node.allocated), node.lost)
    if level == "full":
        _write(pen, shelf, node, height / (CARDS[level].height - CARDS[level].shelf))


def draw_ground(pen: Pen, box: Box, taken: float, lost: bool) -> None:
    """Draw a shelf without words: filled by the share that is taken, hatched if its node is lost."""
    x, y, width, height = box
    pen.rectangle(x, y, width, height, "down" if lost else "held")
    if lost:
        for place in range(int(width / (3.0 * height))):  # hatched, not only dark
            left = x + height * (3.0 * place + 1.0)
            pen.line(((left, y + height), (left + height, y)), "muted", 2.0)
    else:
        colour = "over/50" if taken >= FULL else "near/50" if taken >= NEARLY_FULL else "fine/30"
        pen.rectangle(x, y, width * min(taken, 1.0), height, colour)
    pen.rectangle(x, y, width, height, None, "down" if lost else "muted")


def _write(pen: Pen, shelf: Shelf, node: NodeSnapshot, scale: float) -> None:
    """Write what there is room for."""
    x, y, width, height = shelf.box
    size = (_SIZE if scale < ENLARGED else _SMALLER) * scale
    room = width - 6.0 * scale
    told = _words(node)
    words = next((words for words in told if pen.width(words, size) <= room), told[-1])
    if node.lost:
        pen.rectangle(x, y, min(pen.width(words, size) + 8.0 * scale, width), height, "down")
    pen.text(x + 4.0 * scale, y + height / 2, words, size, "card" if node.lost else "ink", room=room)


def _words(node: NodeSnapshot) -> list[str]:
    """Return what can be said, from the longest to the shortest."""
    if node.lost:
        return [f"{node.name} LOST, its replacement is on the way", f"{node.name} LOST"]
    trouble = f", network +{node.slow_ms:.0f} ms" if node.slow_ms > 0.0 else ""
    trouble += f", others take {100 * node.stolen:.0f} % CPU" if node.stolen > 0.0 else ""
    trouble += _promised(node.allocated)
    cores = "" if node.capacity is None else f", {node.capacity[0]:.0f} cores"
    shares = f"{100 * max(node.allocated):.0f} % given" if node.capacity is None else f"given {_shares(node.allocated)}"
    short = f"{node.name}: {100 * max(node.allocated):.0f} % given"
    everything = [f"{node.name}{cores}: {shares}{trouble}", f"{node.name}: {shares}{trouble}", f"{short}{trouble}"]
    return [*everything, short, node.name]


def _promised(shares: Triple) -> str:
    """Say of what a node has given more than there is: zones then share it."""
    names = [name for name, share in zip(SHORT_NAMES, shares, strict=True) if share > _ALL]
    return f" ({' '.join(names)}: more than it has)" if names else ""


def _shares(shares: Triple) -> str:
    return " ".join(f"{name} {100 * share:.0f}" for name, share in zip(SHORT_NAMES, shares, strict=True)) + " %"
