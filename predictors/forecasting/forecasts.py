"""Forecasts of a panel's test part, and the table of models that can make them.

A model is a function of a :class:`Study` that returns :class:`Forecasts`. Models of other extras are named as strings
and imported when they are asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from metaverse_env.errors import PanelError
from metaverse_env.plugins import resolve
from predictors.forecasting.progress import Report, silent
from predictors.forecasting.scaling import Floats
from predictors.forecasting.series import Series


class Forecasts(NamedTuple):
    """What is forecast for every target of the test part, in the features' units.

    Attributes:
        median: ``[H, T', N, F]``, judged by absolute error.
        mean: ``[H, T', N, F]``, judged by squared error.
        upper: ``[2, H, T', N, F]``, quantiles .9 and .99.
        stopped: How far training was where ``minutes`` stopped it; empty where they did not.
    """

    median: Floats
    mean: Floats
    upper: Floats
    stopped: str = ""

    def first(self, targets: int) -> "Forecasts":
        """Return a copy of the first targets alone, so that the rest can be forgotten."""
        median, mean, upper = self.median[:, :targets], self.mean[:, :targets], self.upper[:, :, :targets]
        return Forecasts(median.copy(), mean.copy(), upper.copy(), self.stopped)


@dataclass(frozen=True)
class Study:
    """What a model may use: targets before ``series.train_end`` to learn, those of the validation part to choose.

    Raises:
        PanelError: A horizon is as long as the training part, so there is nothing to learn it from.

    Attributes:
        series: The panel on its grid.
        lags: How many ticks may be looked back, the present one included; seasons are looked up beyond.
        horizons: Ticks ahead.
        seed: Of whatever is random.
        minutes: That training may take; fits that are linear, and forecasting, come on top.
        threads: That it may use.
        report: Told the share that is done, and a few words.
    """

    series: Series
    lags: int
    horizons: tuple[int, ...]
    seed: int = 0
    minutes: float = 8.0
    threads: int = 1
    report: Report = field(default=silent, compare=False)

    def __post_init__(self) -> None:
        most = self.series.train_end - 1
        if max(self.horizons) > most:
            raise PanelError(
                f"panel {self.series.panel.source}: a horizon of {max(self.horizons)} ticks cannot be learnt from a "
                f"training part of {self.series.train_end} ticks; ask for at most {most}, or give a longer panel"
            )


Model = Callable[[Study], Forecasts]

MODELS: Final = {
    "stgnn": "predictors.stgnn.panel.model:stgnn",
    "stgnn-no-graph": "predictors.stgnn.panel.model:without_graph",
    "stgnn-learned-graph": "predictors.stgnn.panel.model:learned_graph",
    "stgnn-no-intents": "predictors.stgnn.panel.model:without_intents",
    "persistence": "predictors.forecasting.baselines:persistence",
    "seasonal_naive": "predictors.forecasting.baselines:seasonal_naive",
    "seasonal_deviation": "predictors.forecasting.baselines:seasonal_deviation",
    "ridge": "predictors.forecasting.baselines:ridge",
    "lightgbm": "predictors.forecasting.boosting:lightgbm",
}
"""By the names that the command line knows."""


def load_model(name: str) -> Model:
    """Return a model.

    Raises:
        UnknownNameError: There is none of this name.
        MissingExtraError: What it needs is not installed.
    """
    model: Model = resolve("forecast model", name, MODELS, "boosting" if name == "lightgbm" else "predictors")
    return model
