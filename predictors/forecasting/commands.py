"""``metaverse forecast``: judge forecasts of any panel, and make a panel of a long CSV file."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from metaverse_env.folders import writable
from metaverse_env.panels import save_panel
from predictors.forecasting.forecasts import MODELS, Forecasts, Study, load_model
from predictors.forecasting.merit import Figures, figures
from predictors.forecasting.options import parse_horizons, parse_names, parse_split
from predictors.forecasting.plots import SHOWN_TARGETS, draw_errors, draw_forecasts
from predictors.forecasting.progress import phases
from predictors.forecasting.reading import LongColumns, read_panel
from predictors.forecasting.series import Series, make_series
from predictors.stgnn.panel.runtime import PanelForecaster

DEFAULT_MODELS: Final = "stgnn,persistence,seasonal_naive,seasonal_deviation,ridge,lightgbm"
SHOWN_MODELS: Final = 3
"""That are drawn against what came."""
_SHOWN: Final = ("mae", "rmse", "quantile_loss", "coverage_90", "coverage_99")


def evaluate(
    data: Annotated[Path, typer.Option(help="Panel (.npz), or CSV with the time first, then a column per zone.")],
    lags: Annotated[int, typer.Option(min=1, max=1000, help="Ticks looked back, the present one included.")] = 18,
    horizons: Annotated[str, typer.Option(help="Ticks ahead, by commas.")] = "1,3,6,18",
    split: Annotated[str, typer.Option(help="Shares of training, validation, test.")] = "0.7,0.1,0.2",
    models: Annotated[str, typer.Option(help=f"By commas, of: {', '.join(MODELS)}.")] = DEFAULT_MODELS,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
    minutes: Annotated[float, typer.Option(min=0.01, help="That each model may train.")] = 8.0,
    threads: Annotated[int | None, typer.Option(min=1, help="For training; default: all processors.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for figures.json and plots.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train models on the first part of a panel and judge their forecasts on its last part.

    Figures are over the test part alone, in the features' units, where observed. JSON: {model: {horizon: {mae, rmse,
    mse, quantile_loss, coverage_90, …}}}.
    """
    ahead, shares = parse_horizons(horizons), parse_split(split)
    names = _default_models() if models == DEFAULT_MODELS else parse_names(models)
    chosen = {name: load_model(name) for name in names}
    folder = None if out is None else writable(out)
    results: dict[str, dict[str, Figures]] = {}
    shown: dict[str, Forecasts] = {}
    with phases() as steps:
        with steps.phase("reading"):
            series = make_series(read_panel(data), shares)
        steps.say(series.described)
        for name, model in chosen.items():
            with steps.phase(name) as report:
                forecasts = model(Study(series, lags, ahead, seed, minutes, threads or os.cpu_count() or 1, report))
                results[name] = figures(forecasts, series, ahead)
            if len(shown) < SHOWN_MODELS:
                shown[name] = forecasts.first(SHOWN_TARGETS)
            del forecasts  # hundreds of MB of a large panel
    if folder is not None:
        _write(folder, results, shown, series, ahead)
    if as_json:
        typer.echo(json.dumps(results))
    else:
        Console().print(_table(results))


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
    Console().print(table)


def panel(
    csv: Annotated[Path, typer.Option(help="Long CSV or .csv.gz: a row for each time and zone.")],
    time: Annotated[str, typer.Option(help="Its column of times.")],
    name: Annotated[str, typer.Option(help="Its column of zones' names.")],
    features: Annotated[str, typer.Option(help="Its columns to keep, by commas.")],
    out: Annotated[Path, typer.Option(help="Panel to write, .npz.")],
    step_s: Annotated[float | None, typer.Option(min=0.001, help="Put times on a grid of this spacing, s.")] = None,
) -> None:
    """Make a panel of a long CSV file, as monitoring systems export it."""
    columns = LongColumns(time, name, tuple(parse_names(features)))
    made = read_panel(csv, columns, step_s)
    save_panel(out, made)
    ticks, zones, count = made.values.shape
    typer.echo(f"{out}: {ticks} times, {zones} zones, {count} features, {100 * made.observed.mean():.1f} % observed")


def _default_models() -> list[str]:
    """Leave LightGBM out where it is not installed: nobody asked for it by name."""
    return [name for name in DEFAULT_MODELS.split(",") if name != "lightgbm" or find_spec("lightgbm")]


def _table(results: dict[str, dict[str, Figures]]) -> Table:
    table = Table("ticks ahead", "model", *_SHOWN, title="Test part, in the features' units (means over features)")
    for horizon in next(iter(results.values())):
        best = min(found[horizon].get("mae", float("inf")) for found in results.values())
        for name, found in results.items():
            one = found[horizon]
            mark = "bold" if one.get("mae") == best else ""
            table.add_row(horizon, name, *(f"{one[key]:.4g}" if key in one else "–" for key in _SHOWN), style=mark)
        table.add_section()
    return table


def _write(
    out: Path,
    results: dict[str, dict[str, Figures]],
    shown: dict[str, Forecasts],
    series: Series,
    ahead: tuple[int, ...],
) -> None:
    (out / "figures.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw_forecasts(shown, series, ahead, out / "forecasts.png")
    draw_errors(results, out / "errors.png")
