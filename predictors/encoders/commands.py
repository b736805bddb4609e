"""What ``metaverse encode`` does, as far as it is asked for; the work is imported when it is."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from metaverse_env.plugins import resolve
from predictors.encoders.table import ENCODERS, extra_of

OFFLINE: Final = "efficientnet+moonshine+kan"
"""Encoders whose weights come with packages [choice]: no hub is needed."""
CACHE: Final = Path("out/encodings")
_WORK: Final = {
    "encode samples": "predictors.encoders.encoding.samples:run",
    "encode bank": "predictors.encoders.encoding.banks:run",
    "encode files": "predictors.encoders.encoding.files:run",
    "encode evaluate": "predictors.encoders.encoding.evaluating:run",
    "train fusion": "predictors.encoders.fusion.command:run",
}

Named = Annotated[
    str,
    typer.Option("--encoders", help=f"One a modality, joined by +, NAME or NAME=FOLDER: {', '.join(ENCODERS)}."),
]
Images = Annotated[Path | None, typer.Option(help="Folder of pictures, in it one an activity.")]
Audio = Annotated[Path | None, typer.Option(help="Folder of recordings, in it one an activity.")]
Motion = Annotated[Path | None, typer.Option(help="Folder of motions, in it one an activity.")]
Samples = Annotated[int | None, typer.Option(min=1, help="Of each activity in each modality.", show_default="all")]
Resample = Annotated[
    bool, typer.Option("--resample", help="Where there are fewer, take some again: up to --count, or to the fullest.")
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out files that cannot be encoded.")]
Cache = Annotated[Path, typer.Option(help="Folder in which encodings stay; what was encoded is not encoded again.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all chance.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Samples that are encoded together.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]


def samples(
    out: Annotated[Path, typer.Option(help="Folder; gets images/, audio/ and motion/.")] = Path("out/samples"),
    split: Annotated[str, typer.Option(help="train, to learn a fusion from, or test, for banks.")] = "test",
    count: Annotated[int, typer.Option("--samples", min=1, max=10_000, help="Of each activity and modality.")] = 24,
    modalities: Annotated[str, typer.Option(help="Of image, speech and motion, by commas.")] = "image,speech,motion",
    licensed: Annotated[
        Path | None, typer.Option(help="Folder of recorded samples that take the place of some; see docs/encoders.md.")
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Write the project's own synthetic samples of activities: drawn scenes, spoken sentences, synthesised motions.

    Speaking needs the program espeak-ng. The same options give the same files. samples.json in each folder says what
    every file is, and under which licence.
    """
    _do("encode samples", out=out, split=split, count=count, modalities=modalities, licensed=licensed, seed=seed,
        as_json=as_json)  # fmt: skip


def bank(
    out: Annotated[Path, typer.Option(help="The bank to write, .npz.")],
    images: Images = None,
    audio: Audio = None,
    motion: Motion = None,
    encoders: Named = OFFLINE,
    fusion: Annotated[
        str, typer.Option(help="Weights of 'metaverse train fusion', shipped, or none for principal components.")
    ] = "shipped",
    count: Samples = None,
    resample: Resample = False,
    skip_bad: SkipBad = False,
    cache: Cache = CACHE,
    batch_size: BatchSize = 16,
    device: Device = "auto",
    seed: Seed = 0,
    picture: Annotated[Path | None, typer.Option(help="Draw where its vectors lie, .png.")] = None,
    as_json: AsJson = False,
) -> None:
    """Encode samples of activities and make the bank of intents that scenarios use.

    Interrupt with Ctrl-C; the same command goes on, as encodings stay in --cache. The bank says inside how it was made.
    A scenario uses it by [intents] bank = "bank.npz", relative to its file.
    """
    _do("encode bank", out=out, images=images, audio=audio, motion=motion, encoders=encoders, fusion=fusion,
        samples=count, resample=resample, skip_bad=skip_bad, cache=cache, batch_size=batch_size, device=device,
        seed=seed, picture=picture, as_json=as_json)  # fmt: skip


def files(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of them.")],
    encoders: Named = OFFLINE,
    out: Annotated[Path | None, typer.Option(help="Table to write: .csv, .json, or .npz with arrays.")] = None,
    cache: Cache = CACHE,
    batch_size: BatchSize = 16,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Encode any files: their texts and embeddings. The modality is told by the ending of the name.

    In folders, lists and transcripts are passed over, and .txt that is no clip of DeepMimic. Exit status 1 where some
    were refused; the others are done.
    """
    _do("encode files", paths=paths, encoders=encoders, out=out, cache=cache, batch_size=batch_size, device=device,
        as_json=as_json)  # fmt: skip


def evaluate(
    images: Annotated[Path | None, typer.Option(help="PASCAL VOC 2012, or images with captions_SPLIT.json.")] = None,
    speech: Annotated[Path | None, typer.Option(help="A part of LibriSpeech, or recordings in its layout.")] = None,
    motion: Annotated[Path | None, typer.Option(help="KIT-ML, HumanML3D, or DeepMimic's clips.")] = None,
    encoders: Named = OFFLINE,
    split: Annotated[str, typer.Option(help="Of images and motions: train, val, test.")] = "val",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many samples.", show_default="all")] = None,
    batch_size: BatchSize = 16,
    device: Device = "auto",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Judge encoders on data sets: word error rate, BLEU and ROUGE of captions, R-precision of motions.

    Figures on what an encoder learnt from flatter. Weights of motion encoders say from which clips that was, and it is
    told; of other weights it is not known.
    """
    _do("encode evaluate", images=images, speech=speech, motion=motion, encoders=encoders, split=split, limit=limit,
        batch_size=batch_size, device=device, seed=seed, as_json=as_json)  # fmt: skip


def train_fusion(
    images: Images = None,
    audio: Audio = None,
    motion: Motion = None,
    encoders: Named = OFFLINE,
    test: Annotated[
        Path | None, typer.Option(help="Folder with images/, audio/, motion/ that the figures come from.")
    ] = None,
    align: Annotated[str, typer.Option(help="Bank whose activities it shall agree with, or none.")] = "text",
    scenario: Annotated[str, typer.Option(help="Worlds to learn from: a name or a file.")] = "multi_zone",
    worlds: Annotated[int, typer.Option(min=1, max=1000, help="To learn from.")] = 12,
    steps: Annotated[int, typer.Option(min=1, help="At most.")] = 1500,
    lr: Annotated[float, typer.Option(help="Learning rate at its peak.")] = 2e-3,
    cache: Cache = CACHE,
    seed: Seed = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/fusion"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start the run in the folder anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the fusion: embeddings of samples to intents that tell what users do, and what they will do and need.

    A quarter of the samples says when to stop. With --test the figures come from samples that nothing was learnt from,
    beside those of rivals. The folder gets model/fusion.safetensors and .json.
    """
    _do("train fusion", folders={"image": images, "speech": audio, "motion": motion}, encoders=encoders, test=test,
        align=align, scenario=scenario, worlds=worlds, steps=steps, lr=lr, cache=cache, seed=seed, threads=threads,
        out=out, resume=resume, overwrite=overwrite, as_json=as_json)  # fmt: skip


def _do(name: str, **asked: Any) -> None:
    """Import the work of a command and do it."""
    resolve("command", name, _WORK, extra_of(asked.get("encoders", "")))(**asked)
