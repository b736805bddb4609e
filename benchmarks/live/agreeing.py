"""What ``metaverse live`` was asked for, checked before anything is made: what contradicts itself is refused."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.live.making import What
from metaverse_env.errors import ConfigurationError
from metaverse_env.rendering.layout import SMALLEST

LARGEST: Final = 8192
"""Most width and height of a picture, px [choice]: 8K."""


class How(NamedTuple):
    """How it is shown."""

    headless: bool
    web: bool
    out: str | None
    size: tuple[int, int] | None
    seconds: float | None
    fps: int | None
    host: str
    port: int
    as_json: bool

    @property
    def is_folder(self) -> bool:
        """Whether the film is to be a folder, by a slash at the end of its name."""
        return self.out is not None and self.out.endswith(tuple(filter(None, (os.sep, os.altsep))))


def agree(what: What, how: How) -> None:
    """Refuse what contradicts itself.

    Raises:
        ConfigurationError: It does.
    """
    sources = {"--replay": what.replay, "--cluster": what.cluster, "--dry-run-cluster": what.dry_run_cluster}
    chosen = [name for name, value in sources.items() if value]
    if len(chosen) > 1:
        raise ConfigurationError(f"{' and '.join(chosen)} are different worlds; give one of them")
    if chosen and what.keep is not None:
        raise ConfigurationError(f"--keep records a simulation, and {chosen[0]} shows none; leave it out")
    if what.replay is not None:
        _replays(what, what.replay)
    elif chosen:
        given = _given({"--dynamics": what.dynamics, "--trace": what.trace})
        if given:
            raise ConfigurationError(f"{chosen[0]} shows a cluster, and {given} is for simulations; leave it out")
    if how.headless and how.web:
        raise ConfigurationError("--headless writes a film, and --web shows pages; give one of them")


def _replays(what: What, path: Path) -> None:
    """Refuse to change what is recorded."""
    decided = {
        "--scenario": what.scenario,
        "--policy": what.policy,
        "--seed": what.seed,
        "--dynamics": what.dynamics,
        "--trace": what.trace,
    }
    if given := _given(decided):
        raise ConfigurationError(f"--replay {path} shows what was recorded; leave {given} out")


def _given(options: Mapping[str, object]) -> str:
    """Return which options were given, in words."""
    return " and ".join(name for name, value in options.items() if value is not None)


def size_of(text: str | None) -> tuple[int, int] | None:
    """Read a size.

    Raises:
        ConfigurationError: It is none, or none that a picture can have.
    """
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ConfigurationError(f"--size {text!r}: give WIDTHxHEIGHT in px, such as 1280x720")
    size = int(width), int(height)
    if max(size) > LARGEST:
        raise ConfigurationError(f"--size {text}: at most {LARGEST} px wide and high")
    if size[0] < SMALLEST[0] or size[1] < SMALLEST[1]:
        raise ConfigurationError(f"--size {text}: a picture needs at least {SMALLEST[0]} x {SMALLEST[1]} px")
    return size


def length_of(seconds: float | None, ticks: int | None, speed: float) -> float | None:
    """Return how long the show is, s.

    Raises:
        ConfigurationError: It is said twice.
    """
    if seconds is not None and ticks is not None:
        raise ConfigurationError("--seconds and --ticks both say how long; give one of them")
    return seconds if ticks is None else ticks / speed
