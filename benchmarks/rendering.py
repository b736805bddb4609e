"""``metaverse benchmark rendering``: pictures per second, beside what other environments make of theirs.

A picture of another tick is described and drawn anew; one between two ticks only moves the users. Others' environments
are measured where they are installed, by turns with ours, each with the picture that it draws by default: theirs are
smaller. Only rendering counts, not stepping, and of that the time of the processor: on one core that does nothing
else, it is the time that passes, and on a machine that others use too, it still is what a picture costs.
"""

import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from statistics import median
from typing import Any, Final, NamedTuple

import gymnasium as gym
import typer
from rich import box
from rich.table import Table

from benchmarks import options
from benchmarks.progress import Bar
from benchmarks.throughput import machine, warn_if_busy
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.rendering.layout import REFERENCE, arrange
from metaverse_env.rendering.opening import drawing, open_viewer
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.snapshot import Trail
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.terminal import console, show

ROUNDS: Final = 7
PICTURES: Final = 40
"""In one measurement. [choice]"""

WARM_TICKS: Final = 30
"""Before anything is measured: curves and events are there. [choice]"""

TARGET_PER_S: Final = 60.0
TARGET_RATIO: Final = 5.0
THIRTY: Final = "30 zones, 1,500 users, another tick"

Render = Callable[[], float]
"""Makes one picture; returns how long a core was busy with it, s, without what had to happen before."""


class Row(NamedTuple):
    """One measurement.

    Attributes:
        name: What was drawn.
        size: Width and height, px.
        per_s: Pictures per second, the median of the rounds.
        ratio: ``per_s`` of :data:`THIRTY` over this one, the median over rounds; of ours ``None``.
        users: How many users, where there are some.
    """

    name: str
    size: tuple[int, int]
    per_s: float
    ratio: float | None = None
    users: int | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; ``None`` without one."""
        if self.ratio is not None:
            return self.ratio >= TARGET_RATIO
        return self.per_s >= TARGET_PER_S if self.name == THIRTY else None


class Ours:
    """Pictures of a world whose users are about so many, one tick after the other.

    Args:
        zones: How many.
        users: All of them together, when it starts.
        still: Whether only users move, between two ticks.
    """

    def __init__(self, zones: int, users: float, still: bool = False) -> None:
        self.still = still
        found = _shell(zones, users).telemetry.users.sum()  # a seed starts at some hour of the week
        self.shell = _shell(zones, users * users / float(found))
        self.viewer = open_viewer("rgb_array", 60, REFERENCE)
        self.size, self.phase = REFERENCE, 0.0
        for _ in range(WARM_TICKS):
            self.step: Step = self.shell.command(self.shell.view.pending)
            self.viewer.show(self.shell, self.step)
        self.users = int(self.step.tick.outcome.zones["users"].sum())
        self.canvas = drawing("canvas")(REFERENCE)
        shown = read_shell(self.shell, self.step, Trail().extended(self.step.reward))
        self.scene = build_scene(shown, arrange(self.shell.world.zones))

    def __call__(self) -> float:
        """Make a picture."""
        if not self.still:
            self.step = self.shell.command(self.shell.view.pending)
        self.phase = (self.phase + 0.1) % 1.0
        start_s = time.thread_time()
        if self.still:
            self.canvas.draw(self.scene.at(self.phase))
        else:
            self.viewer.show(self.shell, self.step)
        return time.thread_time() - start_s


def _shell(zones: int, users: float) -> Shell:
    shell = Shell(crowded(zones, users), dynamics="physics", remember=True)
    shell.reset([0])
    return shell


def crowded(zones: int, users: float) -> Scenario:
    """Return the reference world with so many zones, and users that are about so many on the time average."""
    base = load_scenario("multi_zone")
    workload = base.workload.model_copy(update={"mean_users_per_zone": users / zones})
    return base.with_changes(layout=LayoutSpec(zones=zones), workload=workload)


class Theirs:
    """Another environment's own pictures, under random actions."""

    def __init__(self, name: str) -> None:
        self.env = gym.make(name, render_mode="rgb_array", disable_env_checker=True)
        self.env.reset(seed=0)
        self.env.action_space.seed(0)
        picture: Any = self.env.render()
        self.size = picture.shape[1], picture.shape[0]

    def __call__(self) -> float:
        """Make a picture."""
        if any(self.env.step(self.env.action_space.sample())[2:4]):
            self.env.reset()
        start_s = time.thread_time()
        self.env.render()
        return time.thread_time() - start_s

    def close(self) -> None:
        """Close it."""
        self.env.close()  # type: ignore[no-untyped-call]


OURS: Final[dict[str, Callable[[], Ours]]] = {
    "30 zones, 1,500 users, between two ticks": lambda: Ours(30, 1_500.0, still=True),
    "1 zone, 60 users, another tick": lambda: Ours(1, 60.0),
    "300 zones, 18,000 users, another tick": lambda: Ours(300, 18_000.0),
}
THEIRS: Final = {"highway_env": "highway-v0", "mobile_env": "mobile-medium-central-v0"}
"""Module to import, and the environment to measure."""


def rendering(as_json: options.AsJson = False) -> None:
    """Measure pictures per second at 1280 x 720, and those of HighwayEnv and mobile-env where they are installed."""
    warn_if_busy()
    rows: list[Row] = []
    installed = {module: name for module, name in THEIRS.items() if importlib.util.find_spec(module) is not None}
    with Bar(1 + len(OURS) + len(installed), unit="measurements", text="starting") as bar:
        reference = Ours(30, 1_500.0)
        for row in _rows(reference, installed):
            rows.append(row)
            bar.advance(row.name)
    missing = sorted(THEIRS.keys() - installed.keys())
    if as_json:
        told = [{**row._asdict(), "reached": row.reached} for row in rows]
        typer.echo(json.dumps({"machine": machine(), "rows": told, "not_installed": missing}, indent=2))
        return
    show(console(), _table(rows))
    console().print(
        f"Medians of {ROUNDS} times {PICTURES} pictures, by turns; time of one core. {', '.join(machine().values())}",
        highlight=False,
    )
    if missing:
        console().print(f"Not installed, so not compared with: {', '.join(missing)}", highlight=False)


def _rows(reference: Ours, installed: dict[str, str]) -> Iterator[Row]:
    yield Row(THIRTY, reference.size, median(_per_s(reference) for _ in range(ROUNDS)), None, reference.users)
    for name, make in OURS.items():
        ours = make()
        yield Row(name, ours.size, median(_per_s(ours) for _ in range(ROUNDS)), None, ours.users)
    for module, name in installed.items():
        importlib.import_module(module)
        with closing(Theirs(name)) as theirs:
            pairs = [(_per_s(reference), _per_s(theirs)) for _ in range(ROUNDS)]
            ratio = median(own / other for own, other in pairs)
            yield Row(f"{module}: {name}", theirs.size, median(other for _, other in pairs), ratio)


def _per_s(render: Render) -> float:
    """Return pictures per second of one measurement; the first picture is not counted."""
    render()
    return PICTURES / sum(render() for _ in range(PICTURES))


def _table(rows: list[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("picture", "size, px", "users", "per second of a core", "ours is faster by", "target"):
        table.add_column(heading, justify="left" if heading in ("picture", "target") else "right")
    for row in rows:
        target = "" if row.reached is None else f"at least {TARGET_PER_S:g}/s" if row.ratio is None else "at least 5 x"
        verdict = "" if row.reached is None else ": [green]reached[/]" if row.reached else ": [bold red]missed[/]"
        users, ratio = f"{row.users:,}" if row.users else "", f"{row.ratio:.2g} x" if row.ratio else ""
        table.add_row(row.name, "{} x {}".format(*row.size), users, f"{row.per_s:,.0f}", ratio, target + verdict)
    return table
