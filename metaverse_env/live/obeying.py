"""What each command does to a session."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from metaverse_env.errors import ConfigurationError, MetaverseError, UnknownNameError
from metaverse_env.live import commands
from metaverse_env.rendering.interface import LAYERS

if TYPE_CHECKING:
    from metaverse_env.live.session import Session


def checked_speed(ticks_per_s: float) -> float:
    """Return a speed that a session can have.

    Raises:
        ConfigurationError: It cannot.
    """
    least, most = commands.SLOWEST, commands.FASTEST
    if not least <= ticks_per_s <= most:
        raise ConfigurationError(f"speed = {ticks_per_s:g} ticks per second; must be from {least:g} to {most:g}")
    return float(ticks_per_s)


def with_name(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return names with one more in front, unless it is among them."""
    return tuple(names) if name in names else (name, *names)


def _pause(session: "Session", command: commands.Pause) -> None:
    paused = not session.interface.paused if command.on is None else command.on
    session.interface = replace(session.interface, paused=paused)


def _step(session: "Session", _command: commands.Step) -> None:
    session.interface = replace(session.interface, paused=True)
    if session.tick():
        session.phase = 1.0
    elif session.source.paced:
        session.note("the next tick has not come yet")


def _speed(session: "Session", command: commands.Speed) -> None:
    speed = checked_speed(command.ticks_per_s)
    if session.source.paced:
        tick_s = session.snapshot.tick_s
        raise ConfigurationError(f"a {session.source.kind} ticks at its own pace, {tick_s:g} s a tick")
    session.interface = replace(session.interface, ticks_per_s=speed)


def _select(session: "Session", command: commands.Select) -> None:
    zones = len(session.snapshot.zones)
    if command.zone is not None and not 0 <= command.zone < zones:
        raise ConfigurationError(f"there is no zone {command.zone}; give 0 to {zones - 1}")
    session.interface = replace(session.interface, selected=command.zone)


def _switch_policy(session: "Session", command: commands.SwitchPolicy) -> None:
    """Let another policy decide; one that cannot is left out of those that the control goes through."""
    try:
        session.source.switch_policy(command.name)
    except MetaverseError:
        session.policies = tuple(name for name in session.policies if name != command.name or name == session.policy)
        raise
    session.policies = with_name(command.name, session.policies)
    session.note(f"{command.name} decides from now on")


def _switch_scenario(session: "Session", command: commands.SwitchScenario) -> None:
    session.source.switch_scenario(command.name)
    session.scenario, session.scenarios = command.name, with_name(command.name, session.scenarios)
    session.begin()


def _restart(session: "Session", _command: commands.Restart) -> None:
    session.source.restart()
    session.begin()


def _inject(session: "Session", command: commands.Inject) -> None:
    if command.kind not in commands.DISTURBANCES:
        raise UnknownNameError("injection", command.kind, commands.DISTURBANCES)
    place = command.place
    if place is None:
        crowd = command.kind == "flash_crowd"
        place = session.focus if crowd else int(session.source.shell.world.zones.node[session.focus])
    session.note(session.source.inject(replace(command, place=place)))


def _toggle(session: "Session", command: commands.ToggleLayer) -> None:
    if command.name not in LAYERS:
        raise UnknownNameError("layer", command.name, LAYERS)
    session.interface = session.interface.toggled(command.name)


def _photo(session: "Session", _command: commands.Screenshot) -> None:
    session.photos_due += 1


def _record(session: "Session", _command: commands.Record) -> None:
    session.interface = replace(session.interface, recording=not session.interface.recording)


def _help(session: "Session", _command: commands.Help) -> None:
    session.interface = replace(session.interface, help=not session.interface.help)


def _quit(session: "Session", _command: commands.Quit) -> None:
    session.ended = True


DO: Final[dict[type, Callable[["Session", Any], None]]] = {
    commands.Pause: _pause,
    commands.Step: _step,
    commands.Speed: _speed,
    commands.Select: _select,
    commands.SwitchPolicy: _switch_policy,
    commands.SwitchScenario: _switch_scenario,
    commands.Restart: _restart,
    commands.Inject: _inject,
    commands.ToggleLayer: _toggle,
    commands.Screenshot: _photo,
    commands.Record: _record,
    commands.Help: _help,
    commands.Quit: _quit,
}
"""What is done, by kind of command; each raises a :class:`~metaverse_env.errors.MetaverseError` if it cannot be."""
