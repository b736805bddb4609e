"""From folders to signals: which files, how many of each, and what is refused. And the banks that are made of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.contracts import Encoded
from metaverse_env.errors import ConfigurationError, SampleError
from metaverse_env.simulator.intents import load_bank
from predictors.encoders.bank import Components, build_bank, licences, write_bank
from predictors.encoders.choosing import balance, find_samples
from predictors.encoders.collecting import Signals, collect
from predictors.encoders.fusion.runtime import Fusion
from tests.predictors.encoders.fusion.making import clustered, tiny_fusion

Array = np.ndarray


class Sizes:
    """Reads files by the letters in them; refuses empty ones."""

    backend, version, dimension = "sizes", "1", 2

    def __init__(self, modality: str = "image") -> None:
        self.modality = modality
        self.read: list[str] = []

    def encode(self, samples: Sequence[object], *, strict: bool = True) -> Encoded:
        assert not strict
        texts = [Path(str(sample)).read_text() for sample in samples]
        self.read += [Path(str(sample)).name for sample in samples]
        rows = np.array([[len(text), ord(text[0]) if text else np.nan] for text in texts], dtype=np.float32)
        problems = {place: SampleError("is empty") for place, text in enumerate(texts) if not text}
        rows[list(problems)] = np.nan
        return Encoded(self.modality, self.backend, self.version, tuple(texts), rows, problems)


def folder_of(root: Path, counts: dict[str, int], suffix: str = ".png") -> Path:
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number:02}{suffix}").write_text(f"{name} {number}")
    return root


def test_every_sub_folder_is_an_activity_and_files_come_in_order(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 3, "paint": 2})
    (root / "swim" / "notes.txt").touch()
    (root / ".hidden").mkdir()
    found = find_samples(root, "image")
    assert {name: [path.name for path in files] for name, files in found.items()} == {
        "paint": ["00.png", "01.png"],
        "swim": ["00.png", "01.png", "02.png"],
    }


def test_signals_lie_activity_by_activity(tmp_path: Path) -> None:
    images = folder_of(tmp_path / "i", {"swim": 2, "paint": 2})
    sound = folder_of(tmp_path / "s", {"swim": 2, "paint": 2}, ".wav")
    signals = collect({"image": images, "speech": sound}, {"image": Sizes(), "speech": Sizes("speech")})
    assert signals.activities == ("paint", "swim")
    assert signals.samples == 2
    assert signals.texts["image"] == [["paint 0", "paint 1"], ["swim 0", "swim 1"]]
    np.testing.assert_array_equal(signals.embeddings["speech"][1, :, 1], ord("s"))
    assert signals.files["speech"][0] == ["paint/00.wav", "paint/01.wav"]
    part = signals.part([1])
    assert part.texts["image"] == [["paint 1"], ["swim 1"]]
    assert part.embeddings["image"].shape == (2, 1, 2)


def test_unbalanced_activities_are_counted_out(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 3, "paint": 2})
    with pytest.raises(
        ConfigurationError,
        match=r"unbalanced: image paint 2, image swim 3. Give --count 2 .*--resample to take some again, up to 3",
    ):
        collect({"image": root}, {"image": Sizes()})


def test_a_number_takes_a_choice_by_the_seed_and_in_order(tmp_path: Path) -> None:
    found = {"image": find_samples(folder_of(tmp_path, {"swim": 9, "paint": 4}), "image")}
    first = balance(found, ["paint", "swim"], 4, False, 0)["image"]
    assert first["paint"] == found["image"]["paint"]
    assert first["swim"] == sorted(first["swim"])
    assert len(set(first["swim"])) == 4
    assert balance(found, ["paint", "swim"], 4, False, 0)["image"] == first
    assert any(balance(found, ["paint", "swim"], 4, False, seed)["image"] != first for seed in range(1, 9))


def test_too_few_are_refused_or_taken_again_in_turn(tmp_path: Path) -> None:
    found = {"image": find_samples(folder_of(tmp_path, {"swim": 5, "paint": 2}), "image")}
    with pytest.raises(ConfigurationError, match="--count 5: too few of image paint 2"):
        balance(found, ["paint", "swim"], 5, False, 0)
    again = balance(found, ["paint", "swim"], 5, True, 0)["image"]["paint"]
    assert [path.name for path in again] == ["00.png", "01.png", "00.png", "01.png", "00.png"]


def test_resampling_alone_takes_as_many_as_the_fullest_has(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 5, "paint": 2})
    signals = collect({"image": root}, {"image": Sizes()}, resample=True)
    assert signals.samples == 5
    assert signals.files["image"][0] == [f"paint/0{number}.png" for number in (0, 1, 0, 1, 0)]


def test_files_that_cannot_be_encoded_stop_it_or_are_left_out(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 3, "paint": 3})
    (root / "paint" / "01.png").write_text("")
    with pytest.raises(ConfigurationError, match=r"1 of the samples cannot be encoded, such as .*01\.png: is empty"):
        collect({"image": root}, {"image": Sizes()})
    signals = collect({"image": root}, {"image": Sizes()}, skip_bad=True, samples=2)
    assert signals.files["image"][0] == ["paint/00.png", "paint/02.png"]
    assert list(signals.refused.values()) == ["is empty"]
    assert np.isfinite(signals.embeddings["image"]).all()


def test_an_activity_of_which_nothing_is_left_is_not_made_up(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 2, "paint": 1})
    (root / "paint" / "00.png").write_text("")
    with pytest.raises(ConfigurationError, match="too few of image paint 0"):
        collect({"image": root}, {"image": Sizes()}, skip_bad=True, samples=2, resample=True)


def test_folders_with_different_activities_are_refused(tmp_path: Path) -> None:
    images = folder_of(tmp_path / "i", {"swim": 2, "paint": 2})
    sound = folder_of(tmp_path / "s", {"swim": 2, "dance": 2}, ".wav")
    with pytest.raises(ConfigurationError, match="different activities: dance, paint"):
        collect({"image": images, "speech": sound}, {"image": Sizes(), "speech": Sizes("speech")})


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no samples; give --images"):
        collect({}, {})
    with pytest.raises(ConfigurationError, match="--audio is given, but no encoder of speech"):
        collect({"speech": tmp_path}, {})
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        find_samples(tmp_path / "absent", "motion")
    with pytest.raises(ConfigurationError, match="no sub-folders"):
        find_samples(tmp_path, "motion")
    (tmp_path / "idle").mkdir()
    with pytest.raises(ConfigurationError, match=r"nothing to encode in idle; motion ends in \.npy"):
        find_samples(tmp_path, "motion")


# --- banks ---


@pytest.fixture(scope="module")
def signals() -> Signals:
    return clustered(("swim", "paint", "sleep"), 8, 0)


def test_components_keep_distances_of_one_modality_when_none_is_cut() -> None:
    """With as many dimensions as samples span, the projection only turns and scales."""
    rows = np.random.default_rng(0).normal(size=(9, 40))
    found = Components({"image": rows}, dimensions=8).vectors("image", rows)
    centred = rows - rows.mean(axis=0)
    scale = np.linalg.norm(found, axis=1).mean() / np.linalg.norm(centred, axis=1).mean()
    np.testing.assert_allclose(found @ found.T, scale**2 * centred @ centred.T, atol=1e-4)


def test_components_are_centred_of_mean_length_one_and_orthogonal(signals: Signals) -> None:
    flat = signals.flat()
    project = Components(flat)
    found = np.concatenate([project.vectors(name, rows) for name, rows in flat.items()])
    assert found.shape == (48, 32)
    assert np.linalg.norm(found, axis=1).mean() == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(found.reshape(2, 24, 32).mean(axis=1), 0.0, atol=1e-5)
    together = found.T @ found
    np.testing.assert_allclose(together, np.diag(np.diag(together)), atol=1e-4)


def test_too_few_samples_for_components_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="10 samples are too few for 32 dimensions without a fusion; give at least 33"
    ):
        Components({"image": np.zeros((10, 4))})


def test_a_bank_is_what_scenarios_read(signals: Signals, tmp_path: Path) -> None:
    arrays = build_bank(signals, None, {"seed": 4})
    write_bank(tmp_path / "own.npz", arrays)
    bank = load_bank(str(tmp_path / "own.npz"), ["sleep", "swim"])
    assert bank.vectors.shape == (2, 2, 8, 32)
    np.testing.assert_array_equal(bank.vectors[:, 1], arrays["vectors"][:, 0])
    told = json.loads(bank.provenance)
    assert told["seed"] == 4
    assert told["encoders"]["speech"] == {"backend": "speech-reader", "version": "1", "dimension": 24}
    assert told["samples"] == {"of each activity in each modality": 8, "refused": 0}
    assert told["projection"]["kind"].startswith("principal components")


def test_a_fusion_makes_the_vectors_of_a_bank(tmp_path: Path) -> None:
    fusion: Fusion = tiny_fusion(tmp_path)
    embeddings = {"image": np.ones((2, 3, 2), np.float32), "speech": np.zeros((2, 3, 1), np.float32)}
    names = {name: [["a"] * 3] * 2 for name in embeddings}
    arrays = build_bank(Signals(("calm", "loud"), embeddings, names, names, fusion.card.makers, {}), fusion, {})
    assert arrays["vectors"].shape == (2, 2, 3, 2)
    np.testing.assert_allclose(arrays["vectors"][0, 0, 0], fusion.vectors("image", np.ones(2)), rtol=1e-6)
    assert json.loads(str(arrays["provenance"]))["projection"]["sha256"] == fusion.card.digest


def test_the_same_samples_give_the_same_bytes(signals: Signals, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_bank(tmp_path / name, build_bank(signals, None, {}))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_licences_are_counted_and_unknown_ones_are_not_stated(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"swim": 2, "paint": 2})
    listed = [{"file": f"paint/0{n}.png", "text": "x", "origin": "me", "licence": "MIT"} for n in range(2)]
    (root / "samples.json").write_text(json.dumps({"made": {"seed": 1}, "files": listed}))
    signals = collect({"image": root}, {"image": Sizes()})
    told = licences({"image": root}, signals)["image"]
    assert told["licences"] == {"MIT": 2, "not stated": 2}
    assert told["made"] == {"seed": 1}
    before = told["sha256"]
    (root / "swim" / "00.png").write_text("another")
    assert licences({"image": root}, signals)["image"]["sha256"] != before


def test_a_bank_that_cannot_be_written_is_said(signals: Signals, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write there"):
        write_bank(tmp_path / "no" / "bank.npz", build_bank(signals, None, {}))
