"""What pictures show: told by the drawn objects, since pixels tell nobody why."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from metaverse_env.panels import Panel
from predictors.forecasting.forecasts import Forecasts
from predictors.forecasting.plots import HIGHEST_RATIO, draw_errors, draw_forecasts
from predictors.forecasting.series import make_series
from predictors.stgnn.curves import draw_curves, draw_members
from predictors.stgnn.training import Progress


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Return the figures that are saved from now on."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: Any, **named: Any) -> None:
        figures.append(figure)
        save(figure, *arguments, **named)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def test_one_epoch_can_be_seen(drawn: list[Figure], tmp_path: Path) -> None:
    draw_curves(Progress(epoch=1, best_epoch=1, training=(2.0,), validation=(3.0,)), tmp_path / "curves.png")
    draw_members([[1.0]], [[0.9]], tmp_path / "members.png")
    for figure in drawn:
        for axis in figure.axes:
            points = [line for line in axis.lines if len(np.atleast_1d(line.get_ydata())) == 1]
            assert points
            assert all(line.get_marker() == "o" for line in points)


def test_a_bad_rival_does_not_press_the_others_into_one_line(drawn: list[Figure], tmp_path: Path) -> None:
    errors = {"stgnn": 0.9, "persistence": 1.0, "seasonal_naive": 22.0, "ridge": 2.5, "lightgbm": 1.1}
    found = {
        name: {str(h): {"mae": mae, "stopped_early": name == "lightgbm"} for h in (1, 2, 18)}
        for name, mae in errors.items()
    }
    draw_errors(found, tmp_path / "errors.png")
    (axis,) = drawn[0].axes
    assert axis.get_ylim()[1] < 1.2 * HIGHEST_RATIO
    assert {text.get_text() for text in axis.texts} == {"22", "2.5"}
    assert len({(text.xy[0], text.xyann[1]) for text in axis.texts}) == 6, "no number lies on another"
    labels = {text.get_text() for text in axis.get_legend().get_texts()}
    assert labels == {"stgnn", "persistence", "seasonal_naive", "ridge", "lightgbm, stopped by --minutes"}
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "18"]


def test_ours_is_above_the_others_and_zones_are_in_order(drawn: list[Figure], tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3, 1)).astype(np.float32) * np.array([1.0, 9.0, 3.0])[:, None]
    series = make_series(Panel(values.astype(np.float32), ("users",), ("a", "b", "c")))
    zeros = np.zeros((2, 10, 3, 1), np.float32)
    forecasts = Forecasts(zeros, zeros, np.stack([zeros, zeros]))
    draw_forecasts({"stgnn": forecasts, "ridge": forecasts}, series, (1, 6), tmp_path / "forecasts.png")
    axes = drawn[0].axes
    assert [axis.get_title() for axis in axes[:2]] == ["a, 1 tick ahead", "a, 6 ticks ahead"]
    assert [axis.get_title()[0] for axis in axes[::2]] == ["a", "b", "c"]
    height = {line.get_label(): line.get_zorder() for line in axes[0].lines}
    assert height["stgnn"] > height["ridge"]
    assert not any(axis.get_legend() for axis in axes), "it would lie over data"
