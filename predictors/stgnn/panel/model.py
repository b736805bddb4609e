"""The graph network as a forecast model among others, and what is left of it without its parts."""

from dataclasses import replace

import numpy as np
import torch

from predictors.forecasting.baselines import place_targets
from predictors.forecasting.forecasts import Forecasts, Study
from predictors.forecasting.linear import blocks
from predictors.forecasting.progress import Report
from predictors.forecasting.selection import best_linear
from predictors.forecasting.windows import Windows
from predictors.stgnn.panel.correction import GraphKind
from predictors.stgnn.panel.fitting import Fitting
from predictors.stgnn.panel.network import PanelNet, TensorInputs
from predictors.stgnn.panel.run import PanelRun, Progress


def stgnn(study: Study, graph: GraphKind | None = None) -> Forecasts:
    """Train on the training part, stop on the validation part, forecast the test part."""
    study.report(0.0, "fitting the linear skip")
    linear = best_linear(study.series, study.lags, study.horizons)
    settings = Fitting(seed=study.seed, minutes=study.minutes, threads=study.threads, graph=graph)
    run = PanelRun(linear, settings)

    def tell(progress: Progress) -> None:
        study.report((progress.member + run.share_done) / settings.members, words_of(progress))

    found = forecast_test(run.fit(tell), linear.windows, study.report)
    return found._replace(stopped=f"{run.fewest_steps} of {settings.steps} steps" if run.fewest_steps else "")


def words_of(progress: Progress) -> str:
    """Say how far a training is."""
    return f"member {progress.member + 1}, error {progress.best:.3f} of the linear forecast's"


def without_graph(study: Study) -> Forecasts:
    """Do the same with every zone on its own."""
    return stgnn(study, "none")


def learned_graph(study: Study) -> Forecasts:
    """Do the same along a graph that is learned with the weights."""
    return stgnn(study, "learned")


def without_intents(study: Study) -> Forecasts:
    """Do the same without reading intents."""
    return stgnn(replace(study, series=replace(study.series, intents=None)))


@torch.no_grad()
def forecast_test(net: PanelNet, windows: Windows, report: Report = lambda done, words: None) -> Forecasts:
    """Return forecasts for all targets of the test part."""
    first, (ticks, zones, features) = windows.series.validation_end, windows.levels.shape
    shape = (len(windows.horizons), ticks - first, zones, features)
    median, mean = np.empty(shape, np.float32), np.empty(shape, np.float32)
    upper = np.empty((2, *shape), np.float32)
    parts = blocks(windows, windows.origins(first, ticks))
    for number, part in enumerate(parts):
        report(number / len(parts), "forecasting")
        outputs = net(TensorInputs.of(windows.inputs(part), net.skip.device))
        found = ((median, outputs.median), (mean, outputs.mean), *zip(upper, outputs.upper.unbind(-1), strict=True))
        for target, levels in found:
            place_targets(target, part, windows.horizons, first, net.values(levels).cpu().numpy())
    return Forecasts(median, mean, upper)
