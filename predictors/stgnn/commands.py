"""``metaverse train predictor``: make telemetry, train, judge, and write what the environments load."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from predictors.stgnn.card import Kind, blank_card
from predictors.stgnn.curves import draw_curves
from predictors.stgnn.data import Recording, make_recordings, record
from predictors.stgnn.dynamics.evaluation import evaluate_dynamics, look, residual_parts
from predictors.stgnn.evaluation import evaluate_forecaster
from predictors.stgnn.export import export
from predictors.stgnn.tasks import TASKS
from predictors.stgnn.training import Run, Settings

SEEDS: Final[dict[Kind, int]] = {"forecaster": 0, "dynamics": 1}
"""Added to twice the seed: the forecaster must not learn from the very worlds that the dynamics learns from."""
VALIDATION: Final = (("multi_zone", 4), ("complex", 2), ("single_zone", 30))
"""Scenarios and worlds that say when to stop."""
VALIDATION_SEED: Final = 900_001_000
TEST_WORLDS: Final = 12
TEST_SEED: Final = 900_000_000
"""Of the worlds that the figures come from; they decide nothing."""


class Which(StrEnum):
    """Which networks to train."""

    FORECASTER = "forecaster"
    DYNAMICS = "dynamics"
    BOTH = "both"


def train_predictor(
    out: Annotated[Path, typer.Option(help="Folder of the run; networks are written there.")] = Path("runs/predictor"),
    kind: Annotated[Which, typer.Option(help="What to train.")] = Which.BOTH,
    seed: Annotated[int, typer.Option(min=0, help="Of telemetry, weights and batches.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="At most, for each network.")] = 60,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="At most, for each network.")] = None,
    worlds: Annotated[int, typer.Option(min=1, help="Of 30 zones for one hour, to learn from.")] = 140,
    threads: Annotated[int, typer.Option(min=1, help="Of torch; one is best while other programs run.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the forecaster and the dynamics on telemetry that the physics makes.

    Interrupt with Ctrl-C; the same command with --resume goes on. The folder gets stgnn_KIND.onnx, .safetensors and
    .json, and for each kind config.json, metrics.json, curves.png and the checkpoint.
    """
    console = Console(stderr=as_json)
    kinds: list[Kind] = [name for name in SEEDS if kind in (Which.BOTH, name)]
    figures = {}
    for name in kinds:
        task = TASKS[name]()
        settings = Settings(2 * seed + SEEDS[name], epochs, rate=task.rate, minutes=minutes, threads=threads)
        run = Run(task, settings, out / name, resume)
        _write(out / name / "config.json", {"kind": name, "worlds": worlds, **asdict(settings)})
        try:
            figures[name] = _train(run, worlds, console)
        except KeyboardInterrupt:
            console.print(f"Interrupted after epoch {run.progress.epoch}; the same command with --resume goes on.")
            raise
        if not as_json:
            console.print(_table(name, figures[name]))
    if as_json:
        typer.echo(json.dumps(figures))


def _train(run: Run, worlds: int, console: Console) -> dict[str, Any]:
    """Train one network, write its files, return its figures."""
    kind: Kind = run.task.kind
    console.print(f"Making telemetry for the {kind} …")
    training = make_recordings(run.settings.seed, worlds)
    validation = [record(name, range(VALIDATION_SEED, VALIDATION_SEED + count)) for name, count in VALIDATION]
    with _bar(console) as bar:
        line = bar.add_task(kind, total=run.settings.epochs, loss="", completed=run.progress.epoch)
        net = run.fit(
            training,
            validation,
            lambda now: bar.update(
                line, completed=now.epoch, loss=f"loss {now.validation[-1]:.4f}, best {now.best_loss:.4f}"
            ),
        )
    figures, keep = _judge(kind, net, training[0])
    card = blank_card(kind, command=_command(), seed=run.settings.seed, residual_keep=keep, metrics=figures)
    export(net, card, run.folder.parent / f"stgnn_{kind}")
    figures |= {"epochs": run.progress.epoch, "minutes": round(run.progress.seconds / 60.0, 2)}
    _write(run.folder / "metrics.json", figures)
    draw_curves(run.progress, run.folder / "curves.png")
    return figures


def _judge(kind: Kind, net: Any, training: Recording) -> tuple[dict[str, Any], tuple[tuple[float, ...], ...]]:
    """Return figures on held-out seeds; and how deviations last, estimated on what was learnt from."""
    seeds = range(TEST_SEED, TEST_SEED + TEST_WORLDS)
    if kind == "forecaster":
        figures = {
            "random allocations": evaluate_forecaster(net, record("multi_zone", seeds)),
            "enough allocated": evaluate_forecaster(net, record("multi_zone", seeds, multiples=(1.3, 3.0))),
        }
        return figures, ()
    parts = residual_parts(look(net, training))
    return evaluate_dynamics(look(net, record("multi_zone", seeds)), parts), parts


def _command() -> str:
    """Return the command line that made the network, without what does not change it."""
    words = [word for word in sys.argv[1:] if word not in ("train", "predictor", "--resume", "--json")]
    return " ".join(["metaverse train predictor", *words])


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs"))
    return Progress(*columns, TextColumn("{task.fields[loss]}"), TimeElapsedColumn(), console=console)


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _table(kind: Kind, figures: dict[str, Any]) -> Table:
    """Lay out the mean absolute errors, ours and persistence's."""
    table = Table("target", "ticks ahead", "MAE", "persistence", title=f"{kind} on held-out seeds")
    part = figures.get("random allocations", figures)
    for target, ours in part["mae"].items():
        theirs = part["persistence_mae"][target]
        pairs = (
            [("1", ours, theirs)] if isinstance(ours, float) else [(tick, ours[tick], theirs[tick]) for tick in ours]
        )
        for tick, own, rival in pairs:
            table.add_row(target, tick, f"{own:.4g}", f"{rival:.4g}")
    return table
