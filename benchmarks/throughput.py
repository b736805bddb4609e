"""How fast the environments are, as ratios to Gymnasium's CartPole-v1 in the same run, and what a fresh process pays.

A ratio travels from machine to machine where steps per second do not. Every row says what it was compared to; a target
that was missed is reported like one that was reached.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

import gymnasium
import numpy as np
import typer
from rich import box
from rich.table import Table

import metaverse_env
from benchmarks import options
from benchmarks.processes import first_step_s, import_s, resident_mb, uncompiled_copy
from benchmarks.progress import Bar
from benchmarks.speed import ROUNDS, compare_speed, single, team, vector
from metaverse_env.scenario import load_scenario
from metaverse_env.terminal import console, show

CARTPOLE: Final = "CartPole-v1"
MULTI_ZONE: Final = "Metaverse/MultiZone-v0"
WORLDS: Final = 1024
PHYSICS: Final = {"dynamics": "physics", "forecaster": "none"}
_REGISTER: Final = "import metaverse_env"


class Target(NamedTuple):
    """What a row is held against: its ratio or its value, at least or at most."""

    of: Literal["ratio", "value"]
    kind: Literal["at least", "at most"]
    limit: float

    def reached(self, value: float, ratio: float | None) -> bool:
        """Tell whether a measurement keeps to it."""
        found = value if self.of == "value" else ratio
        if found is None:
            return False
        return found >= self.limit if self.kind == "at least" else found <= self.limit


TARGETS: Final[dict[str, Target]] = {
    "1 world, physics": Target("ratio", "at least", 0.25),
    "1 world, ST-GNN dynamics": Target("ratio", "at least", 0.06),
    "1 world, default: with forecasts": Target("ratio", "at least", 0.03),
    "1024 worlds, physics": Target("value", "at least", 7e6),
    "30 agents, physics (PettingZoo)": Target("value", "at least", 3000.0),
    "first step, fresh process, cold": Target("value", "at most", 15.0),
    "first step, fresh process, warm": Target("value", "at most", 2.0),
    "resident memory, 1024 worlds": Target("value", "at most", 600.0),
    "import": Target("value", "at most", 0.7),
    "heavy modules imported": Target("value", "at most", 0.0),
}
"""By name of the row; a row without a target is for information."""


class Row(NamedTuple):
    """One measurement.

    Attributes:
        name: What was measured.
        value: How much of ``unit``.
        unit: Its unit.
        reference: The same of what it is compared to; ``None`` without one.
        compared_to: What that is.
        ratio: ``value / reference``, the median over rounds where there are some.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    compared_to: str = ""
    ratio: float | None = None

    @property
    def target(self) -> Target | None:
        """What it is held against."""
        return TARGETS.get(self.name)

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; ``None`` without one."""
        return None if self.target is None else self.target.reached(self.value, self.ratio)

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        target = None if self.target is None else self.target._asdict()
        return {**self._asdict(), "target": target, "reached": self.reached}


def throughput(as_json: options.AsJson = False) -> None:
    """Measure steps per second against CartPole-v1, start-up and memory. Takes a minute."""
    warn_if_busy()
    rows: list[Row] = []
    with Bar(len(MEASUREMENTS), unit="measurements", text="starting") as bar:
        for name, measure in MEASUREMENTS.items():
            rows.extend(measure())
            bar.advance(name)
    if as_json:
        typer.echo(json.dumps({"machine": machine(), "rows": [row.as_dict() for row in rows]}, indent=2))
        return
    terminal = console()
    show(terminal, rows_table(rows))
    terminal.print(
        f"Medians of {ROUNDS}, by turns with the reference. " + ", ".join(machine().values()), highlight=False
    )


def warn_if_busy() -> None:
    """Say that a machine with more work than cores measures the others' work too."""
    waiting, cores = os.getloadavg()[0], os.cpu_count() or 1
    if waiting > cores:
        typer.echo(
            f"Warning: the load average is {waiting:.1f} on {cores} cores; what is measured now is too slow. Ratios "
            f"suffer less, for both sides are measured by turns.",
            err=True,
        )


def machine() -> dict[str, str]:
    """Return what the numbers were measured on and with."""
    return {
        "package": f"metaverse-env {metaverse_env.__version__}",
        "python": f"Python {platform.python_version()}",
        "numpy": f"numpy {np.__version__}",
        "gymnasium": f"gymnasium {gymnasium.__version__}",
        "processors": f"{os.cpu_count()} processors ({platform.machine()})",
    }


def _single_envs() -> Iterator[Row]:
    """Measure one world, with and without the networks."""
    cartpole = single(CARTPOLE)
    variants: dict[str, dict[str, Any]] = {
        "1 world, physics": PHYSICS,
        "1 world, ST-GNN dynamics": {"forecaster": "none"},
        "1 world, default: with forecasts": {},
    }
    for name, arguments in variants.items():
        speed = compare_speed(single(MULTI_ZONE, **arguments), cartpole)
        yield Row(name, speed.per_s, "steps/s", speed.reference_per_s, CARTPOLE, speed.ratio)


def _vector_env() -> Iterator[Row]:
    """Measure many worlds; their zones count, for each does what a CartPole does: one decision a step."""
    stepper = vector(MULTI_ZONE, WORLDS, **PHYSICS)
    speed = compare_speed(stepper, vector(CARTPOLE, WORLDS))
    zones, compared = load_scenario("multi_zone").layout.zones, f"{CARTPOLE}, its own vector of {WORLDS}"
    value, reference = speed.per_s * WORLDS * zones, speed.reference_per_s * WORLDS
    yield Row("1024 worlds, physics", value, "zone-steps/s", reference, compared, speed.ratio * zones)


def _team() -> Iterator[Row]:
    speed = compare_speed(team(**PHYSICS), single(CARTPOLE))
    yield Row("30 agents, physics (PettingZoo)", speed.per_s, "steps/s", speed.reference_per_s, CARTPOLE, speed.ratio)


def _import() -> Iterator[Row]:
    """Measure importing in fresh processes, by turns with Gymnasium alone."""
    pairs = [(import_s("metaverse_env"), import_s("gymnasium")) for _ in range(ROUNDS)]
    own, reference = (float(np.median([pair[index][0] for pair in pairs])) for index in (0, 1))
    yield Row("import", own, "s", reference, "import gymnasium", own / reference)
    yield Row("heavy modules imported", float(len(pairs[0][0][1])), "modules")


def _first_step() -> Iterator[Row]:
    """Measure a fresh process up to its first step: without compiled code, then with what the first one left."""
    with uncompiled_copy() as root:
        for name in ("first step, fresh process, cold", "first step, fresh process, warm"):
            own = first_step_s(MULTI_ZONE, root, _REGISTER)
            reference = first_step_s(CARTPOLE, root)
            yield Row(name, own, "s", reference, CARTPOLE, own / reference)


def _memory() -> Iterator[Row]:
    own, reference = resident_mb(MULTI_ZONE, WORLDS, _REGISTER, **PHYSICS), resident_mb(CARTPOLE, WORLDS)
    name = "resident memory, 1024 worlds"
    yield Row(name, own, "MB", reference, f"{CARTPOLE}, its own vector of {WORLDS}", own / reference)


MEASUREMENTS: Final[dict[str, Callable[[], Iterator[Row]]]] = {
    "single environments": _single_envs,
    "vector environment": _vector_env,
    "team of agents": _team,
    "import": _import,
    "first step": _first_step,
    "memory": _memory,
}


def rows_table(rows: list[Row]) -> Table:
    """Return the rows for people."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("measured", "value", "CartPole", "ratio", "target"):
        table.add_column(heading, justify="left" if heading in ("measured", "target") else "right")
    for row in rows:
        table.add_row(
            row.name, f"{_number(row.value)} {row.unit}", _number(row.reference), _number(row.ratio), _verdict(row)
        )
    return table


def _number(value: float | None) -> str:
    """Return three digits, or every digit before the point; nothing for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _verdict(row: Row) -> str:
    if row.target is None:
        return ""
    text = f"{row.target.kind} {row.target.limit:g} {'x' if row.target.of == 'ratio' else row.unit}"
    return f"{text}: [green]reached[/]" if row.reached else f"{text}: [bold red]missed[/]"
