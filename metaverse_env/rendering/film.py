"""An episode as a film: what a policy does, one picture per tick, as an animated GIF or as MP4."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from metaverse_env.contracts import Policy
from metaverse_env.errors import ConfigurationError
from metaverse_env.plugins import resolve
from metaverse_env.rendering.interface import UNTOUCHED, Interface
from metaverse_env.rendering.layout import REFERENCE
from metaverse_env.rendering.opening import open_viewer

if TYPE_CHECKING:
    from metaverse_env.envs.shell import Shell

Array = np.ndarray
Frames = Iterable[Array]
Progress = Callable[[int, int], None]

FILMS: Final = {
    "gif": "metaverse_env.rendering.gif:write_gif",
    "mp4": "metaverse_env.rendering.mp4:write_mp4",
}
"""Endings of a film's name, and what writes it."""


def even(size: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of an .mp4 within a picture's: H.264 knows no odd width or height.

    >>> even((1281, 720))
    (1280, 720)
    """
    return size[0] // 2 * 2, size[1] // 2 * 2


def record_episode_gif(
    shell: "Shell",
    policy: Policy,
    path: str | Path,
    ticks: int,
    fps: int = 10,
    size: tuple[int, int] = REFERENCE,
    progress: Progress | None = None,
    controller: str = "",
) -> Path:
    """Let a policy steer a shell and film world 0. The same seed and policy give the same film.

    Args:
        shell: After a ``reset`` with the seed of the episode; the film starts where it stands.
        policy: Is reset first.
        path: Where to; the ending chooses ``.gif`` or ``.mp4``. A film of that name is replaced.
        ticks: How many pictures, one per tick.
        fps: Pictures per second.
        size: Width and height, px.
        progress: Called after each tick with how many are done and how many there will be.
        controller: What the film calls the policy; nothing when empty.

    Returns:
        The path.

    Raises:
        UnknownNameError: Another ending.
        ConfigurationError: No tick, no folder of that name, a picture that is too small, or a pace that the format
            does not know.
        LifecycleError: The shell was never reset.
        MissingDependencyError: The extra ``render`` is not installed.
    """
    target = Path(path)
    if ticks < 1 or fps < 1:
        raise ConfigurationError(f"a film of {ticks} ticks at {fps} pictures per second; both must be at least 1")
    if not target.parent.is_dir():
        raise ConfigurationError(f"no folder {target.parent} for the film {target.name}; create it first")
    write = resolve("film format", target.suffix.removeprefix("."), FILMS, extra="render")
    shown = replace(UNTOUCHED, policy=controller)
    write(_frames(shell, policy, ticks, fps, size, progress, shown), target, fps)
    return target


def _frames(
    shell: "Shell",
    policy: Policy,
    ticks: int,
    fps: int,
    size: tuple[int, int],
    progress: Progress | None,
    shown: Interface,
) -> Iterator[Array]:
    """Yield one picture ``uint8 [height, width, 3]`` per tick."""
    viewer = open_viewer("rgb_array", fps, size)
    policy.reset(shell.world.zones, shell.world.worlds)
    for tick in range(ticks):
        picture = viewer.show(shell, shell.command(policy.act(shell.view)), shown)
        if picture is not None:
            yield picture
        if progress is not None:
            progress(tick + 1, ticks)
