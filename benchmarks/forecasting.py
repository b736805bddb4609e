"""How fast the forecaster and the learned dynamics are, on one thread, and how they grow with the number of zones.

ONNX Runtime and torch run the same network on the same inputs by turns; what counts is the median of the ratios. Times
are of the processor, so that other programs on the machine disturb them little.
"""

import json
import resource
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, Final, NamedTuple

import torch
import typer
from rich import box
from rich.table import Table

from benchmarks import options
from benchmarks.progress import Bar
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import History
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.terminal import console, show
from predictors.stgnn.card import WEIGHTS
from predictors.stgnn.runtime import StgnnForecaster, forecast_block, write_inputs
from predictors.stgnn.session import Session
from predictors.stgnn.torch_session import TorchSession

ROUNDS: Final = 7
WINDOW_S: Final = 0.2
MANY: Final = 64
SIZES: Final = (30, 100, 300, 1_000, 3_000, 10_000)
"""Zones of one world, on a sparse graph."""


class Limit(NamedTuple):
    """What a row is held against, and whether more is better."""

    value: float
    at_least: bool = False


LIMITS: Final = {
    "1 world, whole forecast": Limit(4.0),
    f"{MANY} worlds, whole forecast": Limit(2.5),
    "1 world, torch over ONNX Runtime": Limit(2.5, at_least=True),
}
"""By name of the row; those of whole forecasts in µs for each zone: 16 ticks, 4 targets, 3 quantiles."""


class Row(NamedTuple):
    """One measurement."""

    name: str
    value: float
    unit: str

    @property
    def reached(self) -> bool | None:
        """Whether the limit is kept; ``None`` without one."""
        limit = LIMITS.get(self.name)
        if limit is None:
            return None
        return self.value >= limit.value if limit.at_least else self.value <= limit.value

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {**self._asdict(), "reached": self.reached}


def forecast(as_json: options.AsJson = False) -> None:
    """Measure forecasts on one thread, against torch, and for up to 10,000 zones. Takes half a minute."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    steps: list[tuple[str, Callable[[], Iterator[Row]]]] = [
        ("one world", lambda: _worlds(1)), ("many worlds", lambda: _worlds(MANY)), ("more zones", _sizes),
    ]  # fmt: skip
    with Bar(len(steps), unit="measurements", text="starting") as bar:
        for name, measure in steps:
            rows.extend(measure())
            bar.advance(name)
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        show(console(), _table(rows))


def _worlds(worlds: int) -> Iterator[Row]:
    """Measure forecasts of all ticks, of those that observations show, and of torch."""
    history = filled_history(load_scenario("multi_zone"), worlds)
    forecaster = StgnnForecaster()
    zones = worlds * len(history.graph)
    name = "1 world" if worlds == 1 else f"{worlds} worlds"
    whole = cpu_s(lambda: forecaster.forecast(history))
    yield Row(f"{name}, whole forecast", 1e6 * whole / zones, "µs/zone")
    yield Row(f"{name}, 4 ticks", 1e6 * cpu_s(lambda: forecaster.forecast(history, (1, 4, 8, 16))) / zones, "µs/zone")
    onnx, eager = _both(history)
    pairs = [(cpu_s(onnx, 1), cpu_s(eager, 1)) for _ in range(ROUNDS)]
    yield Row(f"{name}, network in ONNX Runtime", 1e6 * median(own for own, _ in pairs) / zones, "µs/zone")
    yield Row(f"{name}, network in torch", 1e6 * median(other for _, other in pairs) / zones, "µs/zone")
    yield Row(f"{name}, torch over ONNX Runtime", median(other / own for own, other in pairs), "x")


def _both(history: History) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return functions that run the same network on the same inputs, by ONNX Runtime and by torch."""
    stem = WEIGHTS / "stgnn_forecaster"
    block = forecast_block(history.graph, history.values.shape[1], *range(1, HORIZON + 1))
    write_inputs(history.values, history.time_s, block)
    onnx, eager = Session(stem.with_suffix(".onnx")), TorchSession(stem, "cpu")
    return lambda: onnx.run(block.inputs, block.output), lambda: eager.run(block.inputs, block.output)


def _sizes() -> Iterator[Row]:
    """Measure worlds of more and more zones, and what the process holds by then."""
    reference = load_scenario("multi_zone")
    forecaster = StgnnForecaster()
    for zones in SIZES:
        scenario = reference.with_changes(layout=reference.layout.model_copy(update={"zones": zones}))
        history = filled_history(scenario, 1)
        found = cpu_s(lambda history=history: forecaster.forecast(history), 3)  # type: ignore[misc]
        yield Row(f"{zones:,} zones, whole forecast", 1e6 * found / zones, "µs/zone")
        yield Row(
            f"{zones:,} zones, most memory so far", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "MB"
        )


def filled_history(scenario: Scenario, worlds: int) -> History:
    """Return a full history of worlds that hold their first allocation."""
    world = SimulatedWorld(scenario, worlds=worlds, intents=True)
    telemetry = world.reset(seeds=range(worlds))
    history = History(worlds, world.zones, telemetry.intents.shape[2])
    for _ in range(history.ticks):
        history.append(telemetry)
        telemetry = world.step(Command.of(telemetry.allocation)).telemetry
    return history


def cpu_s(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the processor time of one call, s: the median of rounds that last a while each."""
    call()
    found = []
    for _ in range(rounds):
        calls, start_s = 0, time.process_time()
        while (passed_s := time.process_time() - start_s) < WINDOW_S:
            call()
            calls += 1
        found.append(passed_s / calls)
    return median(found)


def _table(rows: list[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="One thread; 16 ticks, 4 targets, 3 quantiles")
    for heading in ("measured", "value", "limit"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for row in rows:
        table.add_row(row.name, f"{row.value:,.3g} {row.unit}", _verdict(row))
    return table


def _verdict(row: Row) -> str:
    limit = LIMITS.get(row.name)
    if limit is None:
        return ""
    text = f"at {'least' if limit.at_least else 'most'} {limit.value:g} {row.unit}"
    return f"{text}: [green]reached[/]" if row.reached else f"{text}: [bold red]missed[/]"
