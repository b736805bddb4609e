"""The forecaster's rivals, its variants, and how two are compared."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from metaverse_env.cli import app
from metaverse_env.scenario import load_scenario
from metaverse_env.units import TARGETS
from predictors.stgnn import judging
from predictors.stgnn.data import Recording, record
from predictors.stgnn.evaluation import evaluate_forecaster, relative_gain, world_errors
from predictors.stgnn.features import FORECAST_FEATURES
from predictors.stgnn.judging import VARIANTS, ablation_worlds
from predictors.stgnn.model import ForecastNet, Variant
from predictors.stgnn.rivals import Boosting, Persistence, Ridge, fit_rivals
from predictors.stgnn.tasks import union_edges


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record("single_zone", range(6), ticks=60)


def linear_batch(rows: int, seed: int) -> dict[str, torch.Tensor]:
    """Return a batch whose truth is a linear function of its features, the same for each seed."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 3)).astype(np.float32)
    slope = np.array([0.5, -1.0, 2.0], dtype=np.float32)
    change = np.tile((features @ slope + 0.25)[:, None, None], (1, 16, 4))
    last = random.normal(size=(rows, 4)).astype(np.float32)
    arrays = {"features": features, "last": last, "truth": change + last[:, None], "weights": np.ones_like(change)}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def test_ridge_finds_a_line() -> None:
    ridge = Ridge([linear_batch(4000, 0)], [linear_batch(500, 1)])
    found = ridge.predict(np.array([[1.0, 1.0, 1.0]], dtype=np.float32))
    np.testing.assert_allclose(found, np.full((1, 4, 4), 1.75), atol=0.01)


def test_trees_find_a_line() -> None:
    trees = Boosting([linear_batch(4000, 0)], [linear_batch(500, 1)])
    batch = linear_batch(500, 2)
    off = trees.predict(batch["features"].numpy()) - (batch["truth"][:, :4] - batch["last"][:, None]).numpy()
    assert np.abs(off).mean() < 0.3 * np.abs((batch["truth"][:, :4] - batch["last"][:, None]).numpy()).mean()


def test_persistence_is_off_by_the_change(recording: Recording) -> None:
    errors = world_errors({"persistence": Persistence()}, recording)["persistence"]
    users_cpu = recording.demand[:, 0, 0, 0]
    anchors = np.arange(0, len(users_cpu) - 16, 3)
    used = np.maximum(recording.values[anchors, 0, 0, 1], 0.01)
    by_hand = np.abs(users_cpu[anchors + 4] - used).mean()
    np.testing.assert_allclose(errors[0, 1, 0], by_hand, rtol=1e-3)


def test_rivals_by_name(recording: Recording) -> None:
    rivals = fit_rivals(("persistence", "ridge"), [recording], [recording])
    errors = world_errors(rivals, recording)
    assert (errors["ridge"].mean(axis=0)[:, 0] < errors["persistence"].mean(axis=0)[:, 0]).all()


def test_gain_is_that_of_pairs() -> None:
    theirs = np.array([1.0, 10.0, 100.0, 1000.0])
    gain, low, high = relative_gain(0.9 * theirs, theirs)
    np.testing.assert_allclose([gain, low, high], 0.1, rtol=1e-9)


def test_gain_of_nothing_is_not_told_from_nothing() -> None:
    random = np.random.default_rng(0)
    _, low, high = relative_gain(random.uniform(1, 2, 40), random.uniform(1, 2, 40))
    assert low < 0.0 < high


def shaken(variant: Variant) -> ForecastNet:
    torch.manual_seed(1)
    net = ForecastNet(variant)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return net.eval()


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_reads_what_it_says(variant: Variant) -> None:
    """Changing a neighbour, a stranger of the same world, another world, or intents moves zone 0 only where it may."""
    net = shaken(variant)
    _, scenario = next(ablation_worlds())
    graph = record(scenario, [1], ticks=1).graph
    zones = len(graph)
    index, weight = (torch.from_numpy(array) for array in union_edges(graph, 2))
    features, last = torch.zeros(2 * zones, len(FORECAST_FEATURES)), torch.ones(2 * zones, 4)
    users, intent = 0, FORECAST_FEATURES.index("intent_recent_0")

    def moves(row: int, column: int) -> bool:
        changed = features.clone()
        changed[row, column] = 3.0
        before, after = (net.levels(x, last, index, weight, torch.arange(16), zones)[0] for x in (features, changed))
        return not torch.allclose(before, after, atol=1e-6)

    neighbour = int(graph.neighbours[0, 0])
    stranger = next(z for z in range(1, zones) if z not in graph.neighbours[0])
    assert moves(0, users)
    assert moves(neighbour, users) == (variant != "no_graph")
    assert moves(stranger, users) == (variant == "learned_graph")
    assert not moves(zones + neighbour, users)
    assert moves(0, intent) == (variant != "no_intents")


def test_ablation_worlds_lack_what_they_say() -> None:
    worlds = dict(ablation_worlds())
    assert worlds["no_migration"].workload.migration_per_h == 0.0 < worlds["default"].workload.migration_per_h
    assert worlds["no_lead"].intents.lead_s == (0.0, 0.0) != worlds["default"].intents.lead_s
    prompt = worlds["no_lead_no_delay"]
    assert prompt.intents.lead_s == prompt.monitoring.metric_age_s == (0.0, 0.0)
    assert prompt.intents.blend_s < 0.1 * worlds["no_lead"].intents.blend_s


def test_a_network_is_judged_by_the_same_figures_as_in_its_training(recording: Recording) -> None:
    net = shaken("full").eval()
    errors = world_errors({"net": net}, recording)["net"].mean(axis=0)
    known = evaluate_forecaster(net, recording)["mae"]
    for index, target in enumerate(TARGETS):
        np.testing.assert_allclose(errors[:, index], list(known[target].values()), rtol=0.05, err_msg=target)


def test_worlds_are_judged_from_the_command_line() -> None:
    asked = "--scenario single_zone --seeds 2 --training 1 --models persistence,ridge --json"
    result = CliRunner().invoke(app, ["forecast", "worlds", *asked.split()])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert "training the rivals: done in" in result.stderr
    assert set(found) == {"stgnn", "persistence", "ridge"}
    assert found["stgnn"]["mae"]["cpu_cores"]["4"] > 0.0
    assert found["ridge"]["gain_low"]["cpu_cores"]["4"] <= found["ridge"]["gain"]["cpu_cores"]["4"]


def test_an_ablation_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "VARIANTS", ("full", "no_intents"))
    monkeypatch.setattr(judging, "ablation_worlds", lambda bank: [("small", load_scenario("single_zone"))])
    command = ["forecast", "ablation", "--epochs", "1", "--training", "2", "--seeds", "2", "--out", str(tmp_path)]
    first = CliRunner().invoke(app, [*command, "--json"])
    assert first.exit_code == 0, first.output
    assert set(json.loads(first.stdout)["small"]) == {"full", "no_intents"}
    (tmp_path / "small" / "no_intents" / "checkpoint.safetensors").unlink()
    assert "holds an ablation" in CliRunner().invoke(app, command).output
    again = CliRunner().invoke(app, [*command, "--resume", "--json"])
    assert json.loads(again.stdout) == json.loads(first.stdout)
