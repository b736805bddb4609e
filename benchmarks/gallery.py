"""``metaverse benchmark gallery``: the pictures of docs/rendering.md, made anew from their seeds."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
import typer
from PIL import Image

from agents import load
from benchmarks import options
from benchmarks.progress import Bar
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.interface import UNTOUCHED, Interface
from metaverse_env.rendering.layout import arrange
from metaverse_env.rendering.opening import drawing
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.snapshot import Snapshot, Trail
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.simulator.injecting import Injection
from metaverse_env.telemetry import Command
from metaverse_env.terminal import console
from metaverse_env.units import MEMORY
from metaverse_env.wrapping import simulated

CROWDED_ZONE: Final = 8
"""Where the flash crowd comes: zone-9. [choice]"""

STARVED_ZONE: Final = 14
"""Whose memory is taken away: zone-15. [choice]"""

LOST_NODE: Final = 1
COLOURS_OF_A_PNG: Final = 256

Do = Callable[["Show"], None]


class Shot(NamedTuple):
    """A picture: of which scenario, after how many ticks, of what, shown how.

    Attributes:
        scenario: A name, or a number of zones.
        ticks: When it is taken.
        doings: What is done after which tick.
        interface: What is chosen to be shown.
        size: Width and height, px.
        policy: Who decides.
        names: Of the zones, where they are not the scenario's.
    """

    scenario: str | int
    ticks: int
    doings: tuple[tuple[int, Do], ...] = ()
    interface: Interface = UNTOUCHED
    size: tuple[int, int] = (1280, 720)
    policy: str = "threshold"
    names: tuple[str, ...] = ()


class Show:
    """A world under a policy, as it is watched."""

    def __init__(self, shot: Shot, seed: int) -> None:
        self.shell, self.policy = Shell(_scenario(shot), remember=True), load(shot.policy)
        self.world = simulated(self.shell.world)
        if self.world is not None:
            self.world.watch()
        self.shell.reset([seed])
        self.policy.reset(self.shell.world.zones, 1)
        self.trail, self.starved = Trail(), False

    def tick(self) -> Snapshot:
        """Let the policy decide, and a tick pass."""
        command = self.policy.act(self.shell.view)
        if self.starved:
            command = self._without_memory(command)
        step: Step = self.shell.command(command)
        shown = read_shell(self.shell, step, self.trail.extended(step.reward))
        self.trail = shown.trail
        return shown

    def _without_memory(self, command: Command) -> Command:
        """Take half of the memory that a zone uses away from it."""
        allocation = np.array(command.allocation)
        allocation[0, STARVED_ZONE, MEMORY] = 0.5 * self.shell.telemetry.usage[0, STARVED_ZONE, MEMORY]
        return Command.of(np.maximum(allocation, self.shell.codec.limits[0]), command.handover)

    def inject(self, kind: Any, place: int) -> None:
        """Let something happen to the world."""
        if self.world is not None:
            self.world.inject(Injection(kind, place))


def _crowd(show: Show) -> None:
    show.inject("flash_crowd", CROWDED_ZONE)


def _lose(show: Show) -> None:
    show.inject("node_failure", LOST_NODE)


def _starve(show: Show) -> None:
    show.starved = not show.starved


_CROWD: Final = ((24, _crowd),)
_CITIES: Final = ("東京", "Αθήνα", "Київ", "São Paulo", "القاهرة", "Łódź")

SHOTS: Final[dict[str, Shot]] = {
    "live-single-zone": Shot("single_zone", 40),
    "live-multi-zone": Shot("multi_zone", 40),
    "live-complex": Shot("complex", 60),
    "live-300-zones": Shot(300, 40),
    "live-crowd-before": Shot("multi_zone", 24, policy="static"),
    "live-crowd-during": Shot("multi_zone", 150, _CROWD, policy="static"),
    "live-crowd-after": Shot("multi_zone", 1440, _CROWD, policy="static"),
    "live-out-of-memory": Shot("multi_zone", 34, ((30, _starve), (33, _starve))),
    "live-node-lost": Shot("complex", 33, ((30, _lose),)),
    "live-zone-panel": Shot("multi_zone", 150, _CROWD, Interface(selected=CROWDED_ZONE, controls=True)),
    "live-help": Shot("multi_zone", 40, (), Interface(help=True, controls=True)),
    "live-unicode": Shot(6, 20, names=_CITIES),
}
"""By name of the file."""


def gallery(
    out: options.Out = Path("out/gallery"),
    seed: options.Seed = 1,
    only: Annotated[str, typer.Option(help="Some of them, separated by commas.", show_default="all")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Draw the live picture in every situation that docs/rendering.md shows: PNG files. Takes half a minute."""
    names = [name.strip() for name in only.split(",")] if only else list(SHOTS)
    if unknown := [name for name in names if name not in SHOTS]:
        raise ConfigurationError(f"--only: no picture {unknown[0]!r}; there are {', '.join(SHOTS)}")
    folder, terminal, files = writable(out), console(), {}
    with Bar(len(names), unit="pictures", text="drawing") as bar:
        for name in names:
            files[name] = take(SHOTS[name], seed, folder / f"{name}.png")
            bar.advance(name)
    if as_json:
        typer.echo(json.dumps({"seed": seed, "files": {name: str(path) for name, path in files.items()}}, indent=2))
        return
    for path in files.values():
        terminal.print(f"{path} ({path.stat().st_size / 1e3:.0f} kB)", highlight=False)


def take(shot: Shot, seed: int, path: Path) -> Path:
    """Take a picture and write it as a PNG of a palette, which is a third of the size of one in full colours."""
    show, doings = Show(shot, seed), dict(shot.doings)
    for tick in range(shot.ticks):
        if tick in doings:
            doings[tick](show)
        shown = show.tick()
    interface = replace(shot.interface, policy=shot.policy)
    scene = build_scene(shown, arrange(show.shell.world.zones, shot.size, interface), interface)
    picture = Image.fromarray(drawing("canvas")(shot.size).draw(scene))
    memory = io.BytesIO()
    with_palette(picture).save(memory, "PNG", optimize=True)
    path.write_bytes(memory.getvalue())
    return path


def with_palette(picture: Image.Image) -> Image.Image:
    """Return a picture with a palette: all colours that have names, however small what has them, then the frequent."""
    pixels = np.asarray(picture, dtype=np.int64)
    colours, place, often = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    frequent = (tuple(colour) for colour in colours[np.argsort(-often, kind="stable")].tolist())
    chosen = list(dict.fromkeys(chain(COLOURS.values(), frequent)))[:COLOURS_OF_A_PNG]
    nearest = np.square(colours[:, None] - np.array(chosen)).sum(axis=2).argmin(axis=1)  # Pillow only comes near it
    told = Image.fromarray(nearest[place].reshape(pixels.shape[:2]).astype(np.uint8), "P")
    told.putpalette(list(chain.from_iterable(chosen)))
    return told


def _scenario(shot: Shot) -> Scenario:
    if isinstance(shot.scenario, str):
        return load_scenario(shot.scenario)
    layout = LayoutSpec(zones=shot.scenario, names=shot.names)
    return load_scenario("complex" if shot.scenario > len(_CITIES) else "multi_zone").with_changes(layout=layout)
