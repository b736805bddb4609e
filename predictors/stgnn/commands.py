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

from metaverse_env.errors import MetaverseError
from predictors.stgnn.card import Kind

SEEDS: Final[dict[Kind, int]] = {"forecaster": 0, "dynamics": 1}
"""Added to the seed: the forecaster must not learn from the very worlds that the dynamics learns from."""
DEFAULT_WORLDS: Final = 140
HELD_OUT_WORLDS: Final = 12
_HELD_OUT_SEED: Final = 900_000_000


class Which(StrEnum):
    """Which networks to train."""

    FORECASTER = "forecaster"
    DYNAMICS = "dynamics"
    BOTH = "both"


def train_predictor(
    out: Annotated[Path, typer.Option(help="Folder of the run; the networks are written there.")] = Path(
        "runs/predictor"
    ),
    kind: Annotated[Which, typer.Option(help="What to train.")] = Which.BOTH,
    seed: Annotated[int, typer.Option(min=0, help="Of telemetry, weights and batches.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="At most, for each network.")] = 60,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="At most, for each network.")] = None,
    worlds: Annotated[int, typer.Option(min=1, help="Of 30 zones and one hour, to learn from.")] = DEFAULT_WORLDS,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the forecaster and the dynamics on telemetry that the physics makes.

    Interrupt with Ctrl-C; the same command with --resume goes on.
    """
    console = Console(stderr=as_json)
    kinds: list[Kind] = ["forecaster", "dynamics"] if kind is Which.BOTH else [kind.value]  # type: ignore[list-item]
    try:
        figures = {name: _train(name, out, seed, epochs, minutes, worlds, threads, resume, console) for name in kinds}
    except KeyboardInterrupt:
        console.print(f"Interrupted. The same command with --resume goes on from the last epoch in {out}.")
        raise typer.Exit(130) from None
    except MetaverseError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        for name in kinds:
            console.print(_table(name, figures[name]))


def _train(
    kind: Kind, out: Path, seed: int, epochs: int, minutes: float | None, worlds: int, threads: int, resume: bool,
    console: Console,
) -> dict[str, Any]:  # fmt: skip
    """Train one network; return its figures."""
    from predictors.stgnn.card import blank_card
    from predictors.stgnn.curves import draw_curves
    from predictors.stgnn.data import make_recordings, record
    from predictors.stgnn.export import export
    from predictors.stgnn.tasks import TASKS
    from predictors.stgnn.training import Run, Settings

    folder = out / kind
    settings = Settings(seed=2 * seed + SEEDS[kind], epochs=epochs, minutes=minutes, threads=threads)
    run = Run(TASKS[kind](), settings, folder, resume)
    config = {"kind": kind, "worlds": worlds, **asdict(settings)}
    _write(folder / "config.json", config)
    console.print(f"Making telemetry for the {kind} …")
    training = make_recordings(settings.seed, worlds)
    validation = [
        record(name, range(_HELD_OUT_SEED + 1000, _HELD_OUT_SEED + 1000 + count))
        for name, count in (("multi_zone", 4), ("complex", 2), ("single_zone", 30))
    ]
    with _bar(console) as bar:
        task = bar.add_task(kind, total=epochs, loss="")
        net = run.fit(
            training,
            validation,
            lambda p: bar.update(task, completed=p.epoch, loss=f"loss {p.validation[-1]:.4f}, best {p.best_loss:.4f}"),
        )
    figures = _judge(kind, net, training)
    keep = tuple(figures["residual_keep"].values()) if kind == "dynamics" else ()
    card = blank_card(kind, command=_command(), seed=seed, residual_keep=keep, metrics=figures)
    export(net, card, out / f"stgnn_{kind}")
    figures |= {"epochs": run.progress.epoch, "minutes": round(run.progress.seconds / 60.0, 2)}
    _write(folder / "metrics.json", figures)
    draw_curves(run.progress, folder / "curves.png")
    return figures


def _judge(kind: Kind, net: Any, training: Any) -> dict[str, Any]:
    """Return figures on held-out seeds; the correlation of residuals is estimated on what was learnt from."""
    from predictors.stgnn.data import record
    from predictors.stgnn.evaluation import evaluate_dynamics, evaluate_forecaster

    seeds = range(_HELD_OUT_SEED, _HELD_OUT_SEED + HELD_OUT_WORLDS)
    if kind == "forecaster":
        return {
            "random allocations": evaluate_forecaster(net, record("multi_zone", seeds)),
            "enough allocated": evaluate_forecaster(net, record("multi_zone", seeds, multiples=(1.3, 3.0))),
        }
    figures = evaluate_dynamics(net, [record("multi_zone", seeds)])
    return figures | {"residual_keep": evaluate_dynamics(net, training[:1])["residual_keep"]}


def _command() -> str:
    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    return " ".join(["metaverse", "train", "predictor", *(a for a in arguments if a not in ("train", "predictor"))])


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs"))
    return Progress(*columns, TextColumn("{task.fields[loss]}"), TimeElapsedColumn(), console=console)


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _table(kind: Kind, figures: dict[str, Any]) -> Table:
    """Lay out the mean absolute errors, ours and persistence's."""
    table = Table("target", "ticks ahead", "MAE", "persistence", title=f"{kind}, held-out seeds")
    part = figures.get("random allocations", figures)
    for target, ours in part["mae"].items():
        theirs = part["persistence_mae"][target]
        pairs = [("1", ours, theirs)] if isinstance(ours, float) else [(t, ours[t], theirs[t]) for t in ours]
        for tick, own, rival in pairs:
            table.add_row(target, tick, f"{own:.4g}", f"{rival:.4g}")
    return table


app = typer.Typer(add_completion=False)
app.command()(train_predictor)

if __name__ == "__main__":
    app()
