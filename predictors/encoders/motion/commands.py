"""What ``metaverse train motion-encoder`` takes. Nothing here needs torch, so that ``--help`` works without it."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from metaverse_env.plugins import resolve

_TRAINERS: Final = {"train motion-encoder": "predictors.encoders.motion.train:train"}
_CHANGES_NOTHING: Final = ("--resume", "--overwrite", "--json")


class Layers(StrEnum):
    """What the network is made of."""

    KAN = "kan"
    MLP = "mlp"


def train_motion_encoder(
    out: Annotated[Path, typer.Option(help="Folder of the run; the weights are written to its model/.")] = Path(
        "runs/motion-encoder"
    ),
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of DeepMimic's clips, KIT-ML or HumanML3D; may be given again.", exists=True, file_okay=False
        ),
    ] = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Learn from synthetic performers too; the default without --data.")
    ] = False,
    performers: Annotated[int, typer.Option(min=1, help="How many synthetic performers to learn from.")] = 30,
    testers: Annotated[int, typer.Option(min=1, help="Synthetic performers that the last figures come from.")] = 8,
    fold: Annotated[int, typer.Option(min=0, max=4, help="Of DeepMimic's clips: which four are held out.")] = 0,
    layers: Annotated[Layers, typer.Option(help="kan, or an MLP of as many parameters.")] = Layers.KAN,
    steps: Annotated[int, typer.Option(min=1, help="At most.")] = 300,
    batch_size: Annotated[int, typer.Option("--batch", min=2, help="Motions a step.")] = 128,
    rate: Annotated[float, typer.Option("--lr", help="Learning rate at its peak.")] = 2e-3,
    every: Annotated[int, typer.Option(min=1, help="Steps between two looks at the motions that validate.")] = 50,
    patience: Annotated[int, typer.Option(min=1, help="Looks without a better one before it stops.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of performers, weights, order and augmentation.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the encoder of motions beside sentences: contrastively, so that the nearest caption is a motion's text.

    Interrupt with Ctrl-C; the same command with --resume goes on. The folder gets model/ (for --encoders
    kan=FOLDER/model), config.json, metrics.json, tests.json, curves.png, TensorBoard's events and the checkpoint.
    """
    train = resolve("command", "train motion-encoder", _TRAINERS, extra="encoders-offline")
    train(
        out,
        data or [],
        performers=performers if synthetic or not data else 0,
        testers=testers,
        fold=fold,
        layers=str(layers),
        settings={
            "seed": seed, "steps": steps, "batch_size": batch_size, "rate": rate, "every": every, "patience": patience,
            "device": device, "threads": threads,
        },
        resume=resume,
        overwrite=overwrite,
        as_json=as_json,
        command=command_line(),
    )  # fmt: skip


def command_line() -> str:
    """Return the command line that makes the weights, with folders by their names and without what changes nothing."""
    words = [word for word in sys.argv[1:] if word not in _CHANGES_NOTHING]
    return shlex.join(["metaverse", *(Path(word).name if "/" in word else word for word in words)])
