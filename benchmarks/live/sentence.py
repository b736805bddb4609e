"""What a picture says, in sentences for who cannot see it: who suffers, what the controller did. Pure."""

from typing import Final

from metaverse_env.rendering.header import doing, suffering
from metaverse_env.rendering.interface import Interface
from metaverse_env.rendering.marks import latency_words
from metaverse_env.rendering.snapshot import Severity, Snapshot, ZoneSnapshot

_FARES: Final[dict[Severity, str]] = {
    "fine": "below the objective",
    "near": "close to the objective",
    "over": "above the objective",
    "down": "serves nobody",
}


def sentence(world: Snapshot, shown: Interface) -> str:
    """Return the state of a world in words: the header's two sentences, and what concerns who listens.

    Args:
        world: At a tick.
        shown: What is selected, whether time stands still and whether the source answers.
    """
    said = [f"{words.rstrip('.')}." for words in (suffering(world, any_script=True), doing(world))]
    if shown.selected is not None:
        said.append(_selected(world.zones[shown.selected], world.objective_ms))
    if shown.paused:
        said.insert(0, "Paused.")
    if shown.state != "live":
        said.insert(0, f"The {shown.source} is {shown.state}{': ' * bool(shown.state_text)}{shown.state_text}.")
    return " ".join(said)


def _selected(zone: ZoneSnapshot, objective_ms: float) -> str:
    fares = _FARES[zone.severity(objective_ms)]
    return f"Selected: {zone.name}, {zone.users:.0f} users, {latency_words(zone)}, {fares}."
