"""Options of ``metaverse live``, each said once."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import options as everywhere

ScenarioName = Annotated[
    str | None,
    typer.Option(
        "--scenario", help="single_zone, multi_zone, complex, or a TOML or YAML file.", show_default="multi_zone"
    ),
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy", help="Who decides: a name, module:name of yours, NAME@SCENARIO.", show_default="threshold"
    ),
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="The same seed and keys give the same pictures.", show_default="0")
]
Speed = Annotated[float, typer.Option(help="Ticks per second, 1/16 to 64.")]
Size = Annotated[
    str | None, typer.Option(help="WIDTHxHEIGHT in px, from 960x540.", show_default="as large as there is room for")
]
Dynamics = Annotated[
    str | None,
    typer.Option(help="stgnn, physics or trace.", show_default="stgnn, or trace with --trace"),
]
Forecaster = Annotated[str | None, typer.Option(help="stgnn, persistence or none.", show_default="stgnn")]
Headless = Annotated[bool, typer.Option("--headless", help="Write a film and open no window.")]
TraceFile = everywhere.TraceFile
Out = Annotated[
    str | None,
    typer.Option(
        help="With --headless the film: .mp4, .gif, or a folder/ for PNG files. Else the folder for screenshots.",
        show_default="live.mp4, or this folder",
    ),
]
Seconds = Annotated[
    float | None, typer.Option(min=0.0, help="Length of the film, or of the show, s.", show_default="20, or no end")
]
Ticks = Annotated[int | None, typer.Option(min=1, help="The same in ticks.")]
Fps = Annotated[
    int | None, typer.Option(min=1, max=120, help="Pictures per second.", show_default="30, in a window up to 60")
]
Keep = Annotated[
    Path | None, typer.Option(help="Record every episode for --replay: FILE.npz, then FILE-2.npz and so on.")
]
Replay = Annotated[Path | None, typer.Option(help="Live a recorded episode again.")]
Server = Annotated[
    str | None, typer.Option(help="Tell a prediction server of every tick: http://HOST:PORT of metaverse serve.")
]
Cluster = Annotated[
    str | None, typer.Option(help="Look at a cluster: the namespace whose Deployments are zones. Nothing is written.")
]
Selector = Annotated[
    str | None, typer.Option(help="Labels that choose the Deployments.", show_default="part-of=metaverse")
]
DryRunCluster = Annotated[bool, typer.Option("--dry-run-cluster", help="Look at a cluster in memory.")]
Kubeconfig = Annotated[Path | None, typer.Option(help="How to reach the cluster.", show_default="as kubectl")]
Prometheus = Annotated[str | None, typer.Option(help="What measures the cluster, http://…")]
Queries = Annotated[str, typer.Option(help="What is asked of it: a preset, or a TOML file.")]
TickS = Annotated[
    float | None, typer.Option(min=1.0, max=60.0, help="Length of a cluster's tick, s.", show_default="15")
]
Web = Annotated[bool, typer.Option("--web", help="Show it in a browser.")]
Host = Annotated[str, typer.Option(help="Address of --web.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of --web; 0 for any that is free.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print at the end what was shown as JSON.")]
