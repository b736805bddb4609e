"""Loading a bank of intents: the order of activities, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError, ScenarioError, UnknownNameError
from metaverse_env.scenario.workload import DEFAULT_ACTIVITIES, IntentSpec
from metaverse_env.simulator import intents
from metaverse_env.simulator.intents import load_bank

NAMES = [activity.name for activity in DEFAULT_ACTIVITIES]


def parts(**changes: Any) -> dict[str, Any]:
    """Arrays of a bank with 2 modalities, 3 activities, 4 samples, 5 dimensions."""
    return {
        "vectors": np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5),
        "activities": np.array(["swim", "paint", "sleep"]),
        "modalities": np.array(["image", "speech"]),
        "provenance": np.array(json.dumps({"what": "a test"})),
        **changes,
    }


def saved(folder: Path, **changes: Any) -> str:
    file = folder / "bank.npz"
    np.savez(file, **{name: array for name, array in parts(**changes).items() if array is not None})
    return str(file)


def test_shipped_bank_fits_the_default_scenario() -> None:
    bank = load_bank(IntentSpec().bank, NAMES)
    assert bank.vectors.shape == (3, 6, 24, 32)
    assert bank.vectors.dtype == np.float32
    assert bank.vectors.flags.c_contiguous
    assert bank.modalities == ("image", "speech", "motion")
    assert "synthetic" in json.loads(bank.provenance)["origin"]


def test_activities_come_in_the_order_of_the_scenario(tmp_path: Path) -> None:
    bank = load_bank(saved(tmp_path), ["sleep", "swim"])
    whole = parts()["vectors"]
    np.testing.assert_array_equal(bank.vectors, np.stack([whole[:, 2], whole[:, 0]], axis=1))
    assert bank.vectors.flags.c_contiguous
    assert bank.modalities == ("image", "speech")
    assert json.loads(bank.provenance) == {"what": "a test"}


def test_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path)
    assert load_bank("~/bank.npz", ["swim"]).vectors.shape == (2, 1, 4, 5)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'txt'. Did you mean 'text'\? Known: samples, text"):
        load_bank("txt", NAMES)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"absent\.npz cannot be read: No such file"):
        load_bank(str(tmp_path / "absent.npz"), NAMES)


def test_a_missing_file_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ScenarioError, match=rf"{re.escape(str(tmp_path))}.absent\.npz cannot be read.*relative to that"
    ):
        load_bank("absent.npz", NAMES)


def test_an_activity_that_the_bank_lacks_is_named_with_the_way_to_add_it(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_bank(saved(tmp_path), ["swim", "fly", "dig"])
    for part in ("no activity 'fly', 'dig'", "it holds swim, paint, sleep", "predictors.encoders.text_bank --texts"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["vectors", "activities", "modalities", "provenance"])
def test_missing_array_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScenarioError, match=f"lacks the arrays {name}; it needs vectors, activities") as caught:
        load_bank(saved(tmp_path, **{name: None}), ["swim"])
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": np.zeros((2, 3, 4, 5))}, "'vectors' must be float32, not float64"),
        ({"vectors": np.zeros((2, 3, 5), np.float32)}, r"must be \[2 modalities, 3 activities, .*\], not \[2, 3, 5\]"),
        ({"vectors": np.zeros((3, 2, 4, 5), np.float32)}, r"not \[3, 2, 4, 5\]"),
        ({"vectors": np.zeros((2, 3, 0, 5), np.float32)}, r"not \[2, 3, 0, 5\]"),
        ({"activities": np.array(["swim", "swim", "sleep"])}, "'activities' must be different strings"),
        ({"activities": np.array([1, 2, 3])}, "'activities' must be different strings in 1 axes, not int64"),
        ({"modalities": np.array([["image", "speech"]])}, r"'modalities' must be .* \[1, 2\]"),
        ({"provenance": np.array(3.0)}, "'provenance' must be"),
    ],
)
def test_wrong_layout_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_bank(saved(tmp_path, **changes), ["swim"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_located(tmp_path: Path, value: float) -> None:
    vectors = parts()["vectors"]
    vectors[1, 2, 3, 0] = value
    with pytest.raises(ScenarioError, match="sample 3 of sleep, speech, has a value that is not finite"):
        load_bank(saved(tmp_path, vectors=vectors), ["swim"])


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="damaged: Object arrays cannot be loaded"):
        load_bank(saved(tmp_path, provenance=np.array({"code": print}, dtype=object)), ["swim"])


def test_too_large_a_bank_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(tmp_path)
    monkeypatch.setattr(intents, "MAX_BYTES", 1000)
    with pytest.raises(ScenarioError, match="the limit is 1000"):
        load_bank(file, ["swim"])


@pytest.mark.parametrize("damage", ["text", "empty", "cut short", "one array"])
def test_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    file = Path(saved(tmp_path))
    whole = file.read_bytes()
    np.save(tmp_path / "one.npy", np.zeros(3))
    one = (tmp_path / "one.npy").read_bytes()
    file.write_bytes({"text": b"hello", "empty": b"", "cut short": whole[:-100], "one array": one}[damage])
    with pytest.raises(ScenarioError, match="is damaged"):
        load_bank(str(file), ["swim"])


def test_random_damage_never_escapes_the_error_tree(tmp_path: Path) -> None:
    file = Path(saved(tmp_path))
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for position in rng.integers(len(whole), size=3):
            damaged[position] = rng.integers(256)
        file.write_bytes(damaged)
        try:
            load_bank(str(file), ["swim"])
        except ConfigurationError:
            refused += 1
    assert refused > 150
