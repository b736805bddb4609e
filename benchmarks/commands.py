"""What ``metaverse benchmark`` does."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import options
from benchmarks.conditions import Conditions, conditions
from benchmarks.plots import plot_costs
from benchmarks.progress import Bar
from benchmarks.report import print_report, summary, write_results
from benchmarks.suite import Result, compare, policy_names
from metaverse_env.folders import writable

EVERYONE = "hold,random,static,threshold"


def run(
    policies: options.Policies = EVERYONE,
    scenario: options.ScenarioName = "multi_zone",
    dynamics: options.DynamicsName = None,
    forecaster: options.ForecasterName = "stgnn",
    scaling: options.Scaling = None,
    seeds: options.Seeds = 8,
    seed: options.Seed = 0,
    ticks: options.Ticks = None,
    trace: options.TraceFile = None,
    mean_users: options.MeanUsers = None,
    codec: Annotated[bool, typer.Option(help="Run the best classical policy again through coded actions.")] = True,
    out: options.Out = Path("out/benchmark"),
    as_json: options.AsJson = False,
) -> None:
    """Compare controllers in the same worlds: cost, violations, latency, reward and changes, with intervals over seeds.

    Writes results.csv (a row per policy and seed), summary.json and costs.png. Ctrl-C keeps the rows that are finished.
    """
    names = policy_names(policies)
    folder = writable(out)
    terms = conditions(
        scenario,
        dynamics=dynamics,
        forecaster=forecaster,
        scaling=scaling,
        seeds=seeds,
        seed=seed,
        ticks=ticks,
        trace=None if trace is None else str(trace),
        mean_users=mean_users,
    )
    results = collect(terms, names, codec, folder)
    plot_costs(folder / "costs.png", terms, results)
    if as_json:
        typer.echo(json.dumps(summary(terms, results), indent=2))
        return
    print_report(Console(), terms, results)
    typer.echo(f"Written to {folder}: results.csv, summary.json, costs.png")


def collect(terms: Conditions, names: Sequence[str], codec: bool, folder: Path) -> list[Result]:
    """Run the comparison behind a bar, and write after every policy what there is."""
    if any(":" in name for name in names) and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # a module of the user's is looked for where the user stands
    results: list[Result] = []
    try:
        with Bar((len(names) + codec) * terms.ticks) as bar:
            for result in compare(terms, names, codec, bar.advance):
                results.append(result)
                write_results(folder, terms, results)
    except KeyboardInterrupt:
        typer.echo(f"Interrupted; policies whose rows are in {folder / 'results.csv'}: {len(results)}", err=True)
        raise
    return results
