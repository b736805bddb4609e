"""What may be asked of a world at all, a simulation or a cluster."""

from typing import Any, NoReturn

import numpy as np

from metaverse_env.compiling import entry_point
from metaverse_env.errors import ActionError
from metaverse_env.simulator.records import COMMAND
from metaverse_env.telemetry import Command
from metaverse_env.units import RESOURCE_UNITS, RESOURCES


@entry_point
def _first_bad(commands: Any) -> int:
    """Return the flat index of the first value that is not finite or is negative, or -1; handover is the fourth."""
    for w in range(commands.shape[0]):
        for z in range(commands.shape[1]):
            command = commands[w, z]
            for resource in range(3):
                if not 0.0 <= command.allocation[resource] < np.inf:
                    return (w * commands.shape[1] + z) * 4 + resource
            if not 0.0 <= command.handover <= 1.0:
                return (w * commands.shape[1] + z) * 4 + 3
    return -1


def check_command(command: Command, worlds: int, names: tuple[str, ...]) -> None:
    """Refuse what no world can do.

    Args:
        command: What is asked.
        worlds: ``W``.
        names: Of the ``Z`` zones.

    Raises:
        ActionError: Another shape, or a value that is not finite or is negative.
    """
    commands, shape = command.zones, (worlds, len(names))
    if commands.shape != shape or commands.dtype != COMMAND:
        raise ActionError(
            f"allocation needs shape {(*shape, 3)} (worlds, zones, resources), got {(*commands.shape, 3)}; "
            f"build the command with Command.of"
        )
    if (bad := _first_bad(commands)) >= 0:
        _refuse(commands, bad, names)


def _refuse(commands: Any, bad: int, names: tuple[str, ...]) -> NoReturn:
    place, field = divmod(bad, 4)
    world, zone = divmod(place, len(names))
    name, unit = (
        (RESOURCES[field], RESOURCE_UNITS[field]) if field < 3 else ("handover", "share of new sessions, 0 to 1")
    )
    value = commands["allocation"][world, zone, field] if field < 3 else commands["handover"][world, zone]
    raise ActionError(f"zone {names[zone]!r} (world {world}): {name} = {value} {unit}; must be finite and >= 0")
