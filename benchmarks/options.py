"""Options that several commands share, said once."""

from pathlib import Path
from typing import Annotated

import typer

Policies = Annotated[
    str,
    typer.Option(
        help="Policies, separated by commas: a name, module:name of yours; NAME@SCENARIO or NAME@tuned.json with tuned "
        "parameters; NAME+codec through coded actions."
    ),
]
ScenarioName = Annotated[
    str, typer.Option("--scenario", help="single_zone, multi_zone, complex, or a TOML or YAML file.")
]
DynamicsName = Annotated[
    str | None,
    typer.Option("--dynamics", help="stgnn, physics or trace.", show_default="stgnn, or trace with --trace"),
]
ForecasterName = Annotated[str, typer.Option("--forecaster", help="stgnn, persistence or none.")]
Scaling = Annotated[str | None, typer.Option(help="vertical or horizontal.", show_default="the scenario's")]
Seeds = Annotated[int, typer.Option(min=1, help="How many worlds, each with its own seed.")]
Seed = Annotated[int, typer.Option(min=0, help="The first seed.")]
Ticks = Annotated[int | None, typer.Option(min=1, help="Length of an episode.", show_default="the scenario's")]
TraceFile = Annotated[
    Path | None,
    typer.Option(
        "--trace",
        help="What to replay: CSV of users over time (.gz or not), or .npz of telemetry; see docs/world-model.md.",
    ),
]
MeanUsers = Annotated[
    float | None,
    typer.Option(
        help="Scales the trace to this mean per zone.", show_default="the scenario's; telemetry stays as it is"
    ),
]
Wrap = Annotated[
    str | None,
    typer.Option("--wrap", help="module:name of yours that makes another world of a world; see docs/benchmarks.md."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with what is finished in the folder under the same conditions.")
]
Out = Annotated[Path, typer.Option(help="Folder for the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
