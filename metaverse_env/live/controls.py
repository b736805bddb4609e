"""From keys, buttons and clicks to commands: what a control of the picture means in the state that a session is in."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from metaverse_env.errors import UnknownNameError
from metaverse_env.live.commands import (
    FASTEST,
    SLOWEST,
    Command,
    Help,
    Inject,
    Pause,
    Quit,
    Record,
    Restart,
    Screenshot,
    Select,
    Speed,
    Step,
    SwitchPolicy,
    SwitchScenario,
    ToggleLayer,
)
from metaverse_env.rendering.interface import LAYERS

if TYPE_CHECKING:
    from metaverse_env.live.session import Session

_LAYER: Final = "layer:"


def meaning(control: str, session: "Session", zone: int = -1) -> Command:
    """Return the command of a control, by its name in :data:`~metaverse_env.rendering.interface.CONTROLS`.

    Args:
        control: Also ``"layer:NAME"`` or ``"zone"``, as what is hit by a click is called.
        session: What is selected, chosen and shown in it decides what is next.
        zone: Which one was clicked.

    Raises:
        UnknownNameError: No control has this name.
    """
    if control.startswith(_LAYER) and control.removeprefix(_LAYER) in LAYERS:
        return ToggleLayer(control.removeprefix(_LAYER))
    if control == "zone":
        return Select(None if session.interface.selected == zone else zone)
    if control not in _MEANINGS:
        raise UnknownNameError("control", control[:80], _MEANINGS)
    return _MEANINGS[control](session)


def _after(name: str, names: Sequence[str]) -> str:
    """Return what follows a name in a circle; the first one after a name that is not in it."""
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]


def _neighbour(session: "Session", by: int) -> Select:
    count, selected = len(session.source.shell.world.zones), session.interface.selected
    if selected is None:
        return Select(0 if by > 0 else count - 1)
    return Select((selected + by) % count)


def _close(session: "Session") -> Command:
    """Close what lies on top: the help, else the panel of a zone, else all."""
    if session.interface.help:
        return Help()
    return Quit() if session.interface.selected is None else Select(None)


_MEANINGS: Final[dict[str, Callable[["Session"], Command]]] = {
    "pause": lambda session: Pause(),
    "step": lambda session: Step(),
    "slower": lambda session: Speed(max(SLOWEST, 0.5 * session.interface.ticks_per_s)),
    "faster": lambda session: Speed(min(FASTEST, 2.0 * session.interface.ticks_per_s)),
    "policy": lambda session: SwitchPolicy(_after(session.source.policy, session.policies)),
    "scenario": lambda session: SwitchScenario(_after(session.scenario, session.scenarios)),
    "crowd": lambda session: Inject("flash_crowd"),
    "fail": lambda session: Inject("node_failure"),
    "restart": lambda session: Restart(),
    "screenshot": lambda session: Screenshot(),
    "record": lambda session: Record(),
    "next_zone": lambda session: _neighbour(session, 1),
    "previous_zone": lambda session: _neighbour(session, -1),
    "unselect": _close,
    "help": lambda session: Help(),
    "quit": lambda session: Quit(),
}
