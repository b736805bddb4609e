"""Files of learned policies: what is written is what is read, and nothing else is taken."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from agents.learning.card import Card, load_policy, save_policy, zone_features
from metaverse_env.errors import CheckpointError, ConfigurationError
from metaverse_env.observation import FORECAST_FEATURES, ZONE_FEATURES

WEIGHTS = {"first.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}


def card(forecast: bool = False) -> Card:
    return Card(algorithm="mappo", zone_features=zone_features(forecast), dead_band=(0.1, 0.2))


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    save_policy(tmp_path / "mine", card(), WEIGHTS)
    return tmp_path / "mine"


def changed(stem: Path, **entries: object) -> Path:
    path = stem.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    return path


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_either_file_names_a_policy(stem: Path, suffix: str) -> None:
    found, weights = load_policy(stem.with_suffix(suffix))
    assert found.model_copy(update={"digest": ""}) == card()
    assert len(found.digest) == 64
    np.testing.assert_array_equal(weights["first.weight"], WEIGHTS["first.weight"])


def test_a_row_has_a_zone_twice_and_the_world_between() -> None:
    assert card().row_size == 2 * len(ZONE_FEATURES) + 5
    assert card(True).row_size == 2 * (len(ZONE_FEATURES) + len(FORECAST_FEATURES)) + 5
    assert card(True).forecast
    assert not card().forecast


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no nobody\.json"):
        load_policy(tmp_path / "nobody.json")


def test_weights_cut_short_are_refused(stem: Path) -> None:
    path = stem.with_suffix(".safetensors")
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="mine"):
        load_policy(path)


def test_a_pickle_is_not_opened(stem: Path) -> None:
    stem.with_suffix(".safetensors").write_bytes(pickle.dumps({"first.weight": [1.0]}))
    with pytest.raises(CheckpointError, match="not the files of a learned policy"):
        load_policy(stem.with_suffix(".json"))


def test_weights_of_another_training_are_refused(stem: Path, tmp_path: Path) -> None:
    save_policy(tmp_path / "other", card(), {"first.weight": np.zeros((2, 3), dtype=np.float32)})
    (tmp_path / "other.safetensors").replace(stem.with_suffix(".safetensors"))
    with pytest.raises(CheckpointError, match="take both from one training"):
        load_policy(stem.with_suffix(".json"))


def test_another_layout_of_observations_is_refused(stem: Path) -> None:
    names = list(zone_features(False))
    names[3], names[4] = names[4], names[3]
    with pytest.raises(CheckpointError, match="'cpu_allocation' where now is 'bandwidth_utilisation'"):
        load_policy(changed(stem, zone_features=names))
    with pytest.raises(CheckpointError, match="features of the world"):
        load_policy(changed(stem, zone_features=zone_features(False), world_features=["price"]))


def test_a_card_with_what_nobody_knows_is_refused(stem: Path) -> None:
    with pytest.raises(CheckpointError, match="colour"):
        load_policy(changed(stem, colour="green"))
