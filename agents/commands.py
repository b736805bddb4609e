"""What ``metaverse train`` does for agents. Nothing here needs torch, so that ``--help`` works without it."""

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agents.learning.settings import DEFAULTS, Algorithm
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import free_for_run
from metaverse_env.plugins import resolve

_TRAINERS: Final = {"train": "agents.learning.run:train", "say": "agents.learning.run:say"}
"""Where the work is done, and torch imported."""


CHECKPOINT: Final = "checkpoint.safetensors"
"""What a training goes on from; as :mod:`predictors.stgnn.checkpoints` calls it, which needs torch."""


class Dynamics(StrEnum):
    """Of the worlds that are learnt from."""

    PHYSICS = "physics"
    STGNN = "stgnn"


class Forecaster(StrEnum):
    """Whose forecasts the policy sees."""

    STGNN = "stgnn"
    WITHOUT_INTENTS = "stgnn_without_intents"
    PERFECT = "perfect"
    PERSISTENCE = "persistence"
    NONE = "none"


def _asked(
    out: Annotated[Path, typer.Option(help="Folder of the run; the policy is written there.")] = Path("runs"),
    scenario: Annotated[str, typer.Option(help="single_zone, multi_zone, complex, or a TOML or YAML file.")] = "",
    dynamics: Annotated[Dynamics, typer.Option(help="Of the worlds that are learnt from.")] = Dynamics.PHYSICS,
    forecaster: Annotated[Forecaster, typer.Option(help="Whose forecasts are seen.")] = Forecaster.STGNN,
    agent_steps: Annotated[int, typer.Option(min=1000, help="To learn from, over all zones of all worlds.")] = 0,
    worlds: Annotated[int, typer.Option(min=1, max=4096, help="Side by side.")] = 0,
    global_weight: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the global reward; rest local.")] = 0.0,
    violated_percent: Annotated[
        float,
        typer.Option(min=0.001, max=100.0, help="User-seconds above the objective to aim at."),
    ] = 0.0,
    randomised: Annotated[int, typer.Option(min=1, max=64, help="Variants of the scenario to learn from.")] = 1,
    curriculum: Annotated[
        str, typer.Option(help="Hardness of the disturbances in equal parts of the training, 0 to 1, by commas.")
    ] = "1",
    seed: Annotated[int, typer.Option(min=0, max=10_000, help="Of worlds, weights and exploration.")] = 0,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="At most.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew in a folder that holds a run, which is lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Stand for the options that all trainings share; see :func:`_training`."""


def _run_in(out: Path, algorithm: Algorithm) -> str:
    """Return which run a folder holds, in words; nothing where there is none."""
    if not any((out / name).exists() for name in (f"{algorithm}.json", CHECKPOINT)):
        return ""
    try:
        steps = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["figures"]["agent_steps"]
    except (OSError, ValueError, LookupError):
        return "a run that was interrupted"
    return f"a run of {steps:,} agent steps"


def _hardness(curriculum: str) -> tuple[float, ...]:
    """Return the parts of a curriculum.

    Raises:
        ConfigurationError: Not numbers from 0 to 1.
    """
    try:
        parts = tuple(float(part) for part in curriculum.split(","))
    except ValueError:
        parts = (-1.0,)
    if not all(0.0 <= part <= 1.0 for part in parts):
        raise ConfigurationError(
            f"curriculum = {curriculum!r}; give numbers from 0 to 1 separated by commas, as 0,0.5,1"
        )
    return parts


def _training(algorithm: Algorithm, about: str) -> Callable[..., None]:
    """Return the command that trains an algorithm, with the defaults that suit it."""
    defaults = DEFAULTS[algorithm]

    def command(**given: Any) -> None:
        line = _command_line(algorithm, given, {parameter.name: parameter.default for parameter in parameters})
        kept = {name: given.pop(name) for name in ("minutes", "threads", "resume")}
        found = _run_in(given["out"], algorithm)
        out = free_for_run(given.pop("out"), found, resume=kept["resume"], overwrite=given.pop("overwrite"))
        as_json = given.pop("as_json")
        given |= {"dynamics": str(given["dynamics"]), "forecaster": str(given["forecaster"])}
        settings = replace(defaults, **given | {"curriculum": _hardness(given["curriculum"])})
        train, say = (resolve("command", name, _TRAINERS, extra="agents") for name in _TRAINERS)
        say(settings, out, train(out, settings, command=line, **kept), as_json)

    own = {"out": Path("runs") / algorithm} | {
        name: getattr(defaults, name)
        for name in ("scenario", "agent_steps", "worlds", "global_weight", "violated_percent", "randomised")
    }
    parameters = [
        parameter.replace(default=own.get(name, parameter.default))
        for name, parameter in inspect.signature(_asked).parameters.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__name__, command.__doc__ = f"train_{algorithm}", f"{about}\n\n{_WRITTEN.format(algorithm)}"
    return command


_CHANGES_NOTHING: Final = ("out", "threads", "resume", "overwrite", "as_json")
"""Options that a policy does not depend on."""

_WRITTEN: Final = """Interrupt with Ctrl-C; the same command with --resume goes on. A folder that holds a run is refused
without --resume or --overwrite. It gets {0}.json and {0}.safetensors, which are the policy, config.json, metrics.json,
curves.png, TensorBoard's events and the checkpoint.

Compare it with: metaverse benchmark run --policies {0}@FOLDER/{0}.json,threshold"""


def _command_line(algorithm: str, given: dict[str, Any], defaults: dict[str, Any]) -> str:
    """Return the command line that makes the policy: what is not the default and changes it."""
    words = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in given.items()
        if name not in _CHANGES_NOTHING and value != defaults[name]
    ]
    return " ".join([f"metaverse train {algorithm}", *words])


train_mappo = _training("mappo", "Train one policy for all zones with PPO and a critic that sees all of them.")
train_ippo = _training("ippo", "Train one policy for all zones with PPO, each for itself: the ablation of mappo.")
train_ppo = _training("ppo", "Train a policy for a single zone with PPO.")
train_dqn = _training("dqn", "Train a policy for a single zone with DQN: it chooses among combinations of factors.")
