"""The shipped networks at work in the environments, without torch, and the files that are refused."""

import copy
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import metaverse_env  # noqa: F401  # registers the ids
from metaverse_env.errors import CheckpointError, ConfigurationError
from metaverse_env.forecasters import PersistenceForecaster
from metaverse_env.history import History
from metaverse_env.observation import FORECAST_TICKS
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.zones import build_graph
from predictors.stgnn import load_default, load_dynamics
from predictors.stgnn.card import WEIGHTS, read_card
from predictors.stgnn.dynamics.runtime import StgnnDynamics
from predictors.stgnn.runtime import MOST, StgnnForecaster

IDS = ("Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0")


def sized(zones: int) -> Any:
    reference = load_scenario("multi_zone")
    return reference.with_changes(layout=reference.layout.model_copy(update={"zones": zones}))


def run(world: SimulatedWorld, seeds: list[int], ticks: int, factor: float = 1.0) -> tuple[History, list[Any]]:
    """Hold ``factor`` times the first CPU allocation; return the history and every outcome."""
    telemetry = world.reset(seeds=seeds)
    history = History(len(seeds), world.zones, telemetry.intents.shape[2])
    history.append(telemetry)
    command = Command.of(telemetry.allocation * np.array([factor, 1.5, 1.5], dtype=np.float32))
    outcomes = []
    for _ in range(ticks):
        tick = world.step(command)
        history.append(tick.telemetry)
        outcomes.append(tick.outcome.zones.copy())
    return history, outcomes


# --- in the environments ---


def test_defaults_need_no_torch() -> None:
    script = (
        "import sys, gymnasium as gym, metaverse_env\n"
        "env = gym.make('Metaverse/MultiZone-v0')\n"
        "env.reset(seed=0)\n"
        "env.step(env.action_space.sample())\n"
        "print([name for name in ('torch', 'torch_geometric', 'safetensors', 'onnx') if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("[]\n", 0), result.stderr


@pytest.mark.parametrize("name", IDS)
def test_gymnasium_accepts_the_defaults(name: str) -> None:
    check_env(gym.make(name).unwrapped, skip_render_check=True)


def observations(env: Any, seed: int, ticks: int = 20) -> list[bytes]:
    env.action_space.seed(1)
    rows = [env.reset(seed=seed)[0]]
    rows += [env.step(env.action_space.sample())[0] for _ in range(ticks)]
    return [row.tobytes() for row in rows]


def test_one_seed_gives_the_same_bytes() -> None:
    first, second = gym.make("Metaverse/Complex-v0"), gym.make("Metaverse/Complex-v0")
    assert observations(first, 5) == observations(second, 5) == observations(first, 5)
    assert observations(first, 6) != observations(second, 5)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_alike(clone: Any) -> None:
    env = gym.make("Metaverse/MultiZone-v0").unwrapped
    env.reset(seed=2)
    action = env.action_space.sample()
    env.step(action)
    twin = clone(env)
    for _ in range(3):
        np.testing.assert_array_equal(env.step(action)[0], twin.step(action)[0])


# --- what they say ---


@pytest.mark.parametrize("zones", [3, 300])
def test_any_number_of_zones(zones: int) -> None:
    history, outcomes = run(SimulatedWorld(sized(zones), dynamics="stgnn"), [1], 4)
    forecast = load_default().forecast(history)
    assert forecast.values.shape == (1, zones, 16, 4, 3)
    assert np.isfinite(forecast.values).all()
    assert (np.diff(forecast.values, axis=-1) >= 0.0).all()
    assert all(np.isfinite(outcome["latency_ms"]).all() for outcome in outcomes)


def test_ticks_asked_for_are_those_of_the_whole() -> None:
    history, _ = run(SimulatedWorld("multi_zone", intents=True), [1], 15)
    forecaster = load_default()
    some, everything = forecaster.forecast(history, FORECAST_TICKS), forecaster.forecast(history)
    for tick in FORECAST_TICKS:
        np.testing.assert_allclose(some.at(tick), everything.at(tick), rtol=1e-4)


def test_many_worlds_are_run_in_blocks() -> None:
    """600 worlds of 30 zones are several blocks."""
    world = SimulatedWorld("multi_zone", worlds=600, intents=True)
    history, _ = run(world, list(range(600)), 2)
    whole = load_default().forecast(history, (4,)).values
    alone, _ = run(SimulatedWorld("multi_zone", intents=True), [599], 2)
    np.testing.assert_allclose(whole[599], load_default().forecast(alone, (4,)).values[0], rtol=1e-3)


def test_forecast_without_intents_is_sane() -> None:
    """A cluster has none; the history alone must do."""
    history, _ = run(SimulatedWorld("multi_zone"), [1], 15)
    forecast = load_default().forecast(history, (1,)).values
    persistence = PersistenceForecaster().forecast(history, (1,)).values
    ratio = forecast[..., :3, 0] / np.maximum(persistence[..., :3, 0], 0.1)
    assert 0.7 < np.median(ratio) < 1.5


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_absurd_intents_give_a_number(sign: float) -> None:
    """A thousand times what an embedding may be: the network's exponentials are infinite, a forecast is not."""
    world = SimulatedWorld("multi_zone", intents=True)
    telemetry = world.reset(seeds=[0])
    history = History(1, world.zones, telemetry.intents.shape[2])
    random = np.random.default_rng(0).choice([-1000.0, 1000.0], size=telemetry.intents.shape)
    history.append(telemetry._replace(intents=(sign * random).astype(np.float32)))
    values = load_default().forecast(history).values
    assert np.isfinite(values).all()
    assert values.max() == MOST  # so there was something to cut
    assert (np.diff(values, axis=-1) >= 0.0).all()


# --- the files ---


@pytest.mark.parametrize(("kind", "load"), [("forecaster", StgnnForecaster), ("dynamics", StgnnDynamics)])
def test_shipped_files_are_small_and_complete(kind: Any, load: Any) -> None:
    card = read_card(WEIGHTS / f"stgnn_{kind}", kind)
    assert "metaverse train predictor" in card.command
    assert card.metrics
    assert sum(path.stat().st_size for path in WEIGHTS.glob("stgnn_*")) < 2 * 2**20
    assert load().card == card


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    for path in WEIGHTS.glob("stgnn_forecaster.*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "stgnn_forecaster"


def change(stem: Path, **values: Any) -> None:
    path = stem.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_truncated_network_is_refused(stem: Path) -> None:
    path = stem.with_suffix(".onnx")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="SHA-256 differs"):
        load_default(stem)


def test_card_of_the_other_kind_is_refused(stem: Path) -> None:
    with pytest.raises(CheckpointError, match="kind is 'forecaster' and must be 'dynamics'"):
        load_dynamics(stem)


def test_other_order_of_features_is_refused(stem: Path) -> None:
    features = list(read_card(stem, "forecaster").features)
    features[0], features[1] = features[1], features[0]
    change(stem, features=features)
    with pytest.raises(CheckpointError, match="features has 'cpu_cores@-11' at place 0 where 'users@-11' is needed"):
        load_default(stem)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"horizon": 8}, "horizon is 8 and must be 16"),
        ({"units": ["cores", "MB", "Mbps", "s"]}, "units has 's' at place 3 where 'ms' is needed"),
        ({"features": ["users"]}, "features has 1 entries where 180 are needed"),
    ],
)
def test_other_contracts_are_refused(stem: Path, values: dict[str, Any], message: str) -> None:
    change(stem, **values)
    with pytest.raises(CheckpointError, match=message):
        load_default(stem)


def test_missing_and_broken_cards_are_refused(stem: Path) -> None:
    stem.with_suffix(".json").write_text("{}")
    with pytest.raises(CheckpointError, match="is not the card of a network"):
        load_default(stem)
    stem.with_suffix(".json").unlink()
    with pytest.raises(CheckpointError, match="no card"):
        load_default(stem)


def test_history_of_another_length_is_refused() -> None:
    graph = build_graph(load_scenario("multi_zone"))
    with pytest.raises(CheckpointError, match="the history has 5 ticks"):
        load_default().forecast(History(1, graph, 0, ticks=5))
    with pytest.raises(CheckpointError, match="intents of width 7"):
        load_default().forecast(History(1, graph, 7))


# --- by torch ---


def test_torch_and_onnx_forecast_the_same() -> None:
    history, _ = run(SimulatedWorld("multi_zone", worlds=3, intents=True), [1, 2, 3], 15)
    by_onnx, by_torch = (StgnnForecaster(device=device).forecast(history).values for device in (None, "cpu"))
    np.testing.assert_allclose(by_torch, by_onnx, rtol=1e-4)


def test_no_such_device() -> None:
    with pytest.raises(ConfigurationError, match="no device 'cuda:77'"):
        StgnnForecaster(device="cuda:77")
