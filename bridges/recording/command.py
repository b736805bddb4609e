"""``metaverse bridge record``."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bridges.connecting import Site, connect, connect_memory
from bridges.recording.recorder import Recorder
from metaverse_env.errors import ConfigurationError
from metaverse_env.panels import Panel

Out = Annotated[Path, typer.Argument(help="The panel, .npz; a trace of its users comes beside it, .csv.")]
Namespace = Annotated[str, typer.Option(help="Whose Deployments are the zones.")]
Selector = Annotated[
    str | None, typer.Option(help="Labels that choose the zones.", show_default="those of the manifests")
]
Kubeconfig = Annotated[
    Path | None, typer.Option(help="How to reach the cluster.", show_default="KUBECONFIG, or the pod's account")
]
Prometheus = Annotated[str | None, typer.Option(help="Address of a Prometheus; without one, the metrics API alone.")]
QueriesName = Annotated[str, typer.Option(help="What it is asked: zone, http, summary, cadvisor or a .toml file.")]
Scrape = Annotated[float, typer.Option(min=1.0, help="How often Prometheus takes values, s.")]
Objective = Annotated[float, typer.Option(min=1.0, help="The latency objective, ms; a bound of the histogram.")]
Tick = Annotated[float, typer.Option(min=0.1, help="Between two rows, s.")]
Ticks = Annotated[int | None, typer.Option(min=1, help="How many rows.", show_default="until it is interrupted")]
Append = Annotated[bool, typer.Option("--append", help="Go on with a panel that is there.")]
Memory = Annotated[
    str | None, typer.Option(help="Record a cluster in memory instead, of this scenario; its time passes at once.")
]
Seed = Annotated[int, typer.Option(help="Of the users of a cluster in memory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was recorded as JSON.")]


def record(
    out: Out,
    namespace: Namespace = "metaverse",
    selector: Selector = None,
    kubeconfig: Kubeconfig = None,
    prometheus: Prometheus = None,
    queries: QueriesName = "zone",
    scrape: Scrape = 15.0,
    objective: Objective = 100.0,
    tick: Tick = 15.0,
    ticks: Ticks = None,
    append: Append = False,
    memory: Memory = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Record a cluster's telemetry: a panel that forecasters train on, and a trace of users that simulations replay.

    It only reads. Interrupt it at any time: everything seen so far is kept, and --append goes on.
    """
    if out.suffix != ".npz":
        raise ConfigurationError(f"{out}: the panel's name must end in .npz")
    if memory is not None and ticks is None:
        raise ConfigurationError("--memory passes time at once and would never end; give --ticks")
    console = Console(stderr=True)
    common = {"prometheus": prometheus, "queries": queries, "scrape_s": scrape, "objective_ms": objective}
    site: Site = (
        connect_memory(memory, seed)
        if memory is not None
        else connect(namespace, selector=selector, kubeconfig=kubeconfig, **common)  # type: ignore[arg-type]
    )
    recorder = Recorder(site.cluster, site.telemetry, out, site.clock, tick, append)
    with console.status("recording") as status:
        panel = recorder.run(ticks, lambda done, known: status.update(_said(done, ticks, known)))
    found = _summary(panel, out, recorder.lost_ticks)
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"Recorded {found['ticks']} ticks of {found['zones']} zones in {out}, users in {found['trace']}.")
    typer.echo("Known: " + ", ".join(f"{name} {share:.0%}" for name, share in found["known"].items() if share))


def _said(done: int, ticks: int | None, known: float) -> str:
    if math.isnan(known):
        return "interrupted; saving"
    return f"tick {done}{'' if ticks is None else f' of {ticks}'}; {known:.0%} of the values known; Ctrl-C ends"


def _summary(panel: Panel, out: Path, lost: int) -> dict[str, Any]:
    shares = panel.observed.mean(axis=(0, 1))
    return {
        "out": str(out),
        "trace": str(out.with_suffix(".csv")),
        "ticks": len(panel.values),
        "zones": len(panel.names),
        "lost_ticks": lost,
        "known": {name: round(float(share), 4) for name, share in zip(panel.feature_names, shares, strict=True)},
    }
