"""``metaverse benchmark serve``: the prediction server against an endpoint that does nothing, under the same load.

Both are real processes with the same server under them, loaded by turns, as the machine is another one from second to
second. What counts is the median of the ratios of neighbours. The processor time per request says the same with less
noise, where others use the machine too.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich import box
from rich.table import Table

from benchmarks import options
from benchmarks.load import burst, wrk
from benchmarks.progress import Bar
from benchmarks.throughput import Target, machine, warn_if_busy
from metaverse_env.errors import MetaverseError
from metaverse_env.terminal import console, show
from predictors.stgnn.features import EMBEDDING

ZONES: Final = 30
CONNECTIONS: Final = 16
WARM_UP_S: Final = 2
START_S: Final = 60.0
RATIO: Final = Target("ratio", "at least", 0.6)
P99_MS: Final = Target("value", "at most", 25.0)

_PREDICT: Final = (
    "metaverse_env.cli",
    "serve",
    "--json",
    "--port",
    "0",
    "--scenario",
    "multi_zone",
    "--log-level",
    "error",
)
_EMPTY: Final = ("benchmarks.empty_endpoint",)
_ROOT: Final = Path(__file__).parents[1]


class Served(NamedTuple):
    """Medians over the rounds of one server."""

    requests_per_s: float
    p99_ms: float
    processor_us_per_request: float


class Process(NamedTuple):
    """A server that runs."""

    pid: int
    url: str


def serving(
    rounds: Annotated[int, typer.Option(min=1, help="Bursts on each server, by turns.")] = 7,
    seconds: Annotated[int, typer.Option(min=1, help="Length of a burst, s.")] = 3,
    connections: Annotated[int, typer.Option(min=1, help="At the same time.")] = CONNECTIONS,
    as_json: options.AsJson = False,
) -> None:
    """Measure POST /predict, 30 zones in turn, as a ratio to an empty FastAPI endpoint. Needs wrk; takes a minute."""
    wrk()
    warn_if_busy()
    with ExitStack() as stack:
        servers = [stack.enter_context(served(*module)) for module in (_PREDICT, _EMPTY)]
        bursts = _bursts(servers, rounds, seconds, connections)
    found = report(*([row[server] for row in bursts] for server in range(2)))
    if as_json:
        typer.echo(json.dumps({"machine": machine(), "connections": connections, "rounds": rounds, **found}, indent=2))
        return
    terminal = console()
    show(terminal, _table(found))
    terminal.print(
        f"Medians of {rounds} bursts of {seconds} s, {connections} connections. " + ", ".join(machine().values())
    )


def report(predict: list[Served], empty: list[Served]) -> dict[str, Any]:
    """Return medians, the ratio and whether the targets are reached; the lists are of neighbours."""
    own, other = (Served(*map(median, zip(*rows, strict=True))) for rows in (predict, empty))
    ratio = median(a.requests_per_s / b.requests_per_s for a, b in zip(predict, empty, strict=True))
    return {
        "predict": own._asdict(),
        "empty": other._asdict(),
        "ratio": ratio,
        "targets": {
            "ratio": {**RATIO._asdict(), "reached": RATIO.reached(own.requests_per_s, ratio)},
            "p99_ms": {**P99_MS._asdict(), "reached": P99_MS.reached(own.p99_ms, None)},
        },
    }


@contextmanager
def served(module: str, *arguments: str) -> Iterator[Process]:
    """Run a module that serves and says where; wait until it answers, and end it afterwards.

    Raises:
        MetaverseError: It does not come up.
    """
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our modules)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise MetaverseError(f"{module} did not start")
        url = json.loads(line)["url"]
        _wait_for(url)
        yield Process(process.pid, url)
    finally:
        process.terminate()
        process.communicate()


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used, s."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bursts(servers: list[Process], rounds: int, seconds: int, connections: int) -> list[list[Served]]:
    for server in servers:
        burst(f"{server.url}/predict", connections, WARM_UP_S, ZONES, EMBEDDING)
    with Bar(rounds, unit="rounds", text="serving") as bar:
        rows = []
        for _ in range(rounds):
            rows.append([_measure(server, seconds, connections) for server in servers])
            bar.advance("serving")
    return rows


def _measure(server: Process, seconds: int, connections: int) -> Served:
    before_s = processor_s(server.pid)
    load = burst(f"{server.url}/predict", connections, seconds, ZONES, EMBEDDING)
    used_us = 1e6 * (processor_s(server.pid) - before_s)
    return Served(load.per_s, load.p99_ms, used_us / load.requests)


def _wait_for(url: str) -> None:
    """Wait until a server is ready; one that does not know the question is."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310 (our own server)
                return
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return
        time.sleep(0.05)
    raise MetaverseError(f"{url} was not ready after {START_S:g} s")


def _table(found: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("measured", "/predict", "empty endpoint", "ratio", "target"):
        table.add_column(heading, justify="left" if heading in ("measured", "target") else "right")
    own, other, targets = found["predict"], found["empty"], found["targets"]
    ratios = {"requests_per_s": found["ratio"]}
    verdicts = {"requests_per_s": targets["ratio"], "p99_ms": targets["p99_ms"]}
    for name in Served._fields:
        ratio = ratios.get(name, own[name] / other[name])
        verdict = verdicts.get(name)
        said = "" if verdict is None else f"{verdict['kind']} {verdict['limit']:g}: {_word(verdict['reached'])}"
        table.add_row(name, f"{own[name]:.4g}", f"{other[name]:.4g}", f"{ratio:.3g}", said)
    return table


def _word(reached: bool) -> str:
    return "[green]reached[/]" if reached else "[bold red]missed[/]"
