"""What ``metaverse benchmark fidelity`` does."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import options
from benchmarks.conditions import conditions
from benchmarks.fidelity.report import WATCHED, compare_worlds, tables
from benchmarks.progress import Bar
from metaverse_env.terminal import console, show
from predictors.stgnn import StgnnDynamics

_BESIDE_WATCHED = 2


def fidelity(
    scenario: options.ScenarioName = "multi_zone",
    network: Annotated[
        Path | None, typer.Option(help="Path of a trained network without suffix.", show_default="the shipped one")
    ] = None,
    seeds: options.Seeds = 12,
    seed: options.Seed = 0,
    ticks: options.Ticks = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure how close a learned dynamics is to the physics.

    Three questions: do free runs look alike (distributions and correlations in time of every target, under three
    policies); does another allocation change the same; do controllers rank the same.
    """
    terms = conditions(scenario, dynamics="physics", forecaster="none", seeds=seeds, seed=seed, ticks=ticks)
    dynamics = StgnnDynamics() if network is None else StgnnDynamics(network)
    with Bar(len(WATCHED) + _BESIDE_WATCHED, unit="parts") as bar:
        found = compare_worlds(
            terms.scenario, dynamics, terms.seeds, terms.ticks, lambda: bar.advance("comparing worlds")
        )
    if as_json:
        typer.echo(json.dumps(found))
        return
    terminal = console()
    for sentence in terms.sentences():
        terminal.print(sentence, highlight=False, markup=False)
    for table in tables(found):
        show(terminal, table)
