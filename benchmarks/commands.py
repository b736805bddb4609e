"""What ``metaverse benchmark`` does."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.asking import EVERYONE, Asked, comparing
from benchmarks.finished import ROWS, Finished
from benchmarks.plots import plot_costs
from benchmarks.progress import Bar
from benchmarks.report import print_report, summary
from benchmarks.scores import Result
from benchmarks.suite import compare, policy_names
from metaverse_env.terminal import console


@comparing(out=Path("out/benchmark"))
def run(
    asked: Asked,
    codec: Annotated[
        bool | None,
        typer.Option(
            help="Run the best classical policy again through coded actions, the choices that learned agents have.",
            show_default="only without --policies",
        ),
    ] = None,
) -> None:
    """Compare controllers in the same worlds: cost, violations, latency, reward and changes, with intervals over seeds.

    Writes results.csv (a row per policy and seed), summary.json and costs.png, in place of those that --out holds.
    Ctrl-C keeps the rows that are finished; the same command with --resume goes on.
    """
    results = collect(asked, codec)
    plot_costs(asked.folder / "costs.png", asked.terms, results)
    if asked.as_json:
        typer.echo(json.dumps(summary(asked.terms, results), indent=2))
        return
    print_report(console(), asked.terms, results)
    typer.echo(f"Written to {asked.folder}: results.csv, summary.json, costs.png")


def collect(asked: Asked, codec: bool | None = None) -> list[Result]:
    """Run the comparison behind a bar, and write after every block of worlds what there is.

    Args:
        asked: What to compare.
        codec: Whether the best classical one runs again through the codec; by default only of the usual policies.
    """
    terms, names = asked.terms, asked.names
    codec = names == policy_names(EVERYONE) if codec is None else codec
    finished = Finished.resumed(terms, asked.folder) if asked.resume else Finished(terms, asked.folder)
    blocks = sum(not finished.has(name, seeds) for name in names for seeds in terms.blocks) + codec * len(terms.blocks)
    try:
        with Bar(blocks * terms.ticks) as bar:
            return list(compare(terms, names, codec, bar.advance, finished))
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted; rows (policy and seed) in {asked.folder / ROWS}: {finished.count}. "
            f"The same command with --resume goes on.",
            err=True,
        )
        raise
