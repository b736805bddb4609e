"""Forecasts drawn against what came."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.merit import Figures
from predictors.forecasting.series import Series

SHOWN_TARGETS: Final = 300
SHOWN_ZONES: Final = 3


def draw_forecasts(forecasts: Mapping[str, Forecasts], series: Series, horizons: tuple[int, ...], path: Path) -> None:
    """Draw truth and medians of the zones that vary most, at the first and the last horizon.

    The first model's range from median to quantile .9 is shaded, if it gives one. Only the first feature is drawn.
    """
    skip = series.validation_end - series.train_end
    truth = series.values[series.validation_end :][:SHOWN_TARGETS, :, 0]
    known = np.isfinite(truth)
    spread = np.where(known.any(axis=0), np.nanmax(np.where(known, truth, -np.inf), axis=0), -np.inf)
    zones = np.argsort(-spread)[: min(SHOWN_ZONES, truth.shape[1])]
    shown = sorted({0, len(horizons) - 1})
    figure = Figure(figsize=(7.0 * len(shown), 2.6 * len(zones)), layout="constrained")
    axes = figure.subplots(len(zones), len(shown), squeeze=False, sharex=True)
    for row, zone in enumerate(zones):
        for column, h in enumerate(shown):
            axis = axes[row][column]
            axis.plot(truth[:, zone], color="black", linewidth=1.4, label="observed")
            for number, (name, found) in enumerate(forecasts.items()):
                median = found.median[h, skip:, zone, 0][: len(truth)]
                axis.plot(median, linewidth=1.0, label=name, color=f"C{number}")
                if number == 0 and found.upper is not None:
                    upper = found.upper[0, h, skip:, zone, 0][: len(truth)]
                    axis.fill_between(
                        np.arange(len(truth)), median, upper, alpha=0.2, color="C0", label=f"{name}, up to 90 %"
                    )
            axis.set_title(f"{series.panel.names[zone]}, {horizons[h]} ticks ahead", fontsize=10)
            axis.set_ylabel(series.panel.feature_names[0])
    axes[0][0].legend(fontsize=8, ncols=2)
    for axis in axes[-1]:
        axis.set_xlabel("ticks of the test part")
    figure.savefig(path, dpi=110)


def draw_errors(found: Mapping[str, Mapping[str, Figures]], path: Path) -> None:
    """Draw each model's mean absolute error over the horizons, relative to persistence if it was asked for."""
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axis = figure.subplots()
    base = found.get("persistence")
    for name, horizons in found.items():
        if name != "persistence" or base is None:
            values = [one["mae"] / (base[h]["mae"] if base else 1.0) for h, one in horizons.items()]
            axis.plot([int(h) for h in horizons], values, marker="o", label=name)
    axis.set_xlabel("ticks ahead")
    axis.set_ylabel("mean absolute error" + (" / persistence's" if base else ""))
    axis.set_ylim(bottom=0.0)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=110)
