"""The work of ``metaverse train ALGORITHM``: train, and write what benchmarks and environments load."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from stable_baselines3.common.logger import configure

from agents.learning.card import save_policy
from agents.learning.curves import draw_curves
from agents.learning.settings import Settings
from agents.learning.training import Training
from metaverse_env.errors import ConfigurationError


def train(
    out: Path,
    settings: Settings,
    *,
    command: str,
    minutes: float | None,
    threads: int,
    resume: bool,
) -> dict[str, Any]:
    """Train a policy, write it, and return how good it is; see :mod:`agents.commands`.

    Args:
        out: Folder of the run.
        settings: What to train and how.
        command: What was asked for, for the card.
        minutes: At most; ``None`` has no limit, and only then is a run reproducible.
        threads: Of torch.
        resume: Go on with the run in the folder.

    Raises:
        CheckpointError: There is nothing to go on from, or it was made with other settings.
        ConfigurationError: The run that it goes on with is over, and had no look at the policy.
    """
    torch.set_num_threads(threads)
    console = Console(stderr=True)
    training = Training(settings, out, command, resume)
    _write(out / "config.json", asdict(settings))
    training.learner.set_logger(configure(str(out), ["tensorboard"]))
    try:
        _fit(training, minutes, console)
    except KeyboardInterrupt:
        console.print(
            f"Interrupted after {training.agent_steps:,} agent steps; the same command with --resume goes on."
        )
        raise
    return _finish(training, out)


def say(settings: Settings, out: Path, figures: dict[str, Any], as_json: bool) -> None:
    """Print how good a policy is: JSON, or a sentence for people."""
    if warning := _warning(settings, figures):
        typer.echo(warning, err=True)
    if as_json:
        typer.echo(json.dumps(figures, indent=1))
        return
    typer.echo(_sentence(settings, figures))
    typer.echo(f"Written to {out}: {settings.algorithm}.safetensors and .json, metrics.json, curves.png")


def _fit(training: Training, minutes: float | None, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(
        *columns, TextColumn("{task.fields[now]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        settings = training.settings
        line = bar.add_task(settings.algorithm, total=settings.agent_steps, completed=training.agent_steps, now="")

        def report(entry: dict[str, float]) -> None:
            now = f"{entry['cost_eur_per_h']:.2f} EUR/h, {entry['violated_percent']:.2f} % violated"
            bar.update(line, completed=training.agent_steps, now=now)

        training.fit(report, minutes)


def _finish(training: Training, out: Path) -> dict[str, Any]:
    """Write the policy that was kept, its history and its picture; return its figures."""
    history, settings = training.history, training.settings
    if not history:
        raise ConfigurationError(
            f"the run of {training.agent_steps} agent steps in {out} had no look at the policy; give --overwrite"
        )
    kept = min(range(len(history)), key=lambda index: history[index]["loss"])
    figures = {
        "validation": {name: history[kept][name] for name in ("cost_eur_per_h", "violated_percent", "reward")},
        "kept_at_agent_steps": int(history[kept]["agent_steps"]),
        "agent_steps": training.agent_steps,
        "minutes": round(training.seconds / 60.0, 2),
        "agent_steps_per_s": round(training.agent_steps / training.seconds),
    }
    save_policy(out / settings.algorithm, training.card.model_copy(update={"metrics": figures}), training.best)
    _write(out / "metrics.json", {"figures": figures, "history": history})
    title = f"{settings.algorithm} in {settings.scenario}, dynamics {settings.dynamics}, seed {settings.seed}"
    draw_curves(history, kept, settings.violated_percent, title, out / "curves.png")
    return figures


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _sentence(settings: Settings, figures: dict[str, Any]) -> str:
    kept, agent_steps = figures["validation"], figures["agent_steps"]
    return (
        f"{settings.algorithm}: {kept['cost_eur_per_h']:.3f} EUR/h at {kept['violated_percent']:.3f} % violated "
        f"user-seconds in {settings.validation_worlds} worlds of the physics that it did not learn from; "
        f"kept at {figures['kept_at_agent_steps']:,} of {settings.agent_steps:,} agent steps; {agent_steps:,} in "
        f"{figures['minutes']} min ({figures['agent_steps_per_s']:,} a second)"
    )


def _warning(settings: Settings, figures: dict[str, Any]) -> str:
    """Return what is wrong with the policy; nothing if it violates no more than it may."""
    violated = figures["validation"]["violated_percent"]
    if violated <= settings.violated_percent:
        return ""
    longer = figures["agent_steps"] < settings.agent_steps
    remedy = "train longer: the same command with --resume" if longer else "train longer, with more --agent-steps"
    return (
        f"Warning: the policy violates {violated:.3f} % of user-seconds, more than the {settings.violated_percent:g} % "
        f"aimed at; {remedy}"
    )
