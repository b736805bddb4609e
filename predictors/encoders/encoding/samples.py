"""``metaverse encode samples``."""

import json
from pathlib import Path

import typer
from rich.table import Table

from metaverse_env.errors import UnknownNameError
from metaverse_env.terminal import console, show
from predictors.encoders.scenes import ACTIVITIES, SPLITS
from predictors.encoders.scenes.folders import FOLDERS, write_samples
from predictors.encoders.table import MODALITIES
from predictors.forecasting.progress import phases


def run(*, out: Path, split: str, count: int, modalities: str, licensed: Path | None, seed: int, as_json: bool) -> None:
    """Write samples and say of what licence they are."""
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    names = [name.strip() for name in modalities.split(",")]
    for name in names:
        if name not in MODALITIES:
            raise UnknownNameError("modality", name, MODALITIES)
    with phases() as steps, steps.phase(f"samples of {', '.join(names)}") as report:
        told = write_samples(out, split, count, seed, names, licensed, report)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "split": split, "activities": list(ACTIVITIES), "licences": told}))
        return
    table = Table("folder", "samples", "licence", title=f"{split} samples of {', '.join(ACTIVITIES)}")
    for modality, counts in told.items():
        for licence, number in counts.items():
            table.add_row(str(out / FOLDERS[modality]), str(number), licence)
    show(console(), table)
