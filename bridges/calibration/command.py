"""``metaverse bridge calibrate``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bridges.calibration.fitting import SERVICE_CVS, THREADS, Fit, fit
from bridges.calibration.points import Point, operating_points
from bridges.calibration.predicting import Judged, calibrated, predicted
from bridges.calibration.report import as_json, constants_table, plot_points, points_table, scenario_toml
from metaverse_env.folders import writable
from metaverse_env.panels import load_panel


def calibrate(
    recording: Annotated[Path, typer.Argument(help="A panel of metaverse bridge record, with different loads.")],
    against: Annotated[
        Path | None, typer.Option(help="Another recording, at other loads and limits, to judge the simulation by.")
    ] = None,
    base: Annotated[str, typer.Option(help="Scenario for everything that is not fitted.")] = "multi_zone",
    out: Annotated[Path, typer.Option(help="Folder for the scenario, the plot and the figures.")] = Path(
        "out/calibration"
    ),
    resamples: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json_: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Fit the world model's service to recorded telemetry, and compare the simulation with what was measured.

    Writes a scenario file that simulates the cluster: scenario.toml, plot.png and calibration.json. With --against the
    simulation is judged on a recording that it was not fitted to.
    """
    points = operating_points(load_panel(recording))
    others = None if against is None else operating_points(load_panel(against))
    folder = writable(out)
    found = _fitted(points, resamples, seed)
    scenario = calibrated(found, base)
    (folder / "scenario.toml").write_text(scenario_toml(scenario, found, recording.name, base), encoding="utf-8")
    judged: dict[str, tuple[Judged, ...]] = {recording.name: predicted(scenario, points)}
    if others is not None and against is not None:
        judged[f"against {against.name}"] = predicted(scenario, others)
    name, shown = list(judged.items())[-1]
    plot_points(folder / "plot.png", shown, name)
    figures = json.dumps(as_json(found, dict(judged)), indent=2)
    (folder / "calibration.json").write_text(figures, encoding="utf-8")
    if as_json_:
        typer.echo(figures)
        return
    console = Console()
    console.print(constants_table(found))
    for name, shown in judged.items():
        console.print(points_table(shown, name))
    console.print(f"Wrote scenario.toml, plot.png and calibration.json to {folder}.")


def _fitted(points: tuple[Point, ...], resamples: int, seed: int) -> Fit:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating requests", total=len(SERVICE_CVS) * len(THREADS))
        return fit(points, resamples, seed, lambda: progress.advance(task))
