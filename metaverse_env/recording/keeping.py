"""From turns to a recording: what came of every tick is kept as it is."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.recording.episode import LAYOUT, Origin, Recording, Turn, play
from metaverse_env.telemetry import Telemetry

Array = np.ndarray


def record(
    shell: Shell,
    policy: Policy,
    seeds: Sequence[int],
    ticks: int,
    origin: Origin | None = None,
    tick_done: Callable[[], object] = lambda: None,
) -> Recording:
    """Let a policy act for an episode and keep everything.

    Args:
        shell: The worlds, one for each seed.
        policy: Who decides.
        seeds: ``W`` seeds.
        ticks: ``T``, at least 1.
        origin: How the shell's world was made; the physics without a trace when ``None``.
        tick_done: Called after every tick.

    Raises:
        ConfigurationError: No tick at all.
    """
    if ticks < 1:
        raise ConfigurationError(f"ticks = {ticks}; a recording needs at least 1 tick")
    kept = Keeper()
    for turn in play(shell, policy, seeds, ticks):
        kept.add(turn)
        tick_done()
    return kept.recording(shell, seeds, origin or Origin())


class Keeper:
    """What becomes a recording, turn by turn."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Array]] = {name: [] for name in LAYOUT}

    def __len__(self) -> int:
        return len(self._kept["commands"])

    def add(self, turn: Turn) -> None:
        """Keep a turn; it must follow the one that was added before."""
        if not len(self):
            self._observed(turn.view.telemetry)
        self._observed(turn.step.tick.telemetry)
        self._kept["commands"].append(turn.command.zones.copy())
        self._kept["outcomes"].append(turn.step.tick.outcome.zones)
        self._kept["rewards"].append(turn.step.reward.zones)
        self._kept["world_rewards"].append(turn.step.reward.worlds)

    def _observed(self, telemetry: Telemetry) -> None:
        self._kept["telemetry"].append(telemetry.zones)
        self._kept["weather"].append(telemetry.weather)

    def recording(self, shell: Shell, seeds: Sequence[int], origin: Origin) -> Recording:
        """Return what was kept.

        Args:
            shell: In which it was lived.
            seeds: Of its worlds.
            origin: How its world was made.

        Raises:
            ConfigurationError: No tick at all.
        """
        if not len(self):
            raise ConfigurationError("an episode without a tick cannot be recorded")
        arrays = {name: np.stack(values) for name, values in self._kept.items()}
        origin = replace(origin, intents=shell.view.telemetry.intents.shape[2] > 0)
        return Recording(shell.scenario, tuple(seeds), origin, shell.world.zones.names, **arrays)
