"""The three files of a forecaster, and what runs them: equal to torch, any zones, clear refusals."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metaverse_env.errors import CheckpointError
from metaverse_env.panels import Panel
from predictors.forecasting.selection import Linear, best_linear
from predictors.forecasting.series import make_series
from predictors.stgnn.panel.card import PanelCard, read_card, unit_of
from predictors.stgnn.panel.export import export_panel
from predictors.stgnn.panel.network import PanelNet, TensorInputs
from predictors.stgnn.panel.runtime import PanelForecaster

MakePanel = Callable[..., Panel]
Shaken = Callable[..., PanelNet]


def cut(panel: Panel, end: int, first: int = 0) -> Panel:
    """Return some rows of a panel."""
    rows = slice(first, end)
    return replace(
        panel, values=panel.values[rows], timestamps=None if panel.timestamps is None else panel.timestamps[rows],
        intents=None if panel.intents is None else panel.intents[rows],
    )  # fmt: skip


def by_torch(net: PanelNet, linear: Linear, origin: int) -> np.ndarray:
    """Return ``[N, H, F, 3]``, what torch forecasts at an origin."""
    with torch.no_grad():
        found = net(TensorInputs.of(linear.windows.inputs(np.array([origin]))))
        levels = torch.cat([found.median[..., None], found.upper], dim=-1)[:, 0]
        values = torch.stack([net.values(one) for one in levels.unbind(-1)], dim=-1)
    return values.permute(1, 0, 2, 3).numpy()


@pytest.fixture(scope="module")
def exported(linear: Linear, shaken: Shaken, tmp_path_factory: pytest.TempPathFactory) -> tuple[PanelNet, Path]:
    stem = tmp_path_factory.mktemp("panel") / "forecaster"
    net = shaken(linear)
    export_panel(net, linear.windows, stem, command="metaverse train predictor", seed=7)
    return net, stem


@pytest.mark.parametrize("origin", [399, 380, 301])
def test_it_equals_torch(linear: Linear, exported: tuple[PanelNet, Path], origin: int) -> None:
    """At the end of a panel and within, from the last rows alone."""
    net, stem = exported
    forecaster, panel = PanelForecaster(stem), linear.windows.series.panel
    expected = by_torch(net, linear, origin)
    found = forecaster.forecast(cut(panel, origin + 1))
    assert found.shape == (4, 3, 2, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    recent = cut(panel, origin + 1, first=origin + 1 - 2 * forecaster.rows)
    np.testing.assert_allclose(forecaster.forecast(recent), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("kind", "lags", "graph"),
    [
        ({"step_s": None, "graph": False, "intents": 0}, 6, "none"),
        ({"ticks": 40, "features": 1, "zones": 1, "graph": False, "intents": 0, "missing": 0.0}, 1, "none"),
        ({"step_s": 15.0, "intents": 0}, 4, "learned"),
        ({"intents": 0}, 3, "given"),
    ],
)
def test_every_kind_of_panel_can_be_exported(
    make_panel: MakePanel, shaken: Shaken, tmp_path: Path, kind: dict[str, object], lags: int, graph: str
) -> None:
    panel = make_panel(**kind)
    series = make_series(panel)
    linear = best_linear(series, lags, (1, 3), profiled=series.seconds is not None)
    net = shaken(linear, graph=graph)
    export_panel(net, linear.windows, tmp_path / "net")
    found = PanelForecaster(tmp_path / "net").forecast(panel)
    np.testing.assert_allclose(found, by_torch(net, linear, len(panel.values) - 1), rtol=1e-4)


def test_zones_are_known_by_their_names(linear: Linear, exported: tuple[PanelNet, Path]) -> None:
    """In another order the same zones get the same forecasts."""
    forecaster, panel = PanelForecaster(exported[1]), linear.windows.series.panel
    turned = panel.select("zone-2", "zone-0", "zone-3", "zone-1")
    np.testing.assert_allclose(forecaster.forecast(turned), forecaster.forecast(panel)[[2, 0, 3, 1]], rtol=1e-4)


def test_unknown_zones_are_scaled_by_what_they_show(linear: Linear, exported: tuple[PanelNet, Path]) -> None:
    """A zone never seen that is a thousand times as large gets a forecast a thousand times as large."""
    panel = linear.windows.series.panel
    names = tuple(f"new-{n}" for n in range(8))
    twice = Panel(
        np.concatenate([panel.values, 1000.0 * panel.values], axis=1), panel.feature_names, names,
        timestamps=panel.timestamps, edge_index=np.concatenate([panel.edge_index, panel.edge_index + 4], axis=1),  # type: ignore[operator,list-item]
        edge_weight=np.tile(panel.edge_weight, 2), intents=np.tile(panel.intents, (1, 2, 1)),  # type: ignore[arg-type]
    )  # fmt: skip
    found = PanelForecaster(exported[1]).forecast(twice)
    assert found.shape == (8, 3, 2, 3)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[4:], 1000.0 * found[:4], rtol=1e-3)


def test_zones_that_show_nothing_have_a_forecast(linear: Linear, exported: tuple[PanelNet, Path]) -> None:
    panel = linear.windows.series.panel
    values = np.full_like(panel.values, np.nan)
    found = PanelForecaster(exported[1]).forecast(replace(panel, values=values, names=("zone-0", "b", "c", "d")))
    assert np.isfinite(found).all()


# --- what the card says, and what is refused ---


def test_the_card_says_what_is_read(linear: Linear, exported: tuple[PanelNet, Path]) -> None:
    card = read_card(exported[1])
    assert (card.features, card.zones) == (("feature-0", "feature-1"), ("zone-0", "zone-1", "zone-2", "zone-3"))
    assert (card.lags, card.horizons, card.seasons, card.profile_ticks) == (6, (1, 3, 12), (24,), 24)
    assert (card.step_s, card.intents, card.graph, card.seed) == (3600.0, 3, "given", 7)
    scaling = card.scaling
    for name in ("offset", "centre", "deviation"):
        np.testing.assert_array_equal(getattr(scaling, name), getattr(linear.windows.scaling, name))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("cpu_cores", "cores"),
        ("rx_Bps", "B/s"),
        ("bandwidth_mbps", "Mbps"),
        ("cpu_m", "millicores"),
        ("m", None),
        ("users", None),
    ],
)
def test_units_are_those_that_names_carry(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


def changed(panel: Panel, **changes: object) -> Panel:
    return replace(panel, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"feature_names": ("feature-1", "feature-0")}, "features are in the order feature-1, feature-0"),
        ({"feature_names": ("feature-0", "users")}, "the network reads feature-0, feature-1. Give exactly these"),
        ({"timestamps": 60.0 * np.arange(400)}, "times are 60 s apart; the network was trained on 3600 s"),
        ({"timestamps": None}, "it has no two times"),
        ({"intents": None}, "intents are of width 0; the network reads 3"),
        ({"edge_index": None, "edge_weight": None}, "it has no edges"),
    ],
)
def test_panels_that_do_not_fit_are_refused(
    linear: Linear, exported: tuple[PanelNet, Path], changes: dict[str, object], said: str
) -> None:
    with pytest.raises(CheckpointError, match=said):
        PanelForecaster(exported[1]).forecast(changed(linear.windows.series.panel, **changes))


def test_files_that_do_not_fit_are_refused(exported: tuple[PanelNet, Path], tmp_path: Path) -> None:
    stem = tmp_path / "net"
    with pytest.raises(CheckpointError, match="no card"):
        PanelForecaster(stem)
    stem.with_suffix(".json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is not the card of a panel's forecaster"):
        PanelForecaster(stem)
    card = exported[1].with_suffix(".json").read_text(encoding="utf-8")
    stem.with_suffix(".json").write_text(card, encoding="utf-8")
    with pytest.raises(CheckpointError, match="no network"):
        PanelForecaster(stem)
    stem.with_suffix(".onnx").write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="is damaged, or not the one"):
        PanelForecaster(stem)
    other = json.dumps(json.loads(card) | {"quantiles": [0.5]})
    stem.with_suffix(".json").write_text(other, encoding="utf-8")
    with pytest.raises(CheckpointError, match="not those of this version"):
        PanelForecaster(stem)
    assert isinstance(read_card(exported[1]), PanelCard)
