"""``metaverse train speech-encoder``. Nothing here needs torch, so that ``--help`` works without it."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from metaverse_env.plugins import resolve

_TRAINER: Final = {"train speech-encoder": "predictors.encoders.speech.train:train"}


class Watched(StrEnum):
    """The figure of held-out speech that decides which weights are kept."""

    WER = "wer"
    LOSS = "loss"


def train_speech_encoder(
    data: Annotated[Path, typer.Option(help="A part of LibriSpeech, such as LibriSpeech/train-clean-100.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; the best weights are in its folder model.")] = Path(
        "runs/speech-encoder"
    ),
    start: Annotated[
        str, typer.Option("--from", help="Folder or hub name of a Wav2Vec2 to go on from; tiny; new for a small one.")
    ] = "facebook/wav2vec2-base-960h",
    validation: Annotated[
        Path | None, typer.Option(help="Another part to judge by, such as dev-clean; default: a tenth of the speakers.")
    ] = None,
    judged: Annotated[int, typer.Option(min=1, help="Held-out utterances at most, evenly spread.")] = 200,
    watch: Annotated[
        Watched, typer.Option(help="What decides which weights are kept, and when it stops.")
    ] = Watched.WER,
    train_features: Annotated[
        bool, typer.Option("--train-features", help="Train the convolutions too; always done for new.")
    ] = False,
    steps: Annotated[int, typer.Option(min=1, help="At most.")] = 2000,
    batch_size: Annotated[int, typer.Option(min=1, help="Utterances a step.")] = 8,
    lr: Annotated[float | None, typer.Option(help="Learning rate; default: 3e-5, or 2e-3 for tiny and new.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between looks at held-out speech, and saves.")] = 100,
    patience: Annotated[int, typer.Option(min=1, help="Looks without a better one before it stops.")] = 10,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of new weights and of the order of utterances.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew in a folder that holds a run, which is lost.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no model hub, only what is on this machine.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Fine-tune Wav2Vec2, which transcribes speech, on LibriSpeech or on recordings of your own in its layout.

    Interrupt with Ctrl-C; the same command with --resume goes on and ends as if it had not been interrupted. The folder
    gets model/ (for --encoders wav2vec2=FOLDER/model), config.json, metrics.json, curves.png, TensorBoard's events and
    the checkpoint.
    """
    train = resolve("command", "train speech-encoder", _TRAINER, extra="encoders")
    train(
        data, validation, judged, start, lr, str(watch), train_features,
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
