"""The work of ``metaverse train fusion``."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import typer
from rich.table import Table

from metaverse_env.errors import ConfigurationError
from metaverse_env.terminal import console, show
from predictors.encoders.choosing import counts_of, in_words
from predictors.encoders.collecting import Signals, collect, find_all
from predictors.encoders.encoding.asking import (
    command_line,
    given_folders,
    load_needed,
    needed_encoders,
    told_what_stays,
)
from predictors.encoders.fusion.judging import FIGURES, HEAD_STEPS, compare
from predictors.encoders.fusion.learner import FusionLearner, Lesson
from predictors.encoders.fusion.runtime import NAME, Fusion, FusionCard, read_card, write_card
from predictors.encoders.fusion.worlds import live_through, scenario_activities
from predictors.encoders.scenes.folders import FOLDERS
from predictors.encoders.training.command import check_free, train_encoder, where_of
from predictors.encoders.training.layout import MODEL
from predictors.encoders.training.loop import Settings
from predictors.forecasting.progress import phases
from predictors.stgnn.features import EMBEDDING

HELD_OUT_SHARE: Final = 0.25
"""Of the samples, that say when to stop [choice]."""
HELD_OUT_WORLDS: Final = 4
TEST_WORLDS: Final = 16
SEEDS: Final = {"train": 970_000_000, "held out": 971_000_000, "test": 972_000_000}
"""Of the worlds: apart from those of forecasters and policies."""
LEAST_SAMPLES: Final = 4
"""Of each activity in each modality: some to learn from, and one at least to stop by."""


def run(
    *,
    folders: Mapping[str, Path | None],
    encoders: str,
    test: Path | None,
    align: str,
    scenario: str,
    worlds: int,
    steps: int,
    lr: float,
    cache: Path,
    seed: int,
    threads: int,
    out: Path,
    resume: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Train a fusion; see :func:`predictors.encoders.commands.train_fusion`."""
    given = given_folders(**folders)
    wanted = scenario_activities(scenario)
    settings = Settings(seed=seed, steps=steps, batch_size=256, rate=lr, every=50, patience=8, threads=threads)
    check_free(out, settings, resume=resume, overwrite=overwrite)
    _check(given, test, encoders, wanted)
    signals, tested = _encoded(given, test, encoders, cache)
    lesson, stop = _lessons(signals, scenario, seed, worlds)
    card = FusionCard(
        makers=signals.makers,
        activities=signals.activities,
        dimension=EMBEDDING,
        aligned_with="" if align == "none" else align,
        command=command_line(),
        data=f"{signals.samples} samples of each activity and modality, {worlds} worlds of {scenario}",
        seed=seed,
    )
    learner = FusionLearner(lesson, stop, card, seed)
    figures = train_encoder(
        learner,
        settings,
        out,
        resume=resume,
        as_json=as_json,
        about={"command": card.command},
        quiet=tested is not None,
    )
    if tested is not None:
        _judge(out, lesson, lived(tested, scenario, "test", seed, TEST_WORLDS), steps, figures, as_json)


def _check(folders: Mapping[str, Path], test: Path | None, encoders: str, wanted: tuple[str, ...]) -> None:
    """Count files before any encoder is loaded: what cannot be learnt from is refused in a moment."""
    needed_encoders(encoders, folders, each=True)
    for given in (folders, *([_folders_of(test, folders)] if test is not None else [])):
        found = find_all(given)
        activities = tuple(next(iter(found.values())))
        check_enough(counts_of(found, activities), activities, wanted)


def _folders_of(test: Path, modalities: Iterable[str]) -> dict[str, Path]:
    """Return the folders of modalities in a folder that 'metaverse encode samples' wrote."""
    return {modality: test / FOLDERS[modality] for modality in modalities}


def _encoded(
    folders: Mapping[str, Path], test: Path | None, encoders: str, cache: Path
) -> tuple[Signals, Signals | None]:
    """Encode what is learnt from, and what figures come from, if there is some."""
    with phases() as told:
        with told.phase("loading encoders"):
            loaded = load_needed(encoders, folders, cache)
        with told_what_stays(told, cache):
            with told.phase("encoding samples") as report:
                signals = collect(folders, loaded, report=report)
            if test is None:
                return signals, None
            with told.phase("encoding test samples") as report:
                return signals, collect(_folders_of(test, folders), loaded, report=report)


def _lessons(signals: Signals, scenario: str, seed: int, worlds: int) -> tuple[Lesson, Lesson]:
    """Split samples into those to learn from and those to stop by, and let zones show them."""
    cut = signals.samples - max(1, round(HELD_OUT_SHARE * signals.samples))
    with phases() as told, told.phase("worlds to learn from"):
        stop = lived(signals.part(range(cut, signals.samples)), scenario, "held out", seed, HELD_OUT_WORLDS)
        return lived(signals.part(range(cut)), scenario, "train", seed, worlds), stop


def check_enough(counts: Mapping[tuple[str, str], int], activities: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    """Make sure that a fusion can learn from samples.

    Raises:
        ConfigurationError: They are not equally many of each activity, too few, or none of one of the scenario.
    """
    fewest = min(counts.values())
    if fewest < max(counts.values()):
        raise ConfigurationError(
            f"activities are unbalanced: {in_words(counts)}. A fusion learns from equally many of each: take some out, "
            "or add some"
        )
    if fewest < LEAST_SAMPLES:
        raise ConfigurationError(
            f"{fewest} samples of each activity are too few to learn from; give at least {LEAST_SAMPLES}"
        )
    if missing := set(wanted) - set(activities):
        raise ConfigurationError(
            f"no samples of {', '.join(sorted(missing))}, which users of the scenario do; add a sub-folder for each"
        )


def lived(signals: Signals, scenario: str, split: str, seed: int, worlds: int) -> Lesson:
    """Return samples with worlds in which users show them."""
    first = SEEDS[split] + 10_000 * seed
    seeds = range(first, first + worlds)
    modalities = list(signals.embeddings)
    return Lesson(signals, live_through(scenario, signals.activities, modalities, signals.samples, seeds))


def _judge(out: Path, lesson: Lesson, test: Lesson, steps: int, figures: Mapping[str, Any], as_json: bool) -> None:
    """Judge the fusion beside its rivals; write the figures into its card."""
    stem = out / MODEL / NAME
    with phases() as told:
        try:
            with told.phase("judging") as report:
                found = compare(Fusion(stem), lesson, test, min(steps, HEAD_STEPS), report=report)
        except KeyboardInterrupt:
            told.say(f"Interrupted; the fusion is trained: {stem}. The same command with --resume judges it.")
            raise
    write_card(replace(read_card(stem), metrics=found), stem)
    (out / "figures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({**figures, "test": found}))
        return
    title = f"Errors on test samples in {found['worlds']} test worlds: activities told wrongly, log of demand over use"
    table = Table("figure", *found["figures"], title=title)
    for name in FIGURES:
        cells = []
        for one in found["figures"].values():
            mean, low, high = (one[key][name] for key in ("mean", "low", "high"))
            cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]")
        table.add_row(name, *cells)
    show(console(), table)
    single = ", ".join(f"{name} {100 * share:.0f} %" for name, share in found["single"].items())
    typer.echo(f"Single test signals whose activity the fusion's own head tells: {single}")
    typer.echo(f"{where_of(out)}; figures of the test: {out / 'figures.json'}")
