"""``metaverse demo --encoders``: samples in; texts, embeddings and intents out; and the forecast that follows.

Two announcements are shown beside each other, each by two pictures, two utterances and two motions. Their intents are
put into the last minute of one zone of a simulated world, and the shipped forecaster is asked what comes: everything
else is the same, so that the difference is what was announced.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import typer
from rich.table import Table

from benchmarks.encoder_picture import plot_outlooks
from benchmarks.encoder_samples import SAMPLES, given_samples, new_samples
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import History
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.terminal import console, show
from metaverse_env.units import RESOURCE_UNITS, RESOURCES
from predictors.encoders.choosing import SUFFIXES
from predictors.encoders.commands import OFFLINE
from predictors.encoders.encoding.asking import load_needed, read_fusion
from predictors.encoders.encoding.files import Line, encode_files
from predictors.encoders.fusion.runtime import Fusion, ZoneSummary
from predictors.encoders.scenes.folders import FOLDERS
from predictors.forecasting.progress import phases
from predictors.stgnn import StgnnForecaster

Array = np.ndarray

TICKS: Final = 40
ANNOUNCED_TICKS: Final = 4
"""The last minute's signals are those that were encoded."""
ENOUGH: Final = 2.0
"""Allocated, over what is used: demand and not its limit shall be seen."""
OTHER_ENCODERS: Final = (
    f"name it with --fusion FOLDER, or leave --fusion out and take --encoders {OFFLINE}, whose fusion is shipped"
)
SHOWN: Final = ("cpu_cores", "bandwidth_mbps")


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is forecast for one zone.

    Attributes:
        zone: Its name.
        users: That it has.
        past: ``float32 [12, 3]``, use of the resources that was observed.
        forecasts: By announcement ``float32 [16, 4, 3]``: ticks ahead, targets, quantiles.
    """

    zone: str
    users: float
    past: Array
    forecasts: Mapping[str, Array]


def run(
    *, scenario: Scenario, encoders: str, fusion: str, samples: Path | None, seed: int, folder: Path, as_json: bool
) -> None:
    """Encode, fuse, forecast, and show it.

    Args:
        scenario: The world.
        encoders: As of ``metaverse encode``.
        fusion: Likewise.
        samples: Folder with images/, audio/ and motion/, in each concert/ and idle/; ``None`` makes some.
        seed: Of the samples and of the world.
        folder: Takes samples and results.
        as_json: Print JSON instead of tables.

    Raises:
        ConfigurationError: A modality has no encoder or no samples, or the intents have another length than the
            forecaster reads.
    """
    if fusion == "none":
        raise ConfigurationError(f"--fusion none: the forecaster reads intents of a fusion; {OTHER_ENCODERS}")
    out, terminal = writable(folder), console(stderr=as_json)
    given = None if samples is None else given_samples(samples, encoders)
    with phases() as steps:
        with steps.phase("loading encoders"):
            loaded = load_needed(encoders, SUFFIXES, None)
            projection = read_fusion(fusion, loaded, OTHER_ENCODERS)
        lines = {}
        for name, paths in (given or new_samples(list(loaded), out / "samples", seed)).items():
            with steps.phase(f"encoding samples of {name}") as report:
                lines[name] = encode_files(paths, loaded, report)
        intents = {name: intent_of(found, projection) for name, found in lines.items()}
        with steps.phase("forecasting"):
            outlook = look_ahead(scenario, intents, seed)
    show(terminal, _samples_table(lines, projection))
    show(terminal, _intents_table(intents, projection, outlook))
    show(terminal, _forecast_table(outlook))
    plot_outlooks(out / "encoders.png", {name: _shown(found) for name, found in lines.items()}, outlook)
    (out / "encoders.json").write_text(json.dumps(_told(lines, intents, projection, outlook), indent=1) + "\n", "utf-8")
    terminal.print(f"Plot: {out / 'encoders.png'}; figures: {out / 'encoders.json'}", highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(_told(lines, intents, projection, outlook)))


def intent_of(lines: Sequence[Line], fusion: Fusion) -> Array:
    """Fuse the samples that could be encoded.

    Raises:
        ConfigurationError: None of them could.
    """
    seen: dict[str, Array] = {}
    for modality in fusion.modalities:
        rows = [line.embedding for line in lines if line.modality == modality and line.embedding is not None]
        if rows:
            seen[modality] = np.stack(rows)
    if not seen:
        raise ConfigurationError(f"no sample could be encoded: {lines[0].file}: {lines[0].problem}")
    return fusion.fuse(seen)[0]


def look_ahead(scenario: Scenario, intents: Mapping[str, Array], seed: int) -> Outlook:
    """Let a world run, announce in one zone, and ask the shipped forecaster what comes.

    Raises:
        ConfigurationError: The scenario's intents have another length than these.
    """
    world = SimulatedWorld(scenario, intents=True)
    width = next(iter(intents.values())).shape[0]
    if world.embedding != width:
        raise ConfigurationError(
            f"scenario {scenario.name!r} has intents of {world.embedding} numbers, the fusion makes {width}; use a "
            "bank of this fusion"
        )
    telemetry = world.reset(seeds=[seed])
    histories = {name: History(1, world.zones, width) for name in intents}
    zone = int(np.abs(telemetry.users[0] - telemetry.users[0].mean()).argmin())
    for tick in range(TICKS):
        telemetry = world.step(Command.of(ENOUGH * np.maximum(telemetry.usage, 0.5))).telemetry
        own, heard = telemetry.intents[0, zone].copy(), telemetry.zones["signals"][0, zone].copy()
        for name, history in histories.items():
            if tick >= TICKS - ANNOUNCED_TICKS:
                telemetry.intents[0, zone], telemetry.zones["signals"][0, zone] = intents[name], len(FOLDERS) * SAMPLES
            history.append(telemetry)
            telemetry.intents[0, zone], telemetry.zones["signals"][0, zone] = own, heard
    forecaster = StgnnForecaster()
    found = {name: forecaster.forecast(history).values[0, zone].copy() for name, history in histories.items()}
    past = next(iter(histories.values())).values[:, 0, zone, 1:4].copy()
    return Outlook(world.zones.names[zone], float(telemetry.users[0, zone]), past, found)


def _shown(lines: Sequence[Line]) -> list[tuple[str, str, str]]:
    """Return modality, file and text of the samples that were encoded."""
    return [(line.modality, line.file, line.text) for line in lines if not line.problem]


def _samples_table(lines: Mapping[str, Sequence[Line]], fusion: Fusion) -> Table:
    table = Table("sample", "of", "text", "embedding", "taken alone for", title="What encoders make of samples")
    for name, found in lines.items():
        for line in found:
            alone, numbers = line.problem, ""
            if line.embedding is not None:
                odds = fusion.activity(fusion.vectors(line.modality, line.embedding))
                best = int(odds.argmax())
                alone = f"{fusion.card.activities[best]} {odds[best]:.2f}"
                numbers = f"{len(line.embedding)}: {' '.join(f'{x:+.2f}' for x in line.embedding[:3])} …"
            table.add_row("/".join(Path(line.file).parts[-3:]), name, line.text, numbers, alone)
        table.add_section()
    return table


def _intents_table(intents: Mapping[str, Array], fusion: Fusion, outlook: Outlook) -> Table:
    title = f"Intents of {outlook.zone}, {outlook.users:.0f} users: what all samples together are taken for"
    table = Table("announced", "intent", *fusion.card.activities, title=title)
    for name, intent in intents.items():
        odds = (f"{share:.2f}" for share in fusion.activity(intent))
        table.add_row(name, f"{len(intent)}: {' '.join(f'{x:+.2f}' for x in intent[:4])} …", *odds)
    return table


def _forecast_table(outlook: Outlook) -> Table:
    first, second = outlook.forecasts
    table = Table("what", "ticks ahead", first, second, "more", title=f"What is forecast for {outlook.zone}: medians")
    for target in SHOWN:
        column = RESOURCES.index(target)
        for tick in FORECAST_TICKS:
            ours, theirs = (found[tick - 1, column, 0] for found in outlook.forecasts.values())
            cells = (f"{ours:.3g}", f"{theirs:.3g}", f"{100.0 * (ours / theirs - 1.0):+.0f} %")
            table.add_row(f"{target}, {RESOURCE_UNITS[column]}", str(tick), *cells)
    return table


def _told(
    lines: Mapping[str, Sequence[Line]], intents: Mapping[str, Array], fusion: Fusion, outlook: Outlook
) -> dict[str, Any]:
    """Return everything as JSON has it."""
    summaries = {name: ZoneSummary(outlook.zone, outlook.users, intent) for name, intent in intents.items()}
    return {
        name: {
            "samples": [{"file": one.file, "text": one.text, "problem": one.problem} for one in lines[name]],
            "activity": dict(zip(fusion.card.activities, map(float, fusion.activity(intents[name])), strict=True)),
            "report": summary.as_report(),
            "medians": {
                target: outlook.forecasts[name][:HORIZON, RESOURCES.index(target), 0].tolist() for target in SHOWN
            },
        }
        for name, summary in summaries.items()
    }
