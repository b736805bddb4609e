"""Ticks of a recorded episode, lived again: what is shown is computed anew and compared with what was recorded."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ConfigurationError
from metaverse_env.live.commands import Inject
from metaverse_env.live.telling import told_of
from metaverse_env.recording.episode import LAYOUT, Recording, take_turn
from metaverse_env.recording.file import load_recording
from metaverse_env.recording.replaying import Replayed, lived
from metaverse_env.rendering.interface import Message, SourceState
from metaverse_env.rendering.interface import Source as Kind
from metaverse_env.rendering.snapshot import Wish
from metaverse_env.wrapping import simulated

Array = np.ndarray

TOLERANCE: Final = 1e-3
"""Relative difference up to which a number counts as the recorded one [choice]: another processor may round otherwise,
and nobody sees it."""


FORECASTER: Final = "stgnn"
"""Forecasts where nobody says who did: that of ``metaverse live`` [choice]."""


class Replay:
    """A :class:`~metaverse_env.live.sources.Source` of one world of a recording.

    Args:
        path: Of a file that :func:`~metaverse_env.recording.save_recording` wrote.
        world: Which of its worlds.
        forecaster: What is believed of the future, which is computed anew, too; the recorded one when empty, or
            :data:`FORECASTER` where none is recorded.

    Raises:
        MetaverseError: It cannot be read or lived again, or has no such world.
    """

    kind: Kind = "replay"
    wishes: tuple[Wish, ...] = ()
    paced = False

    def __init__(self, path: Path, world: int = 0, forecaster: str = "") -> None:
        self.text = path.name
        self._recording = one_world(load_recording(path), world)
        self._forecaster = forecaster or self._recording.origin.forecaster or FORECASTER
        self.policy = self._recording.origin.policy
        self._departed = ""
        self.restart()

    def restart(self) -> None:
        """Start the episode anew."""
        recording = self._recording
        made = lived(recording)
        if (inside := simulated(made)) is not None:
            inside.watch()
        self.shell = Shell(recording.scenario, forecaster=self._forecaster, world=made, remember=True)
        self.shell.reset(list(recording.seeds))
        self._policy = Replayed(recording.commands)
        self.step: Step | None = None
        self.ticks, self._departed = 0, ""
        self._messages: list[Message] = []

    @property
    def length(self) -> int:
        """How many ticks were recorded."""
        return self._recording.ticks

    @property
    def state(self) -> tuple[SourceState, str]:
        """Whether there is more of it, and whether it is what was recorded."""
        ended = self.ticks >= self._recording.ticks
        return ("ended", self._departed or "the recording is over") if ended else ("live", self._departed)

    def tick(self) -> bool:
        """Let what was asked for once happen again."""
        if self.ticks >= self._recording.ticks:
            return False
        turn = take_turn(self.shell, self._policy, self.ticks)
        self.step = turn.step
        self._compare(turn.step)
        self.ticks += 1
        self._messages += told_of(turn, "simulated", self.shell.world.zones.names)
        return True

    def _compare(self, step: Step) -> None:
        """Say once if the world goes another way than it went."""
        if self._departed:
            return
        now = {"telemetry": step.tick.telemetry.zones, "outcomes": step.tick.outcome.zones}
        for array, records in now.items():
            recorded = getattr(self._recording, array)[self.ticks + (array == "telemetry")]
            for column in LAYOUT[array].names or ():
                if not np.allclose(records[column], recorded[column], TOLERANCE, TOLERANCE, equal_nan=True):
                    self._departed = f"lived again, it departs from the recording in tick {self.ticks + 1}: {column}"
                    time_s = float(step.tick.telemetry.weather["time_s"][0])
                    self._messages.append(Message(time_s, "note", self._departed, ok=False))
                    return

    def messages(self) -> Sequence[Message]:
        """Return what the ticker has not been told yet."""
        told, self._messages = self._messages, []
        return told

    def switch_policy(self, name: str) -> None:
        """Refuse: what is recorded is decided."""
        raise ConfigurationError(f"a recorded episode is decided; let {name} decide in a simulation")

    def switch_scenario(self, name: str) -> None:
        """Refuse: a recording is of one scenario."""
        raise ConfigurationError(f"a recorded episode is of one scenario; see {name} in a simulation")

    def inject(self, asked: Inject) -> str:
        """Refuse: what is recorded has happened."""
        raise ConfigurationError(f"a recorded episode has happened; {asked.kind} is for a simulation")

    def close(self) -> None:
        """Nothing is open."""


def one_world(recording: Recording, world: int) -> Recording:
    """Return one world of a recording: row i of a batch is the world of its seed, whatever stood beside it.

    Raises:
        ConfigurationError: There is none.
    """
    if not 0 <= world < len(recording.seeds):
        raise ConfigurationError(f"the recording has no world {world}; it has {len(recording.seeds)}, from 0 on")
    arrays: dict[str, Any] = {name: getattr(recording, name)[:, world : world + 1] for name in LAYOUT}
    injections = tuple(replace(one, world=0) for one in recording.origin.injections if one.world == world)
    origin = replace(recording.origin, injections=injections)
    return replace(recording, seeds=recording.seeds[world : world + 1], origin=origin, **arrays)
