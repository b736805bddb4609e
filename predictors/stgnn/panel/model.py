"""The graph network as a forecast model among others, and what is left of it without its parts."""

from dataclasses import replace

import numpy as np
import torch

from predictors.forecasting.baselines import place_targets
from predictors.forecasting.forecasts import Floats, Forecasts, Study
from predictors.forecasting.linear import blocks
from predictors.forecasting.selection import best_linear
from predictors.forecasting.windows import Windows
from predictors.stgnn.panel.correction import GraphKind
from predictors.stgnn.panel.fitting import Fitting, Report, fit
from predictors.stgnn.panel.network import PanelNet, TensorInputs


def stgnn(study: Study, graph: GraphKind | None = None) -> Forecasts:
    """Train on the training part, stop on the validation part, forecast everything from there on."""
    linear = best_linear(study.series, study.lags, study.horizons)
    settings = Fitting(seed=study.seed, minutes=study.minutes, threads=study.threads, graph=graph)

    def tell(report: Report) -> None:
        share = (report.member + report.step / settings.steps) / settings.members
        study.report(share, f"member {report.member + 1}, error {report.best:.3f} of the linear forecast's")

    net = fit(linear, settings, tell)
    return forecast(net, linear.windows, study.series.train_end)


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
def forecast(net: PanelNet, windows: Windows, first: int) -> Forecasts:
    """Return forecasts for all targets from tick ``first`` on."""
    ticks, zones, features = windows.levels.shape
    shape = (len(windows.horizons), ticks - first, zones, features)
    median, mean = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    upper = np.zeros((2, *shape), np.float32)
    for part in blocks(windows, windows.origins(first, ticks)):
        outputs = net(TensorInputs.of(windows.inputs(part)))
        for target, levels in ((median, outputs.median), (mean, outputs.mean)):
            _place(target, net.values(levels).numpy(), part, windows, first)
        for q in range(2):
            _place(upper[q], net.values(outputs.upper[..., q]).numpy(), part, windows, first)
    return Forecasts(median, mean, upper)


def _place(result: Floats, values: Floats, origins: np.ndarray, windows: Windows, first: int) -> None:
    place_targets(result, origins, windows.horizons, first, values)
