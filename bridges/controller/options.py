"""Options of ``metaverse bridge run``, each said once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Aim(StrEnum):
    """How far it may rise."""

    SHADOW = "shadow"
    CANARY = "canary"
    ACTIVE = "active"


PolicyName = Annotated[str, typer.Option(help="Who decides: a name, module:name of yours, NAME@SCENARIO.")]
Namespace = Annotated[
    str | None, typer.Option(help="Whose Deployments are the zones.", show_default="needed on a real cluster")
]
ModeAim = Annotated[Aim, typer.Option(help="How far it may rise; shadow makes no mutating call.")]
Canary = Annotated[str, typer.Option(help="Zones, separated by commas, that are written to first.")]
Selector = Annotated[
    str | None, typer.Option(help="Labels that choose the Deployments.", show_default="part-of=metaverse")
]
TickS = Annotated[float, typer.Option(min=1.0, max=60.0, help="Length of a cycle, s.")]
Kubeconfig = Annotated[Path | None, typer.Option(help="How to reach the cluster.", show_default="as kubectl")]
Prometheus = Annotated[str | None, typer.Option(help="Address of a Prometheus, http://…")]
Queries = Annotated[str, typer.Option(help="What is asked of it: a preset, or a TOML file.")]
ScrapeS = Annotated[float, typer.Option(min=1.0, max=300.0, help="How often it takes values, s.")]
Fallback = Annotated[str, typer.Option(help="Who decides when the policy may not.")]
Forecaster = Annotated[str, typer.Option(help="stgnn, persistence or none.")]
Scenario = Annotated[
    str | None,
    typer.Option(help="Prices, objective and limits of a zone: a name or file.", show_default="around what zones have"),
]
Scaling = Annotated[str | None, typer.Option(help="vertical or horizontal.", show_default="the scenario's")]
ShieldFile = Annotated[Path | None, typer.Option(help="JSON of the shield's rules.", show_default="cautious ones")]
Settings = Annotated[Path | None, typer.Option(help="JSON of the controller's patience.")]
Lease = Annotated[str, typer.Option(help="Lease that replicas share.")]
Rollouts = Annotated[bool, typer.Option(help="Let lone pods be replaced where they cannot be resized.")]
RolloutCoolDownS = Annotated[
    float, typer.Option(min=0.0, max=86_400.0, help="Between two replacements of a lone pod, s.")
]
TakeFrom = Annotated[
    str, typer.Option(help="Field managers, separated by commas, who may lose fields to it, such as kubectl.")
]
PauseFile = Annotated[Path | None, typer.Option(help="Kill switch: pauses while it says true.")]
CheckpointFile = Annotated[Path | None, typer.Option("--checkpoint", help="Goes on from here after a restart.")]
Decisions = Annotated[Path | None, typer.Option(help="Takes one record of JSON a cycle.")]
KeepInputs = Annotated[bool, typer.Option(help="Keep in it all that was read, so that it can be decided again.")]
Host = Annotated[str, typer.Option(help="Address of /healthz, /readyz and /metrics.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Their port; 0 for any that is free.")]
Cycles = Annotated[int | None, typer.Option(min=1, help="End after so many.", show_default="never")]
DryRunCluster = Annotated[bool, typer.Option("--dry-run-cluster", help="A cluster in memory instead.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the users of a cluster in memory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print each decision as a line of JSON.")]
