"""Ridge regressions against the closed form, and which linear forecast is chosen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.errors import PanelError
from metaverse_env.panels import Panel
from predictors.forecasting import linear as module
from predictors.forecasting.baselines import linear_values, persistence
from predictors.forecasting.forecasts import Study
from predictors.forecasting.linear import (
    RIDGES,
    candidates,
    columns,
    count_columns,
    normal_equations,
    subsets,
    thin,
)
from predictors.forecasting.reading import read_panel
from predictors.forecasting.scaling import fit_scaling
from predictors.forecasting.selection import best_linear
from predictors.forecasting.series import Series, make_series
from predictors.forecasting.windows import Windows, make_windows


def series_of(values: np.ndarray, **more: object) -> Series:
    values = np.asarray(values, dtype=np.float32)
    values = values.reshape(*values.shape, *[1] * (3 - values.ndim))
    names = [tuple(f"{kind}{n}" for n in range(size)) for kind, size in zip("zf", values.shape[1:], strict=True)]
    return make_series(Panel(values, names[1], names[0], **more))  # type: ignore[arg-type]


def windows_of(series: Series, lags: int = 4, horizons: tuple[int, ...] = (1, 3)) -> Windows:
    scaling = fit_scaling(series.values[: series.train_end], np.zeros(series.shape[2], dtype=bool))
    return make_windows(series, scaling, lags, horizons)


def autoregression(ticks: int, zones: int, keep: float, seed: int = 0) -> np.ndarray:
    """Return ``x' = 10 + keep (x - 10) + noise``."""
    noise = np.random.default_rng(seed).normal(size=(ticks, zones))
    values = np.full((ticks, zones), 10.0)
    for tick in range(1, ticks):
        values[tick] = 10.0 + keep * (values[tick - 1] - 10.0) + noise[tick]
    return values


# --- the regressions ---


def table_by_hand(windows: Windows, h: int, f: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns ``[R, N, K]`` and changes ``[R, N]`` of the training part, row by row."""
    held, seasons = windows.held.astype(float), windows.series.seasons
    horizon, rows, changes = windows.horizons[h], [], []
    for origin in range(windows.series.train_end - horizon):
        now = held[origin]
        before = [held[max(origin - lag, 0)] for lag in range(1, windows.lags)]
        step = now - before[0]
        row = [*(past[:, f] - now[:, f] for past in before), *now.T, *step.T]
        for season in seasons:
            back = season * -(-horizon // season)
            past = held[max(origin - back, 0)]
            target = held[origin + horizon - back] if origin >= back else past
            row += [(target - past)[:, f], (now - past)[:, f]]
        if windows.profile is not None:
            there = windows.profile[origin % len(windows.profile)]
            row += [
                (windows.profile[(origin + horizon) % len(windows.profile)] - there)[:, f], (now - there)[:, f],
            ]  # fmt: skip
        rows.append(np.stack([*row, np.ones(len(now))], axis=-1))
        changes.append(held[origin + horizon, :, f] - now[:, f])
    return np.array(rows), np.array(changes)


@pytest.fixture
def restless() -> Windows:
    """Return windows of 3 zones, 2 features and a season of 6."""
    values = np.random.default_rng(1).normal(size=(80, 3, 2))
    return windows_of(replace(series_of(values), seasons=(6,)))


@pytest.mark.parametrize(("h", "f"), [(0, 0), (1, 1)])
def test_columns_by_hand(restless: Windows, h: int, f: int) -> None:
    table, _ = table_by_hand(restless, h, f)
    found = columns(restless.inputs(np.arange(len(table))), h, f)
    assert found.shape[-1] == count_columns(restless) == 3 + 4 + 4 + 1
    np.testing.assert_allclose(found, table, atol=1e-5)


@pytest.mark.parametrize("ridge", RIDGES)
@pytest.mark.parametrize(("h", "f"), [(0, 1), (1, 0)])
def test_weights_are_numpys(restless: Windows, h: int, f: int, ridge: float) -> None:
    """Ridge regression is least squares over rows that pull each weight to 0."""
    table, changes = table_by_hand(restless, h, f)
    found = {one.name: one.weights for one in candidates(restless, normal_equations(restless), h, f)}
    for name, used in subsets(restless, f).items():
        pull = np.sqrt(ridge) * np.eye(len(used))
        for zone in (0, 2):
            rows = np.concatenate([table[:, zone][:, used], pull])
            expected = np.linalg.lstsq(rows, np.append(changes[:, zone], np.zeros(len(used))))[0]
            weights = found[f"{name}, each zone, {ridge:g}"][zone]
            np.testing.assert_allclose(weights[used], expected, atol=1e-5)
            assert not np.delete(weights, used).any()
        rows = np.concatenate([table[:, :, used].reshape(-1, len(used)), pull])
        expected = np.linalg.lstsq(rows, np.append(changes.ravel(), np.zeros(len(used))))[0]
        common = found[f"{name}, common, {ridge:g}"]
        np.testing.assert_allclose(common[:-1, used], np.tile(expected, (3, 1)), atol=1e-5)
        without = used[~np.isin(used, [table.shape[-1] - 3, table.shape[-1] - 2])]
        rows = np.concatenate([table[:, :, without].reshape(-1, len(without)), np.sqrt(ridge) * np.eye(len(without))])
        expected = np.linalg.lstsq(rows, np.append(changes.ravel(), np.zeros(len(without))))[0]
        for unknown in (common[-1], found[f"{name}, each zone, {ridge:g}"][-1]):
            np.testing.assert_allclose(unknown[without], expected, atol=1e-5)
            assert not np.delete(unknown, without).any(), "it has no mean season"


def test_missing_targets_count_for_nothing() -> None:
    values = autoregression(100, 1, 0.5)
    holed = values.copy()
    holed[40] = np.nan
    windows = windows_of(series_of(holed), lags=1, horizons=(1,))
    gram = normal_equations(windows).gram[0, 0, 0]
    assert gram[-1, -1] == windows.series.train_end - 2, "rows whose target is known"


def test_subsets_of_one_feature_know_no_others() -> None:
    windows = windows_of(series_of(autoregression(40, 2, 0.5)))
    assert list(subsets(windows, 0)) == ["changes", "level"]


def test_many_zones_have_one_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = windows_of(series_of(autoregression(60, 5, 0.5)))
    assert normal_equations(windows).gram.shape[2] == 5
    monkeypatch.setattr(module, "MOST_CELLS", 100)
    alone = normal_equations(windows)
    assert alone.gram.shape[2] == 1
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_ZONES_ALONE", 4)
    np.testing.assert_array_equal(normal_equations(windows).gram, alone.gram)


def test_too_many_features_are_refused() -> None:
    series = series_of(np.random.default_rng(0).normal(size=(10, 1, module.MOST_FEATURES + 1)))
    with pytest.raises(PanelError, match="129 features; 128 can be"):
        best_linear(series, 2, (1,))


def test_thinned_origins_are_in_order_and_few() -> None:
    windows = windows_of(series_of(autoregression(500, 2, 0.5)))
    kept = thin(windows, np.arange(300), rows=40)
    assert len(kept) == 20
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(thin(windows, np.arange(20), rows=40), np.arange(20))


# --- which is chosen ---


def test_an_autoregression_is_recovered() -> None:
    """``x' - x = 0.3 (10 - x)`` one tick ahead, and ``1 - 0.7^3`` of the way three ticks ahead."""
    linear = best_linear(series_of(autoregression(20_000, 3, 0.7) - 10.0), 3, (1, 3))
    origins = np.arange(18_000, 18_900)
    inputs = linear.windows.inputs(origins)
    now = linear.windows.scaling.values(inputs.last)
    for h, keep in enumerate((0.7, 0.7**3)):
        for found in linear.windows.scaling.values(linear.levels(inputs)[:, h]):
            np.testing.assert_allclose(found, keep * now, atol=0.15)


def test_of_a_random_walk_hardly_anything_but_persistence_is_chosen() -> None:
    """On the mean over walks, what is lost to noise in the choice is small."""
    losses = []
    for seed in range(10):
        walk = np.random.default_rng(seed).normal(size=(300, 4)).cumsum(axis=0)
        linear = best_linear(series_of(walk), 18, (1, 6))
        test = np.arange(240, 294)
        inputs, (levels, _) = linear.windows.inputs(test), linear.windows.targets(test, 240, 300)
        losses.append(np.abs(linear.levels(inputs)[0] - levels).mean() / np.abs(inputs.last - levels).mean())
    assert np.mean(losses) < 1.04


def test_candidates_that_differ_by_chance_are_averaged() -> None:
    noise = np.random.default_rng(0).normal(size=(600, 3))
    linear = best_linear(series_of(noise), 4, (1,))
    names = linear.names[0][0][0]
    assert len(names) > 1
    pool = {one.name: one.weights for one in candidates(linear.windows, normal_equations(linear.windows), 0, 0)}
    expected = np.mean([pool[name] for name in names], axis=0)
    np.testing.assert_allclose(linear.weights[0, 0, -1, 0], expected[-1], rtol=1e-6)


def test_without_validation_values_of_a_feature_persistence_is_taken() -> None:
    values = np.random.default_rng(0).normal(size=(200, 2, 2))
    values[140:160, :, 1] = np.nan
    assert best_linear(series_of(values), 3, (1,)).names[1][0][1] == ("persistence",)


def test_of_a_season_the_profile_is_chosen() -> None:
    season = np.tile(np.random.default_rng(0).normal(size=12), 40)
    drift = np.random.default_rng(1).normal(0.0, 0.1, 480).cumsum()
    times = 7200.0 * np.arange(480)
    linear = best_linear(
        series_of(season + drift, timestamps=times), 2, (6,), lambda name: name in ("persistence", "profile")
    )
    assert linear.names[0] == ((("profile",),),)


def test_what_multiplies_is_scaled_by_its_logarithm() -> None:
    """A load that doubles and halves, and beside it one that adds."""
    logs = autoregression(1500, 2, 0.9, seed=3)
    adding = 20.0 + autoregression(1500, 2, 0.9, seed=4)
    linear = best_linear(series_of(np.stack([np.exp(logs), adding], axis=-1)), 4, (1, 3))
    assert linear.windows.scaling.logarithmic[0]
    assert not best_linear(series_of(adding - 40.0), 4, (1, 3)).windows.scaling.logarithmic[0], "it can be negative"


def test_errors_are_those_on_the_validation_part() -> None:
    series = series_of(np.arange(100.0))
    linear = best_linear(series, 2, (1, 5), lambda name: name == "persistence")
    np.testing.assert_allclose(linear.errors, [[1.0], [5.0]], rtol=1e-5)


def test_nothing_of_the_test_part_is_used() -> None:
    values = autoregression(300, 2, 0.8)
    other = values.copy()
    other[240:] = np.random.default_rng(9).normal(size=(60, 2)) * 50.0
    ours, theirs = (best_linear(series_of(each), 6, (1, 3, 6)) for each in (values, other))
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    assert ours.names == theirs.names
    np.testing.assert_array_equal(ours.errors, theirs.errors)


def test_flash_crowds_do_not_choose_the_mean_of_all_other_times(assets: Path) -> None:
    """Requests to the WorldCup98 site: a regression wins in the crowds of the validation part and loses elsewhere."""
    series = make_series(read_panel(assets / "traces" / "worldcup98" / "requests_per_min.csv.gz"))
    linear = best_linear(series, 6, (6, 18))
    count = series.validation_end - series.train_end
    mean = linear_values(linear, series.train_end, lambda done, words: None)[1][:, count:]
    held = persistence(Study(series, 6, (6, 18))).mean
    truth = series.values[series.validation_end :].astype(np.float64)
    ours, theirs = (np.sqrt(np.nanmean((found - truth) ** 2, axis=(1, 2, 3))) for found in (mean, held))
    assert (ours < 1.05 * theirs).all(), "they were 1.5 and 2.1 times as large"
