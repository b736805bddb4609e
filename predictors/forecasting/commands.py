"""``metaverse forecast``: judge forecasts of any panel, and make a panel of a long CSV file."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from rich.table import Table

from metaverse_env.errors import UnknownNameError
from metaverse_env.folders import writable
from metaverse_env.panels import save_panel
from predictors.forecasting.forecasts import MODELS, Forecasts, Study, load_model
from predictors.forecasting.merit import Figures, figures
from predictors.forecasting.options import parse_cut, parse_horizons, parse_names, parse_split
from predictors.forecasting.plots import SHOWN_TARGETS, draw_errors, draw_forecasts, strongest
from predictors.forecasting.progress import phases
from predictors.forecasting.reading import LongColumns, read_panel
from predictors.forecasting.series import MOST_SPARSE, Series, make_series
from predictors.forecasting.tables import figures_table, show
from predictors.forecasting.times import described, jump
from predictors.stgnn.panel.runtime import PanelForecaster

DEFAULT_MODELS: Final = "stgnn,persistence,seasonal_naive,seasonal_deviation,ridge,lightgbm"

From = Annotated[str | None, typer.Option("--from", help="Leave out rows before this time, ISO 8601 or Unix seconds.")]
Until = Annotated[str | None, typer.Option(help="Leave out rows from this time on.")]
StepS = Annotated[float | None, typer.Option(min=0.001, help="Put times on a grid of this spacing, s.")]


def evaluate(
    data: Annotated[Path, typer.Option(help="Panel (.npz), or CSV with the time first, then a column per zone.")],
    lags: Annotated[int, typer.Option(min=1, max=1000, help="Ticks looked back, the present one included.")] = 18,
    horizons: Annotated[str, typer.Option(help="Ticks ahead, by commas.")] = "1,3,6,18",
    split: Annotated[str, typer.Option(help="Shares of training, validation, test.")] = "0.7,0.1,0.2",
    models: Annotated[str, typer.Option(help=f"By commas, of: {', '.join(MODELS)}.")] = DEFAULT_MODELS,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
    minutes: Annotated[
        float,
        typer.Option(
            min=0.01,
            help="Each for the training of stgnn's network and for all of LightGBM's boosters and their forecasts; "
            "linear fits and reading come on top. What it stops is marked.",
        ),
    ] = 8.0,
    threads: Annotated[int | None, typer.Option(min=1, help="For training; default: all processors.")] = None,
    first: From = None,
    until: Until = None,
    step_s: StepS = None,
    out: Annotated[Path | None, typer.Option(help="Folder for figures.json and plots.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train models on the first part of a panel and judge their forecasts on its last part.

    Figures are over the test part alone, in the features' units, where observed. JSON: {model: {horizon: {mae, rmse,
    mse, quantile_loss, coverage_90, …, minutes, stopped_early}}}; of several features each has its own figures under
    "features", which are the ones to read.
    """
    ahead, shares, cut = parse_horizons(horizons), parse_split(split), parse_cut(first, until, step_s)
    names = _checked(_default_models() if models == DEFAULT_MODELS else parse_names(models))
    folder = None if out is None else writable(out)
    results: dict[str, dict[str, Figures]] = {}
    shown: dict[str, Forecasts] = {}
    with phases() as steps:
        with steps.phase("reading"):
            series = make_series(read_panel(data, cut=cut), shares)
        steps.say(series.described)
        with steps.phase("loading the models"):  # after reading: a file that is wrong need not wait for torch
            chosen = {name: load_model(name) for name in names}
        for name, model in chosen.items():
            with steps.phase(name) as report:
                forecasts = model(Study(series, lags, ahead, seed, minutes, threads or os.cpu_count() or 1, report))
                results[name] = _judged(forecasts, series, ahead, minutes)
            if forecasts.stopped:
                steps.say(f"{name}: stopped by --minutes at {forecasts.stopped}")
            shown[name] = forecasts.first(SHOWN_TARGETS)
            del forecasts  # hundreds of MB of a large panel
    if folder is not None:
        _write(folder, results, shown, series, ahead)
    if as_json:
        typer.echo(json.dumps(results))
    else:
        show(figures_table(results))


def _checked(names: list[str]) -> list[str]:
    """Return the names of models, if they are known; nothing is imported yet."""
    for name in names:
        if name not in MODELS:
            raise UnknownNameError("forecast model", name, MODELS)
    return names


def _judged(forecasts: Forecasts, series: Series, ahead: tuple[int, ...], minutes: float) -> dict[str, Figures]:
    """Return the figures of each horizon, and what the training was given."""
    given = {"minutes": minutes, "stopped_early": bool(forecasts.stopped)}
    return {horizon: one | given for horizon, one in figures(forecasts, series, ahead).items()}


def predict(
    model: Annotated[Path, typer.Option(help="Path of the network, without suffix.")],
    data: Annotated[Path, typer.Option(help="Recent rows: a panel (.npz), or wide CSV.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the forecast as JSON.")] = False,
) -> None:
    """Forecast what comes after the last row of a panel; JSON: {zone: {feature: {horizon: [q50, q90, q99]}}}."""
    forecaster = PanelForecaster(model)
    recent = read_panel(data)
    found, card = forecaster.forecast(recent), forecaster.card
    if len(recent.values) < forecaster.rows:
        typer.echo(
            f"metaverse: {data} has {len(recent.values)} rows of the {forecaster.rows} that are read; what lacks "
            "counts as unobserved, and the forecast is worse for it",
            err=True,
        )
    if as_json:
        nested = {
            zone: {
                feature: dict(zip(map(str, card.horizons), found[n, :, f].astype(float).tolist(), strict=True))
                for f, feature in enumerate(card.features)
            }
            for n, zone in enumerate(recent.names)
        }
        typer.echo(json.dumps(nested))
        return
    table = Table("zone", "feature", "ticks ahead", "median", "90 %", "99 %")
    for n, f, h in np.ndindex(len(recent.names), len(card.features), len(card.horizons)):
        numbers = (f"{value:.4g}" for value in found[n, h, f])
        table.add_row(recent.names[n], card.features[f], str(card.horizons[h]), *numbers)
    show(table)


def panel(
    csv: Annotated[Path, typer.Option(help="CSV or .csv.gz: a row for each time and zone, or a column per zone.")],
    out: Annotated[Path, typer.Option(help="Panel to write, .npz.")],
    time: Annotated[str | None, typer.Option(help="Of a row for each time and zone: the column of times.")] = None,
    name: Annotated[str | None, typer.Option(help="… the column of zones' names.")] = None,
    features: Annotated[str | None, typer.Option(help="… the columns to keep, by commas.")] = None,
    first: From = None,
    until: Until = None,
    step_s: StepS = None,
) -> None:
    """Make a panel of a CSV file: long, as monitoring systems export it, or wide, with the time first."""
    made = read_panel(csv, _columns(time, name, features), parse_cut(first, until, step_s))
    save_panel(out, made)
    ticks, zones, count = made.values.shape
    observed = f"{100 * made.observed.mean():.1f} % observed"
    times = made.timestamps
    words = "" if times is None else f", {described(times)}"
    typer.echo(f"{out}: {ticks} times, {zones} zones, {count} features, {observed}{words}")
    if times is not None and ticks > 1 and times[-1] - times[0] > MOST_SPARSE * ticks * np.median(np.diff(times)):
        typer.echo(f"metaverse: {csv}: {jump(times)}", err=True)


def _columns(time: str | None, name: str | None, features: str | None) -> LongColumns | None:
    """Return the columns of a long file; ``None`` of a wide one.

    Raises:
        typer.BadParameter: Some are named, and not all.
    """
    if time is None and name is None and features is None:
        return None
    if time is None or name is None or features is None:
        raise typer.BadParameter(
            "name all three columns of a long file, or none of a wide one", param_hint="--time, --name, --features"
        )
    return LongColumns(time, name, tuple(parse_names(features)))


def _default_models() -> list[str]:
    """Leave LightGBM out where it is not installed: nobody asked for it by name."""
    return [name for name in DEFAULT_MODELS.split(",") if name != "lightgbm" or find_spec("lightgbm")]


def _write(
    out: Path,
    results: dict[str, dict[str, Figures]],
    shown: dict[str, Forecasts],
    series: Series,
    ahead: tuple[int, ...],
) -> None:
    (out / "figures.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    drawn = {name: shown[name] for name in strongest(results)}
    draw_forecasts(drawn, series, ahead, out / "forecasts.png")
    draw_errors(results, out / "errors.png")
