"""What ``metaverse benchmark tune`` does."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.asking import Asked, comparing
from benchmarks.progress import Bar
from benchmarks.tuning.plots import plot_trials
from benchmarks.tuning.report import TRIALS, TUNED, command_of, print_tuned, tuned, write
from benchmarks.tuning.tuning import JOURNAL, Budget, Tuning
from metaverse_env.terminal import console

TUNABLE = "hpa,vpa,keda,pid,autothrottle,threshold,static,forecast,mpc,oracle,oracle_users"
FIRST_TRAINING_SEED = 1_000_000


@comparing(policies=TUNABLE, dynamics="physics", seed=FIRST_TRAINING_SEED, out=Path("out/tune"))
def tune(
    asked: Asked,
    trials: Annotated[int, typer.Option(min=1, help="Sets of parameters per controller, its defaults first.")] = 240,
    violated_percent: Annotated[
        float,
        typer.Option(min=0.0, max=100.0, help="Most user-seconds above the objective, per cent, mean over worlds."),
    ] = 0.5,
) -> None:
    """Tune controllers: the lowest cost at which violations stay within a limit, the same budget for all.

    Trains on seeds from 1,000,000 on, so that tuned parameters never meet the worlds that benchmarks judge them in,
    whose seeds start at 0. Controllers that read no forecast are tuned without a forecaster, which changes nothing.

    Writes tuned.json (use it as NAME@tuned.json wherever a policy is named), trials.csv with every trial, trials.png
    and trials.journal. Ctrl-C keeps every finished trial; the same command with --resume goes on, also with more
    --trials.
    """
    budget = Budget(trials, violated_percent)
    tuning, command = Tuning(asked.terms, budget, asked.names, asked.folder, asked.resume), command_of(asked, budget)
    _run(tuning, asked.folder, command)
    plot_trials(asked.folder / "trials.png", asked.terms, budget, tuning.found)
    if asked.as_json:
        typer.echo(json.dumps(tuned(tuning, command), indent=2))
        return
    print_tuned(console(), tuning, asked.folder)
    typer.echo(f"Written to {asked.folder}: {TUNED}, {TRIALS}, trials.png, {JOURNAL}")


def _run(tuning: Tuning, folder: Path, command: str) -> None:
    """Tune behind a bar, and write after every controller what there is."""
    try:
        with Bar(tuning.trials_left, unit="trials") as bar:
            for _ in tuning.run(bar.advance):
                write(folder, tuning, command)
    except KeyboardInterrupt:
        write(folder, tuning, command)
        kept = sum(len(one.trials) for one in tuning.found)
        typer.echo(
            f"Interrupted; trials in {folder / TRIALS}: {kept}. The same command with --resume goes on.", err=True
        )
        raise
    write(folder, tuning, command)
