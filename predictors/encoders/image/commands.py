"""``metaverse train image-encoder``. Nothing here needs torch, so that ``--help`` works without it."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from metaverse_env.plugins import resolve

_TRAINER: Final = {"train image-encoder": "predictors.encoders.image.train:train"}


def train_image_encoder(
    data: Annotated[
        Path, typer.Option(help="VOCdevkit, a folder with captions_SPLIT.json or captions.json, or one such file.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; the best weights are in its folder model.")] = Path(
        "runs/image-encoder"
    ),
    start: Annotated[
        str, typer.Option("--from", help="Folder or hub name of a BLIP to go on from; tiny; new for a small one.")
    ] = "Salesforce/blip-image-captioning-base",
    split: Annotated[str, typer.Option(help="To learn from.")] = "train",
    validation: Annotated[Path | None, typer.Option(help="Other data to judge by; default: the same data.")] = None,
    validation_split: Annotated[str, typer.Option(help="To judge by.")] = "val",
    judged: Annotated[int, typer.Option(min=1, help="Held-out images at most, evenly spread.")] = 200,
    steps: Annotated[int, typer.Option(min=1, help="At most.")] = 2000,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 8,
    lr: Annotated[float | None, typer.Option(help="Learning rate; default: 1e-5, or 1e-3 for tiny and new.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between looks at held-out images, and saves.")] = 100,
    patience: Annotated[int, typer.Option(min=1, help="Looks without a better one before it stops.")] = 10,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of new weights and of the order of images.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew in a folder that holds a run, which is lost.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no model hub, only what is on this machine.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Fine-tune BLIP, which captions images, on PASCAL VOC 2012 or on images with captions of your own.

    Interrupt with Ctrl-C; the same command with --resume goes on and ends as if it had not been interrupted. The folder
    gets model/ (for --encoders blip=FOLDER/model), config.json, metrics.json, curves.png, TensorBoard's events and the
    checkpoint.
    """
    train = resolve("command", "train image-encoder", _TRAINER, extra="encoders")
    train(
        data, split, validation, validation_split, judged, start, lr,
        {
            "seed": seed, "steps": steps, "batch_size": batch_size, "every": every, "patience": patience,
            "device": device, "threads": threads,
        },
        out, resume=resume, overwrite=overwrite, local_files_only=offline, as_json=as_json, command=command_line(),
    )  # fmt: skip


def command_line() -> str:
    """Return the command line that makes the network, without what does not change it."""
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--overwrite", "--json")]
    return " ".join(["metaverse", *words])
