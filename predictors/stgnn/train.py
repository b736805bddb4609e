"""The work of ``metaverse train predictor``: make telemetry, train, judge, and write what the environments load."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer
from rich.table import Table

from predictors.forecasting.progress import Phases, phases
from predictors.forecasting.tables import show
from predictors.stgnn.card import Kind, blank_card
from predictors.stgnn.curves import draw_curves, tensorboard
from predictors.stgnn.data import Recording, make_recordings, record
from predictors.stgnn.dynamics.evaluation import evaluate_dynamics, look, residual_parts
from predictors.stgnn.evaluation import evaluate_forecaster
from predictors.stgnn.export import export
from predictors.stgnn.tasks import TASKS, ForecastTask
from predictors.stgnn.training import Progress as Training
from predictors.stgnn.training import Run, Settings, words_of

SEEDS: Final[dict[Kind, int]] = {"forecaster": 0, "dynamics": 1}
"""Added to twice the seed: the forecaster must not learn from the very worlds that the dynamics learns from."""


class Budget(NamedTuple):
    """How long to learn, and from how much."""

    epochs: int
    worlds: int


BUDGETS: Final[dict[Kind, Budget]] = {"forecaster": Budget(160, 300), "dynamics": Budget(60, 140)}
"""Of the shipped networks: less than ten minutes each on one core."""
PATIENCE: Final = 0.25
"""Share of the epochs without a better loss after which it stops: the learning rate falls over all of them."""
VALIDATION: Final = (("multi_zone", 4), ("complex", 2), ("single_zone", 30))
"""Scenarios and worlds that say when to stop."""
VALIDATION_SEED: Final = 900_001_000
TEST_WORLDS: Final = 12
TEST_SEED: Final = 900_000_000
"""Of the worlds that the figures come from; they decide nothing."""


def train(
    out: Path,
    kinds: Sequence[Kind],
    *,
    seed: int,
    epochs: int | None,
    minutes: float | None,
    worlds: int | None,
    intents: bool,
    threads: int,
    resume: bool,
    as_json: bool,
    command: str,
) -> None:
    """Train networks and print their figures; see :func:`predictors.commands.train_predictor`.

    Args:
        out: Folder of the run.
        kinds: What to train.
        seed: Of telemetry, weights and batches.
        epochs: At most, for each network; ``None`` is what the shipped one was trained for.
        minutes: At most, for each network; ``None`` has no limit.
        worlds: How many to learn from; ``None`` as many as the shipped one.
        intents: Whether the forecaster hears what users announce.
        threads: Of torch.
        resume: Go on with the run in the folder.
        as_json: Print JSON instead of tables.
        command: What was asked for, for the card of the network.

    Raises:
        CheckpointError: There is nothing to go on from, or it was made with other settings.
    """
    figures = {}
    for name in kinds:
        task, budget = TASKS[name]() if intents else ForecastTask("no_intents"), _budget(name, epochs, worlds)
        patience = max(1, round(budget.epochs * PATIENCE))
        settings = Settings(2 * seed + SEEDS[name], budget.epochs, task.rate, patience, minutes, threads)
        run = Run(task, settings, out / name, resume)
        asked = {"kind": name, "worlds": budget.worlds, "intents": intents}
        _write(out / name / "config.json", {**asked, **asdict(settings)})
        with phases() as steps:
            try:
                figures[name] = _train(run, budget.worlds, steps, command)
            except KeyboardInterrupt:
                steps.say(f"Interrupted after epoch {run.progress.epoch}; the same command with --resume goes on.")
                raise
        if not as_json:
            show(_table(name, figures[name]))
    if as_json:
        typer.echo(json.dumps(figures))


def _budget(kind: Kind, epochs: int | None, worlds: int | None) -> Budget:
    """Return the shipped network's budget, but for what was asked for."""
    usual = BUDGETS[kind]
    return Budget(usual.epochs if epochs is None else epochs, usual.worlds if worlds is None else worlds)


def _train(run: Run, worlds: int, steps: Phases, command: str) -> dict[str, Any]:
    """Train one network, write its files, return its figures."""
    kind: Kind = run.task.kind
    with steps.phase(f"telemetry for the {kind}"):
        training = make_recordings(run.settings.seed, worlds)
        validation = [record(name, range(VALIDATION_SEED, VALIDATION_SEED + count)) for name, count in VALIDATION]
    with steps.phase(f"training the {kind}") as report, tensorboard(run.folder, run.progress.epoch) as write:

        def tell(now: Training) -> None:
            write(now.epoch, {"loss/training": now.training[-1], "loss/validation": now.validation[-1]})
            report(now.epoch / run.settings.epochs, words_of(now, run.settings.epochs))

        net = run.fit(training, validation, tell)
    with steps.phase(f"judging the {kind}"):
        figures, keep = _judge(kind, net, training[0])
    card = blank_card(kind, command=command, seed=run.settings.seed, residual_keep=keep, metrics=figures)
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
