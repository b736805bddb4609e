"""``metaverse encode bank``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from metaverse_env.errors import ConfigurationError, did_you_mean
from metaverse_env.folders import writable
from metaverse_env.scenario import SCENARIOS
from metaverse_env.simulator.intents import load_bank
from metaverse_env.terminal import console, show
from predictors.encoders.bank import build_bank, licences, write_bank
from predictors.encoders.collecting import Signals, collect, find_all
from predictors.encoders.encoding.asking import (
    command_line,
    given_folders,
    load_fusion,
    load_needed,
    needed_encoders,
    told_what_stays,
)
from predictors.encoders.encoding.picture import draw_bank
from predictors.encoders.fusion.worlds import scenario_activities
from predictors.forecasting.progress import phases


def run(
    *,
    out: Path,
    images: Path | None,
    audio: Path | None,
    motion: Path | None,
    encoders: str,
    fusion: str,
    samples: int | None,
    resample: bool,
    skip_bad: bool,
    cache: Path,
    batch_size: int,
    device: str,
    seed: int,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Make a bank; see :func:`predictors.encoders.commands.bank`."""
    folders = given_folders(image=images, speech=audio, motion=motion)
    _check(out, picture, folders, encoders)
    with phases() as steps:
        with steps.phase("loading encoders"):
            loaded = load_needed(encoders, folders, cache, batch_size=batch_size, device=device)
            projection = load_fusion(fusion, loaded)
        with told_what_stays(steps, cache), steps.phase("encoding samples") as report:
            signals = collect(
                folders, loaded, samples=samples, resample=resample, skip_bad=skip_bad, seed=seed, report=report
            )
    about = {
        "from": licences(folders, signals),
        "balance": _rule(samples, resample),
        "command": command_line(),
        "seed": seed,
    }
    arrays = build_bank(signals, projection, about)
    write_bank(out, arrays)
    bank = load_bank(str(out), signals.activities)
    if picture is not None:
        draw_bank(picture, bank, signals.activities)
    _tell(out, signals, json.loads(str(arrays["provenance"])), arrays["vectors"].shape, as_json)
    typer.echo(f"Bank: {out}{f'; picture: {picture}' if picture else ''}", err=as_json)
    for note in notes(signals.activities):
        typer.echo(f"note: {note}", err=True)


def _check(out: Path, picture: Path | None, folders: Mapping[str, Path], encoders: str) -> None:
    """Refuse what cannot be before any encoder is loaded."""
    if out.suffix != ".npz":
        raise ConfigurationError(f"--out {out}: a bank is one file whose name ends in .npz")
    if picture is not None and picture.suffix != ".png":
        raise ConfigurationError(f"--picture {picture}: a picture is a file whose name ends in .png")
    needed_encoders(encoders, folders, each=True)
    find_all(folders)
    writable(out.parent)


def notes(activities: Sequence[str]) -> Iterator[str]:
    """Say which activities the shipped scenarios do not know, and which of theirs are missing.

    >>> list(notes(["idle", "social", "trade", "build", "game", "concert"]))
    []
    """
    known = dict.fromkeys(name for scenario in SCENARIOS for name in scenario_activities(scenario))
    for name in activities:
        if name not in known:
            yield (
                f"{name!r} is no activity of the shipped scenarios ({', '.join(known)}).{did_you_mean(name, known)} "
                "Only a scenario that names it uses its samples"
            )
    if missing := [name for name in known if name not in activities]:
        yield f"no samples of {', '.join(missing)}: scenarios whose users do this, as the shipped ones, refuse the bank"


def _rule(samples: int | None, resample: bool) -> str:
    if samples is None and resample:
        return "all samples, some again in turn where there are fewer than of the fullest"
    if samples is None:
        return "all samples; every activity has equally many"
    more = f"a choice of {samples} by the seed where there are more"
    return f"{more}, some again in turn where there are fewer" if resample else more


def _tell(out: Path, signals: Signals, provenance: Mapping[str, Any], shape: tuple[int, ...], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"bank": str(out), "shape": list(shape), "provenance": provenance}))
        return
    table = Table("modality", "encoder", "samples", "of", "licences", title=f"{out}: {' x '.join(map(str, shape))}")
    for modality, maker in signals.makers.items():
        counted = provenance["from"][modality]["licences"]
        words = ", ".join(f"{number} {licence}" for licence, number in counted.items())
        total = str(signals.samples * len(signals.activities))
        table.add_row(modality, f"{maker.backend} {maker.version}", total, ", ".join(signals.activities), words)
    show(console(), table)
    for path, why in signals.refused.items():
        typer.echo(f"left out: {path}: {why}", err=True)
