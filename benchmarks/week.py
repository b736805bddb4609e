"""``metaverse benchmark week``: the users of a whole week from the workload generator, as a trace that can be replayed.

Nobody is served here, and so nobody is driven away by latency, a kill or an outage: what is written is who would come,
stay and move on. A controller that the trace is replayed to changes nothing about that.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks import options
from benchmarks.conditions import HELD_OUT_SEED
from benchmarks.progress import Bar
from metaverse_env.folders import writable
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator import entry
from metaverse_env.simulator.dynamics import Simulation
from metaverse_env.simulator.kernel import Output
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.threads import over_worlds
from metaverse_env.trace_panel import FIRST_MONDAY_S
from metaverse_env.traces import load_trace
from metaverse_env.units import SECONDS_PER_WEEK

SPARE_SAMPLES: Final = 2
"""What a replay needs beside the samples of its ticks: one before the first, one after the last."""
_BAR_EVERY: Final = 240


def week(
    scenario: options.ScenarioName = "multi_zone",
    seed: options.Seed = HELD_OUT_SEED,
    ticks: Annotated[
        int | None, typer.Option(min=1, help="How many ticks can be replayed.", show_default="those of a week")
    ] = None,
    out: options.Out = Path("out/week"),
    as_json: options.AsJson = False,
) -> None:
    """Generate the users of a week, zone by zone and tick by tick: a trace for --trace of run, suite and demo.

    Writes users-SCENARIO-SEED.csv.gz. A benchmark of all of it asks for as many --ticks as there are.
    """
    chosen, folder = load_scenario(scenario), writable(out)
    length = int(SECONDS_PER_WEEK / chosen.tick_s) if ticks is None else ticks
    path = folder / f"users-{chosen.name}-{seed}.csv.gz"
    with Bar(length + SPARE_SAMPLES) as bar:
        start_s, users = generate(
            chosen, seed, length + SPARE_SAMPLES, lambda passed: bar.advance("generating", passed)
        )
    write(path, start_s, chosen.tick_s, users)
    trace = load_trace(path)
    mean_users = float(trace.users.mean(dtype=np.float64))
    if as_json:
        found = {"path": str(path), "ticks": length, "zones": len(trace.names), "mean_users": mean_users}
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(trace.describe())
    typer.echo(
        f"Replay it as it is: metaverse benchmark run --scenario {scenario} --trace {path} "
        f"--mean-users {mean_users:.10g} --ticks {length} --seeds 1"
    )


def generate(
    scenario: Scenario, seed: int, samples: int, passed: Callable[[int], object] = lambda ticks: None
) -> tuple[float, dict[str, NDArray[np.int64]]]:
    """Let a world live, and count its users.

    Args:
        scenario: Whose workload.
        seed: Of the world; it starts at an hour of the week that the seed draws.
        samples: How many ticks to count.
        passed: Told every now and then how many more ticks have passed.

    Returns:
        When it starts, s since the Unix epoch, in the week of 1970-01-05; and by zone the users ``[samples]``.
    """
    calm = scenario.disturbances.model_copy(update={"node_loss_per_day": 0.0, "outage_per_day": 0.0})
    world = SimulatedWorld(scenario.with_changes(disturbances=calm), dynamics=_PeopleAlone())  # nobody mends a loss
    telemetry = world.reset(seeds=[seed])
    start_s = FIRST_MONDAY_S + float(telemetry.weather["time_s"][0])
    counted = np.stack(list(_count(world, samples, passed)))
    return start_s, {name: counted[:, zone] for zone, name in enumerate(world.zones.names)}


class _PeopleAlone:
    """The half of the physics that is the workload: users come, stay, move and leave, and nobody serves them."""

    needs_intents = False

    def reset(self, simulation: Simulation, worlds: NDArray[np.bool_]) -> None:
        """Nothing is remembered beside the state."""

    def advance(
        self, simulation: Simulation, commands: NDArray[np.void], before: NDArray[np.void], out: Output
    ) -> None:
        """Let one tick pass."""
        over_worlds(entry.step_people, (*simulation.state, commands, *out), simulation.fixed)


def _count(world: SimulatedWorld, samples: int, passed: Callable[[int], object]) -> Iterator[NDArray[np.int64]]:
    command = Command.of(np.zeros((1, len(world.zones), 3)))
    for sample in range(1, samples + 1):
        yield world.step(command).outcome.zones["users"][0].astype(np.int64)
        if sample % _BAR_EVERY == 0 or sample == samples:
            passed((sample - 1) % _BAR_EVERY + 1)


def write(path: Path, start_s: float, tick_s: float, users: dict[str, NDArray[np.int64]]) -> None:
    """Write a gzipped CSV in one go, the same bytes for the same users."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", *users])
    for sample, counts in enumerate(np.stack(list(users.values()), axis=1).tolist()):
        writer.writerow([f"{start_s + sample * tick_s:.10g}", *counts])
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    partial.replace(path)
