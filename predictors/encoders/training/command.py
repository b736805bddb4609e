"""What ``metaverse train image-encoder``, ``speech-encoder`` and ``motion-encoder`` have in common."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from metaverse_env.folders import free_for_run
from metaverse_env.terminal import console, show
from predictors.encoders.training.curves import draw_curves, words_of_figure
from predictors.encoders.training.layout import MODEL
from predictors.encoders.training.learner import Learner
from predictors.encoders.training.loop import Progress, Run, Settings
from predictors.encoders.training.resuming import check_resumable
from predictors.forecasting.progress import phases
from predictors.stgnn.checkpoints import CHECKPOINT
from predictors.stgnn.curves import tensorboard


def check_free(out: Path, settings: Settings, *, resume: bool, overwrite: bool) -> Path:
    """Return the folder of a run after making sure that no run is lost in it; before data and weights are read.

    Raises:
        ConfigurationError: It holds a run and neither ``resume`` nor ``overwrite`` is given, or both are; or it cannot
            be written.
        CheckpointError: There is nothing to resume, or it was made with other settings.
    """
    held = "a run" if (out / CHECKPOINT).exists() else ""
    folder = free_for_run(out, held, resume=resume, overwrite=overwrite)
    if resume:
        check_resumable(out, settings)
    return folder


def train_encoder(
    learner: Learner,
    settings: Settings,
    out: Path,
    *,
    resume: bool,
    as_json: bool,
    about: Mapping[str, Any],
    quiet: bool = False,
) -> dict[str, Any]:
    """Train, write the files of the run, and print its figures.

    ``out`` gets ``model/`` (the best weights), ``checkpoint.safetensors``, ``config.json``, ``metrics.json``,
    ``curves.png`` and TensorBoard's events. Call :func:`check_free` first.

    Args:
        learner: What learns, from what.
        settings: How.
        out: Folder of the run.
        resume: Go on with the run in it.
        as_json: Print JSON instead of a table.
        about: What else ``config.json`` tells: command, data, where it started from.
        quiet: Print no figures; the caller does.

    Returns:
        Figures of the best look, ``kept_at_step``, ``steps``, ``minutes`` and ``model``.

    Raises:
        ConfigurationError, CheckpointError, KeyboardInterrupt: As :class:`Run`.
    """
    run = Run(learner, settings, out, resume)
    _write(out / "config.json", {"kind": learner.kind, "data": learner.data, **asdict(settings), **about})
    with phases() as steps:
        try:
            with steps.phase(f"training the {learner.kind}") as report, tensorboard(out, run.progress.step) as write:
                told = len(run.progress.looks)

                def tell(now: Progress) -> None:
                    nonlocal told
                    if len(now.looks) > told:
                        told = len(now.looks)
                        write(now.step, {name: value for name, value in now.looks[-1].items() if name != "step"})
                    report(now.step / settings.steps, words_of(now, settings.steps))

                run.fit(tell)
        except KeyboardInterrupt:
            steps.say(f"Interrupted after step {run.progress.step}; the same command with --resume goes on.")
            raise
    return _finish(run, as_json, quiet)


def words_of(now: Progress, steps: int) -> str:
    """Say how far a training is."""
    words = f"step {now.step}/{steps}"
    if now.losses:
        words += f", loss {now.losses[-1]:.4f}"
    if now.looks:
        words += f", best {now.best:.4g}"
    return words


def _finish(run: Run, as_json: bool, quiet: bool) -> dict[str, Any]:
    progress, out = run.progress, run.folder
    kept = next(look for look in progress.looks if look["step"] == progress.best_step)
    figures = {
        **{name: value for name, value in kept.items() if name != "step"},
        "kept_at_step": progress.best_step,
        "steps": progress.step,
        "minutes": round(progress.seconds / 60.0, 2),
        "model": str(out / MODEL),
    }
    _write(out / "metrics.json", {"figures": figures, "looks": progress.looks})
    title = f"{run.learner.kind}: weights of step {progress.best_step} of {progress.step} are kept"
    draw_curves(progress.looks, progress.best_step, title, run.learner.words, out / "curves.png")
    if quiet:
        return figures
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        show(console(), _table(run, figures))
        typer.echo(where_of(out))
    return figures


def where_of(out: Path) -> str:
    """Say where the files of a run are."""
    return f"Weights: {out / MODEL}; curves, figures and the checkpoint: {out}"


def _table(run: Run, figures: Mapping[str, Any]) -> Table:
    table = Table("figure", "value", title=f"kept at step {run.progress.best_step}")
    for name, value in figures.items():
        if isinstance(value, float):
            table.add_row(words_of_figure(name, run.learner.words), f"{value:.4g}")
    return table


def _write(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
