"""A panel's forecaster at work, without torch: NumPy cuts its inputs, ONNX Runtime runs it.

Any number of zones, in any order: those that it learnt from are known by their names, the others are unknown to it, and
scaled by what they show.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from metaverse_env.errors import CheckpointError
from metaverse_env.panels import Panel
from predictors.forecasting.scaling import Floats, extend_scaling
from predictors.forecasting.series import Series, on_grid
from predictors.forecasting.windows import Windows, hold
from predictors.stgnn.panel.card import PanelCard, read_card
from predictors.stgnn.panel.edges import neighbour_table


class PanelForecaster:
    """Quantiles of every feature of every zone, from the last rows of a panel.

    Args:
        stem: Path of the network without suffix.

    Raises:
        CheckpointError: Files are missing or damaged.
    """

    def __init__(self, stem: str | Path) -> None:
        path = Path(stem).with_suffix(".onnx")
        self.card: PanelCard = read_card(Path(stem))
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime has no common base for its many errors
            raise CheckpointError(f"{path} cannot be run as ONNX ({error}); get it again") from error
        self._names = {one.name for one in self._session.get_inputs()}

    @property
    def rows(self) -> int:
        """Rows of a panel that are read; with fewer, what is missing counts as unobserved."""
        longest, furthest = max(self.card.seasons, default=0), max(self.card.horizons)
        return max(self.card.lags, longest * -(-furthest // longest) + 1 if longest else 0)

    def forecast(self, panel: Panel) -> Floats:
        """Forecast what comes after the last row.

        Args:
            panel: With the features that the network learnt, in their order, at the same step.

        Returns:
            ``[N, H, F, 3]`` in the features' units: zones of the panel, horizons and quantiles of the card.

        Raises:
            CheckpointError: The panel is not what the network reads.
            PanelError: Its times are not on a grid.
        """
        series = on_grid(panel)
        self.card.check(series)
        windows, zones = self._windows(series)
        inputs = self._inputs(windows, zones)
        (levels,) = self._session.run(None, {name: array for name, array in inputs.items() if name in self._names})
        # Scaling wants zones and features last.
        values = windows.scaling.values(np.moveaxis(levels[0], (1, 3), (0, 1)))
        return np.ascontiguousarray(np.moveaxis(values, (0, 1), (1, 3)))

    def _windows(self, series: Series) -> tuple[Windows, NDArray[np.int64]]:
        card = self.card
        place = {name: number for number, name in enumerate(card.zones)}
        zones = np.array([place.get(name, len(place)) for name in series.panel.names], dtype=np.int64)
        scaling = extend_scaling(card.scaling, zones, series.values)
        levels = scaling.levels(series.values)
        seasonal = Series(**{**vars(series), "seasons": card.seasons})
        return Windows(seasonal, scaling, card.lags, card.horizons, levels, hold(levels), None), zones

    def _inputs(self, windows: Windows, zones: NDArray[np.int64]) -> dict[str, Any]:
        """Return everything that a network may read; of what it does not read it has no input."""
        origin = len(windows.levels) - 1
        inputs: dict[str, Any] = {
            name: np.ascontiguousarray(part, dtype=np.float32)
            for name, part in windows.inputs(np.array([origin]))._asdict().items()
        }
        neighbours, weights = neighbour_table(windows.series.panel)
        return inputs | {
            "zones": zones, "neighbours": neighbours, "weights": weights, "slots": self._slots(windows.series)
        }  # fmt: skip

    def _slots(self, series: Series) -> NDArray[np.int64]:
        """Return where in the mean season the last row and the targets lie, ``[1, 1 + H]``."""
        card = self.card
        if not card.profile_ticks or series.seconds is None or card.step_s is None:
            return np.zeros((1, 1 + len(card.horizons)), dtype=np.int64)
        now = round((float(series.seconds[-1]) - card.start_s) / card.step_s)
        return (now + np.array([[0, *card.horizons]], dtype=np.int64)) % card.profile_ticks
