"""What ``metaverse benchmark suite`` does."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import bootstrap, options
from benchmarks.asking import look_where_the_user_stands
from benchmarks.conditions import HELD_OUT_SEED
from benchmarks.grid import running
from benchmarks.grid.findings import Findings, find
from benchmarks.grid.picture import PICTURE, draw
from benchmarks.grid.running import Grid
from benchmarks.grid.tables import CSV, JSON, MARKDOWN, print_findings, write
from benchmarks.grid.tables import as_json as findings_json
from benchmarks.progress import Bar
from benchmarks.suite import policy_names
from metaverse_env.errors import PolicyError
from metaverse_env.folders import writable
from metaverse_env.terminal import console
from metaverse_env.threads import usable_cores

NO_DYNAMICS = "none"
EVERYONE = "hpa,threshold,vpa,keda,pid,autothrottle,forecast,mpc,static,hold,random,oracle,oracle_users"

Scenarios = Annotated[str, typer.Option(help="Names or TOML or YAML files, separated by commas.")]
SeveralDynamics = Annotated[
    str, typer.Option(help="stgnn, physics, or both, separated by commas; none for traces alone.")
]
Traces = Annotated[
    list[Path] | None,
    typer.Option(help="A file to replay in every scenario, beside the dynamics; may be given several times."),
]
Reference = Annotated[
    str | None, typer.Option(help="The policy that others are compared to.", show_default="the first one")
]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes, of one thread each.", show_default="all cores")
]
DecisionLimit = Annotated[float, typer.Option(min=0.01, help="The longest that a policy may take for a decision, s.")]


def suite(
    policies: options.Policies = EVERYONE,
    scenario: Scenarios = "multi_zone,complex",
    dynamics: SeveralDynamics = "physics",
    trace: Traces = None,
    forecaster: options.ForecasterName = "stgnn",
    scaling: options.Scaling = None,
    seeds: options.Seeds = 50,
    seed: options.Seed = HELD_OUT_SEED,
    ticks: options.Ticks = None,
    mean_users: options.MeanUsers = None,
    wrap: options.Wrap = None,
    reference: Reference = None,
    jobs: Jobs = None,
    decision_limit_s: DecisionLimit = 60.0,
    out: options.Out = Path("out/suite"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare controllers in many conditions, in parallel: policies x scenarios x (dynamics and traces) x seeds.

    Writes suite.md, suite.json, suite.csv and pareto.png, and a folder per condition with a row per policy and seed. A
    policy that fails or hangs is left out where it does; all others go on, and the exit code is 1. Ctrl-C keeps what is
    finished; the same command with --resume goes on.
    """
    look_where_the_user_stands()
    bootstrap.require()
    names = policy_names(policies)
    terms = running.all_conditions(
        running.several(scenario, "scenario"),
        [] if dynamics == NO_DYNAMICS else running.several(dynamics, "dynamics"),
        [str(file) for file in trace or ()],
        forecaster=forecaster,
        scaling=scaling,
        seeds=seeds,
        seed=seed,
        ticks=ticks,
        mean_users=mean_users,
        wrapper=wrap,
    )
    folder, reference = writable(out), names[0] if reference is None else reference
    grid = Grid(names, terms, folder)
    bounds = running.check(grid, reference)
    cells = running.run(grid, jobs or usable_cores(), decision_limit_s, resume)
    with Bar(len(cells) + 1, "conditions", "summing up") as bar:
        findings = find(cells, reference, bounds, bar.advance)
    _report(folder, findings, as_json)


def _report(folder: Path, findings: Findings, json_only: bool) -> None:
    """Write and show everything, and end with what failed."""
    write(folder, findings)
    drawn = any(rows for _, rows in findings.cells)
    if drawn:
        draw(folder / PICTURE, findings)
    if json_only:
        typer.echo(json.dumps(findings_json(findings), indent=2))
    else:
        print_findings(console(), findings)
        typer.echo(f"Written to {folder}: {', '.join([MARKDOWN, JSON, CSV] + [PICTURE] * drawn)}")
    failed = [message for cell, _ in findings.cells for message in cell.failures.values()]
    if failed:
        raise PolicyError("\n".join([f"{len(failed)} of the policies' conditions failed:", *failed]))
