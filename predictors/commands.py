"""What ``metaverse train`` does. Nothing here needs torch, so that ``--help`` works without it."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from metaverse_env.folders import free_for_run
from metaverse_env.plugins import resolve
from predictors.forecasting.options import parse_horizons, parse_split

_TRAINERS: Final = {
    "train predictor": "predictors.stgnn.train:train",
    "train predictor --data": "predictors.stgnn.panel.train:train",
}
"""Where the work is done, and torch imported."""


class Which(StrEnum):
    """Which networks to train."""

    FORECASTER = "forecaster"
    DYNAMICS = "dynamics"
    BOTH = "both"


def train_predictor(
    out: Annotated[Path, typer.Option(help="Folder of the run; networks are written there.")] = Path("runs/predictor"),
    kind: Annotated[Which | None, typer.Option(help="What to train on telemetry; default: both.")] = None,
    data: Annotated[Path | None, typer.Option(help="Learn from this panel (.npz or wide CSV) instead.")] = None,
    lags: Annotated[int, typer.Option(min=1, max=1000, help="Of a panel: ticks looked back.")] = 18,
    horizons: Annotated[str, typer.Option(help="Of a panel: ticks ahead, by commas.")] = "1,3,6,18",
    split: Annotated[str, typer.Option(help="Of a panel: shares of training, validation, test.")] = "0.7,0.1,0.2",
    seed: Annotated[int, typer.Option(min=0, help="Of telemetry, weights and batches.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="At most.", show_default="160 forecaster, 60 dynamics")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="At most, for each network.")] = None,
    worlds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Of 30 zones for one hour, to learn from.", show_default="300 forecaster, 140 dynamics"
        ),
    ] = None,
    intents: Annotated[
        bool, typer.Option("--intents/--no-intents", help="Whether the forecaster hears what users announce.")
    ] = True,
    threads: Annotated[int, typer.Option(min=1, help="Of torch; one is best while other programs run.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew in a folder that holds a run, which is lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the forecaster and the dynamics on telemetry that the physics makes, or a forecaster of any panel.

    Interrupt with Ctrl-C; the same command with --resume goes on. The folder gets stgnn_KIND.onnx, .safetensors and
    .json, and for each kind config.json, metrics.json, curves.png, TensorBoard's events and the checkpoint; KIND is
    panel with --data.
    """
    names = _kinds(kind, data, intents)
    if data is not None:
        train_panel = resolve("command", "train predictor --data", _TRAINERS, extra="predictors")
        train_panel(
            _free(out, ["panel"], resume, overwrite), data, parse_split(split), lags, parse_horizons(horizons),
            seed=seed, minutes=minutes, threads=threads, resume=resume, as_json=as_json, command=command_line(),
        )  # fmt: skip
        return
    train = resolve("command", "train predictor", _TRAINERS, extra="predictors")
    train(
        _free(out, names, resume, overwrite), names, seed=seed, epochs=epochs, minutes=minutes, worlds=worlds,
        intents=intents, threads=threads, resume=resume, as_json=as_json, command=command_line(),
    )  # fmt: skip


def _kinds(kind: Which | None, data: Path | None, intents: bool) -> list[str]:
    """Return what is to be trained on telemetry, once options that do not go together are refused."""
    if data is not None and (kind is not None or not intents):
        raise typer.BadParameter(
            "a panel has a forecaster of its own; leave --kind and --no-intents or --data out", param_hint="--data"
        )
    names = ["forecaster", "dynamics"] if kind in (None, Which.BOTH) else [str(kind)]
    if not intents and names != ["forecaster"]:
        raise typer.BadParameter(
            "the dynamics stands for a world in which they are heard; add --kind forecaster", param_hint="--no-intents"
        )
    return names


def _free(out: Path, kinds: Sequence[str], resume: bool, overwrite: bool) -> Path:
    """Return the folder of a run once it is known that no run is lost in it."""
    held = [kind for kind in kinds if any((out / kind).glob("checkpoint.*"))]
    found = f"a run of the {held[0]}" if held else ""
    return free_for_run(out, found, resume=resume, overwrite=overwrite)


def command_line() -> str:
    """Return the command line that makes the network, without what does not change it."""
    words = [word for word in sys.argv[1:] if word not in ("train", "predictor", "--resume", "--overwrite", "--json")]
    return " ".join(["metaverse train predictor", *words])
