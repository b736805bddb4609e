"""``metaverse forecast``: judge forecasts of any panel, and make a panel of a long CSV file."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from metaverse_env.panels import save_panel
from predictors.forecasting.forecasts import MODELS, Forecasts, Study, load_model
from predictors.forecasting.merit import Figures, figures
from predictors.forecasting.plots import draw_errors, draw_forecasts
from predictors.forecasting.reading import LongColumns, read_panel
from predictors.forecasting.series import Series, make_series

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
    console = Console(stderr=True)
    wanted = _numbers(horizons, "--horizons", int)
    shares = _numbers(split, "--split", float)
    if len(shares) != 3 or min(shares) <= 0.0:
        raise typer.BadParameter(f"{split!r}: give three positive shares, such as 0.7,0.1,0.2", param_hint="--split")
    if min(wanted) < 1:
        raise typer.BadParameter(f"{horizons!r}: give ticks from 1 on", param_hint="--horizons")
    names = _default_models() if models == DEFAULT_MODELS else [name.strip() for name in models.split(",")]
    found = {name: load_model(name) for name in dict.fromkeys(names)}
    series = make_series(read_panel(data), (shares[0], shares[1], shares[2]))
    console.print(_described(series))
    results: dict[str, dict[str, Figures]] = {}
    kept: dict[str, Forecasts] = {}
    ahead = tuple(sorted(set(wanted)))
    with _progress(console) as bar:
        for name, model in found.items():
            task = bar.add_task(name, total=1.0, words="")
            report = partial(_advance, bar, task)
            forecasts = model(Study(series, lags, ahead, seed, minutes, threads or os.cpu_count() or 1, report))
            report(1.0, "")
            results[name] = figures(forecasts, series, ahead)
            if out is not None and len(kept) < SHOWN_MODELS:
                kept[name] = forecasts
    if out is not None:
        _write(out, results, kept, series, ahead)
    if as_json:
        typer.echo(json.dumps(results))
    else:
        Console().print(_table(results))


def panel(
    csv: Annotated[Path, typer.Option(help="Long CSV or .csv.gz: a row for each time and zone.")],
    time: Annotated[str, typer.Option(help="Its column of times.")],
    name: Annotated[str, typer.Option(help="Its column of zones' names.")],
    features: Annotated[str, typer.Option(help="Its columns to keep, by commas.")],
    out: Annotated[Path, typer.Option(help="Panel to write, .npz.")],
    step_s: Annotated[float | None, typer.Option(min=0.001, help="Put times on a grid of this spacing, s.")] = None,
) -> None:
    """Make a panel of a long CSV file, as monitoring systems export it."""
    columns = LongColumns(time, name, tuple(feature.strip() for feature in features.split(",")))
    made = read_panel(csv, columns, step_s)
    save_panel(out, made)
    ticks, zones, count = made.values.shape
    typer.echo(f"{out}: {ticks} times, {zones} zones, {count} features, {100 * made.observed.mean():.1f} % observed")


def _numbers(text: str, option: str, kind: type) -> list:  # type: ignore[type-arg]
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r}: give numbers with commas between them", param_hint=option) from None


def _default_models() -> list[str]:
    """Leave LightGBM out where it is not installed: nobody asked for it by name."""
    return [name for name in DEFAULT_MODELS.split(",") if name != "lightgbm" or find_spec("lightgbm")]


def _described(series: Series) -> str:
    ticks, zones, features = series.shape
    known = float((series.values == series.values).mean())
    seasons = ", ".join(map(str, series.seasons)) or "none"
    return (
        f"{series.panel.source}: {ticks} ticks ({series.inserted} put in as missing), {zones} zones, {features} "
        f"features, {100 * known:.1f} % observed; seasons of {seasons} ticks; training to tick {series.train_end}, "
        f"test from tick {series.validation_end}"
    )


def _advance(bar: Progress, task: TaskID, done: float, words: str) -> None:
    bar.update(task, completed=done, words=words)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        yield bar


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
    kept: dict[str, Forecasts],
    series: Series,
    ahead: tuple[int, ...],
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "figures.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw_forecasts(kept, series, ahead, out / "forecasts.png")
    draw_errors(results, out / "errors.png")
