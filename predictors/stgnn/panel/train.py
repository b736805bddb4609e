"""The work of ``metaverse train predictor --data``: train a panel's forecaster, judge it, and write its three files."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import typer

from predictors.forecasting.forecasts import Study, load_model
from predictors.forecasting.merit import Figures, figures
from predictors.forecasting.plots import relative_error
from predictors.forecasting.progress import Phases, phases
from predictors.forecasting.reading import read_panel
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.series import Series, make_series
from predictors.stgnn.curves import draw_members, tensorboard
from predictors.stgnn.panel.export import export_panel
from predictors.stgnn.panel.fitting import Fitting
from predictors.stgnn.panel.model import forecast_test, words_of
from predictors.stgnn.panel.network import PanelNet
from predictors.stgnn.panel.run import PanelRun, Progress

NAME: Final = "panel"
"""Of the run's folder, and of its files as stgnn_panel."""


def train(
    out: Path, data: Path, split: tuple[float, float, float], lags: int, horizons: tuple[int, ...], *, seed: int,
    minutes: float | None, threads: int, resume: bool, as_json: bool, command: str,
) -> None:  # fmt: skip
    """Train a forecaster and print its figures; see :func:`predictors.commands.train_predictor`.

    Args:
        out: Folder of the run, which exists.
        data: Panel to learn from.
        split: Shares of training, validation, test.
        lags: Ticks looked back.
        horizons: Ticks ahead.
        seed: Of weights and batches.
        minutes: At most; ``None`` has no limit.
        threads: Of torch.
        resume: Go on with the run in the folder.
        as_json: Print JSON instead of a sentence.
        command: What was asked for, for the card.

    Raises:
        PanelError: The panel cannot be read, or is too short for what is asked.
        CheckpointError: There is nothing to go on from, or it was made with other settings or another panel.
    """
    folder = out / NAME
    folder.mkdir(exist_ok=True)
    settings = Fitting(seed=seed, minutes=minutes, threads=threads)
    with phases() as steps:
        with steps.phase("reading"):
            series = make_series(read_panel(data), split)
            study = Study(series, lags, horizons, seed=seed, threads=threads)
        steps.say(series.described)
        with steps.phase("linear skip"):
            linear = best_linear(series, lags, horizons, profiled=series.seconds is not None)
        asked = {"lags": lags, "horizons": list(horizons), "split": list(split), "data": digest(series)}
        run = PanelRun(linear, settings, folder, resume=resume, fixed=asked)
        _write(folder / "config.json", {"kind": NAME, "source": str(data), **asked, **asdict(settings)})
        net = _fit(run, steps, folder)
        with steps.phase("judging") as report:
            found = {"stgnn": figures(forecast_test(net, linear.windows, report), series, horizons)}
            found["persistence"] = figures(load_model("persistence")(study), series, horizons)
        with steps.phase("exporting"):
            _export(net, linear, out, found, seed=seed, command=command)
    _write(folder / "metrics.json", found)
    typer.echo(json.dumps(found) if as_json else f"{out / f'stgnn_{NAME}'}.onnx: {_sentence(found)}")


def digest(series: Series) -> str:
    """Return a digest of everything that is learnt from, so that a run is not resumed on another panel."""
    found = hashlib.sha256()
    for part in (series.values, series.seconds, series.intents, series.panel.edge_index, series.panel.edge_weight):
        found.update(b"-" if part is None else part.tobytes())
    found.update(repr((series.panel.names, series.panel.feature_names)).encode())
    return found.hexdigest()


def _fit(run: PanelRun, steps: Phases, folder: Path) -> PanelNet:
    members = run.settings.members

    def step_of(progress: Progress) -> int:
        return progress.member * run.settings.steps + progress.step

    with steps.phase("training") as report, tensorboard(folder, step_of(run.progress)) as write:

        def tell(progress: Progress) -> None:
            report((progress.member + run.share_done) / members, words_of(progress))
            numbers = {"loss/training": progress.losses[-1][-1], "error/validation": progress.ratios[-1][-1]}
            write(step_of(progress), numbers)

        try:
            net = run.fit(tell)
        except KeyboardInterrupt:
            steps.say(f"Interrupted in member {run.progress.member + 1}; the same command with --resume goes on.")
            raise
    draw_members(run.progress.losses, run.progress.ratios, folder / "curves.png")
    return net


def _export(net: PanelNet, linear: Linear, out: Path, found: dict[str, dict[str, Figures]], **more: Any) -> None:
    export_panel(net, linear.windows, out / f"stgnn_{NAME}", metrics=found["stgnn"], **more)


def _sentence(found: dict[str, dict[str, Figures]]) -> str:
    """Say how good it is beside persistence; of several features by the mean ratio, since their units differ."""
    held = found["persistence"]
    if any("features" in one for one in held.values()):
        ratios = [f"{horizon}: {relative_error(one, held[horizon]):.3f}" for horizon, one in found["stgnn"].items()]
        return f"mean absolute error over persistence's on the test part by ticks ahead: {', '.join(ratios)}"
    parts = [
        f"{horizon}: {one['mae']:.4g} ({held[horizon]['mae']:.4g})"
        for horizon, one in found["stgnn"].items()
        if "mae" in one
    ]
    return f"mean absolute error on the test part by ticks ahead, and persistence's: {', '.join(parts)}"


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
