"""``metaverse forecast worlds`` and ``… ablation``: the forecaster on simulated worlds it never saw."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, cast

import numpy as np
import torch
import typer
from rich.table import Table

from metaverse_env.errors import UnknownNameError
from metaverse_env.folders import free_for_run
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.intents import load_bank
from metaverse_env.units import RESOURCE_UNITS, TARGETS
from predictors.forecasting.progress import Report, phases
from predictors.forecasting.tables import show
from predictors.stgnn.card import WEIGHTS
from predictors.stgnn.checkpoints import CHECKPOINT
from predictors.stgnn.data import make_recordings, record
from predictors.stgnn.evaluation import by_target_and_tick, relative_gain, world_errors
from predictors.stgnn.export import load_forecaster
from predictors.stgnn.model import ForecastNet, Variant
from predictors.stgnn.rivals import Rival, fit_rivals
from predictors.stgnn.tasks import ForecastTask
from predictors.stgnn.training import Progress, Run, Settings, words_of

TEST_SEED: Final = 950_000_000
VALIDATION_SEED: Final = 951_000_000
ABLATION_SEED: Final = 952_000_000
RIVAL_SEED: Final = 960
"""Of what the rivals learn from: as much as the network, of other seeds."""
RIVALS: Final = ("persistence", "ridge", "lightgbm")
VARIANTS: Final[tuple[Variant, ...]] = ("full", "no_graph", "learned_graph", "no_intents")
Array = np.ndarray


def worlds(
    model: Annotated[
        Path, typer.Option(help="The forecaster: path without suffix.", show_default="the shipped one")
    ] = WEIGHTS / "stgnn_forecaster",
    scenario: Annotated[str, typer.Option(help="Worlds to forecast: a name or a file.")] = "multi_zone",
    seeds: Annotated[int, typer.Option(min=2, max=10_000, help="How many held-out worlds.")] = 16,
    training: Annotated[int, typer.Option(min=1, max=10_000, help="Worlds that the rivals learn from.")] = 60,
    models: Annotated[str, typer.Option(help="Rivals, by commas; lightgbm takes some minutes.")] = ",".join(RIVALS),
    threads: Annotated[int, typer.Option(min=1, help="Of all models.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Judge the forecaster beside persistence, ridge regression and LightGBM on worlds that none of them saw.

    Gains are shares of the rival's mean absolute error, with 95 % intervals over the worlds.
    """
    names = _chosen("rival", models, RIVALS)
    torch.set_num_threads(threads)
    with phases() as steps:
        with steps.phase("making telemetry"):
            learnt = make_recordings(RIVAL_SEED, training)
            held_out = [record(scenario, range(VALIDATION_SEED, VALIDATION_SEED + 4))]
            test = record(scenario, range(TEST_SEED, TEST_SEED + seeds))
        with steps.phase("training the rivals") as report:
            rivals = fit_rivals(names, learnt, held_out, report)
        with steps.phase("forecasting"):
            errors = world_errors({"stgnn": load_forecaster(model), **rivals}, test)
    figures = {name: {"mae": by_target_and_tick(found.mean(axis=0))} for name, found in errors.items()}
    for name in names:
        figures[name] |= _gains(errors["stgnn"], errors[name])
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        show(_worlds_table(figures, names))


def ablation(
    epochs: Annotated[int, typer.Option(min=1, help="Of 150 batches, to train each network.")] = 20,
    training: Annotated[int, typer.Option(min=1, max=10_000, help="Worlds that they learn from.")] = 60,
    seeds: Annotated[int, typer.Option(min=2, max=10_000, help="How many held-out worlds.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
    bank: Annotated[
        str | None, typer.Option(help="Bank of intents: a name or a .npz file.", show_default="the scenario's")
    ] = None,
    variants: Annotated[
        str | None, typer.Option(help="Networks beside the whole one, by commas.", show_default="all")
    ] = None,
    kinds: Annotated[str | None, typer.Option("--worlds", help="Worlds, by commas.", show_default="all")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/ablation"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the runs in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew in a folder that holds runs, which are lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the forecaster without its parts, in four kinds of worlds, and tell what each part is worth.

    The worlds: as they are; without migration, where a graph has nothing to tell; with announcements that lead by
    nothing, where intents tell what users do now before demand follows it and metrics, 15 to 30 s old, show it; and the
    same with demand that follows and metrics that show it at once.
    """
    names = _chosen("variant", variants, VARIANTS)
    names = ("full", *(name for name in names if name != "full"))
    asked = dict(ablation_worlds(bank))
    asked = {name: asked[name] for name in _chosen("kind of worlds", kinds, tuple(asked))}
    for scenario in asked.values():
        load_bank(scenario.intents.bank, [activity.name for activity in scenario.intents.activities])
    found = "an ablation" if any(out.glob(f"*/*/{CHECKPOINT}")) else ""
    free_for_run(out, found, resume=resume, overwrite=overwrite)
    figures: dict[str, Any] = {}
    with phases() as steps:
        for name, scenario in asked.items():
            with steps.phase(f"telemetry of worlds {name}"):
                learnt = [record(scenario, range(ABLATION_SEED, ABLATION_SEED + training))]
                held_out = [record(scenario, range(VALIDATION_SEED, VALIDATION_SEED + 4))]
                test = record(scenario, range(TEST_SEED, TEST_SEED + seeds))
            nets: dict[str, ForecastNet | Rival] = {}
            for variant in cast(tuple[Variant, ...], names):
                task, folder = ForecastTask(variant), out / name / variant
                settings = Settings(seed=seed, epochs=epochs, rate=task.rate, patience=epochs)
                run = Run(task, settings, folder, resume and (folder / CHECKPOINT).exists())
                with steps.phase(f"{variant} in worlds {name}") as report:
                    nets[variant] = cast(ForecastNet, run.fit(learnt, held_out, partial(_tell, report, epochs)))
            figures[name] = _parts(world_errors(nets, test), names)
            (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        show(_ablation_table(figures, names[1:]))


def _chosen(kind: str, asked: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that were asked for by commas, all that are known where none was."""
    names = known if asked is None else tuple(name.strip() for name in asked.split(","))
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return names


def _tell(report: Report, epochs: int, now: Progress) -> None:
    report(now.epoch / epochs, words_of(now, epochs))


def _parts(errors: Mapping[str, Array], variants: tuple[str, ...]) -> dict[str, Any]:
    """Return each variant's error, and by what share the whole network's is below it."""
    return {
        variant: {"mae": by_target_and_tick(errors[variant].mean(axis=0))}
        | ({} if variant == "full" else _gains(errors["full"], errors[variant]))
        for variant in variants
    }


def ablation_worlds(bank: str | None = None) -> Iterator[tuple[str, Scenario]]:
    """Return the worlds of the ablation by name; ``bank`` is where their intents come from."""
    reference = load_scenario("multi_zone")
    if bank is not None:
        reference = _changed(reference, "intents", {"bank": bank})
    yield "default", reference
    yield "no_migration", _changed(reference, "workload", {"migration_per_h": 0.0})
    at_once = _changed(reference, "intents", {"lead_s": (0.0, 0.0)})
    yield "no_lead", at_once
    at_once = _changed(at_once, "intents", {"blend_s": 1.0})
    yield "no_lead_no_delay", _changed(at_once, "monitoring", {"metric_age_s": (0.0, 0.0)})


def _changed(scenario: Scenario, part: str, fields: Mapping[str, Any]) -> Scenario:
    return scenario.with_changes(**{part: getattr(scenario, part).model_copy(update=dict(fields))})


def _gains(ours: Array, theirs: Array) -> dict[str, Any]:
    gain, low, high = relative_gain(ours, theirs)
    return {
        "gain": by_target_and_tick(gain),
        "gain_low": by_target_and_tick(low),
        "gain_high": by_target_and_tick(high),
    }


def _rows(figures: Mapping[str, Any], rivals: tuple[str, ...], ours: str) -> Iterator[list[str]]:
    for target, unit in zip(TARGETS, (*RESOURCE_UNITS, "ms"), strict=True):
        for tick in map(str, FORECAST_TICKS):
            cells = [f"{target}, {unit}", tick, f"{figures[ours]['mae'][target][tick]:.4g}"]
            for name in rivals:
                gain, low, high = (figures[name][key][target][tick] for key in ("gain", "gain_low", "gain_high"))
                cells.append(f"{100 * gain:+.1f} % [{100 * low:+.1f}, {100 * high:+.1f}]")
            yield cells


def _worlds_table(figures: Mapping[str, Any], rivals: tuple[str, ...]) -> Table:
    table = Table(
        "target", "ticks ahead", "MAE", *(f"below {name}" for name in rivals), title="Forecasts of worlds never seen"
    )
    for cells in _rows(figures, rivals, "stgnn"):
        table.add_row(*cells)
    return table


def _ablation_table(figures: Mapping[str, Any], rivals: tuple[str, ...]) -> Table:
    table = Table(
        "worlds", "target", "ticks ahead", "MAE", *(f"below {name}" for name in rivals), title="What each part is worth"
    )
    for name, found in figures.items():
        for cells in _rows(found, rivals, "full"):
            table.add_row(name, *cells)
        table.add_section()
    return table
