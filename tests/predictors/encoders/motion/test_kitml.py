"""KIT-ML on disk, in the three layouts in which people have it, made of the real motion of the samples."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError
from predictors.encoders.motion.kitml import open_folder
from predictors.encoders.motion.skeleton import JOINT


@pytest.fixture
def zipped(assets: Path, tmp_path: Path) -> Path:
    """Return a folder as KIT publishes it: three motions, one of which nobody described, one without its file."""
    samples = assets / "samples" / "kitml_few"
    shutil.copy(samples / "00001_mmm.xml", tmp_path)
    shutil.copy(samples / "subject314_test_mmm.xml", tmp_path / "00314_mmm.xml")
    for name, said in (
        ("00001", ["A person is walking forwards.", "A human walks."]),
        ("00314", []),
        ("00500", ["Someone runs."]),
    ):
        (tmp_path / f"{name}_annotations.json").write_text(json.dumps(said))
    return tmp_path


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """Return a folder as HumanML3D arranges KIT-ML: a motion of 40 frames and its mirror image."""
    for name in ("texts", "new_joint_vecs"):
        (tmp_path / name).mkdir()
    rows = np.zeros((40, 251), dtype=np.float32)
    rows[:, 4:64] = np.random.default_rng(0).normal(size=60)
    for name in ("00007", "M00007"):
        np.save(tmp_path / "new_joint_vecs" / f"{name}.npy", rows)
    (tmp_path / "texts" / "00007.txt").write_text(
        "a person walks.#a/DET person/NOUN walk/VERB#0.0#0.0\nsomebody stops.#somebody/PRON stop/VERB#1.6#2.4\n"
    )
    (tmp_path / "texts" / "M00007.txt").write_text("a person walks.#a/DET person/NOUN walk/VERB#0.0#nan\n")
    (tmp_path / "train.txt").write_text("00007\nM00007\n00009\n")
    (tmp_path / "test.txt").write_text("")
    return tmp_path


def test_the_published_zip(zipped: Path) -> None:
    found, problems = open_folder(str(zipped)), {}
    samples = [sample for part in ("train", "val", "test") for sample in found.read(part, problems)]
    assert [sample.name for sample in samples] == ["00001"]
    assert samples[0].captions == ("A person is walking forwards.", "A human walks.")
    assert samples[0].source == "motion 00001"
    there = [found.counted(part).split(maxsplit=1) for part in ("train", "val", "test")]
    assert sum(int(words.split()[0]) for _, words in there) == 1
    assert problems["00314"] == "it has no sentence"
    assert "its motion is missing: none of new_joint_vecs/00500.npy" in problems["00500"]


def test_the_features_with_a_part_of_a_motion(features: Path) -> None:
    found, problems = open_folder(features), {}
    samples = {sample.name: sample for sample in found.read("train", problems)}
    assert sorted(samples) == ["00007", "00007@1.6", "M00007"]
    assert len(samples["00007"].motion.positions) == 40
    assert len(samples["00007@1.6"].motion.positions) == 10  # 0.8 s at 12.5 Hz
    assert samples["00007@1.6"].captions == ("somebody stops.",)
    assert samples["M00007"].source == samples["00007"].source
    assert problems == {"00009": "it has no sentence"}
    assert list(found.read("val", problems)) == []


def test_the_annotations_of_tmr_with_its_splits(assets: Path, tmp_path: Path) -> None:
    samples = assets / "samples" / "kitml_few"
    shutil.copy(samples / "kitml_annotations_tmr.json", tmp_path)
    shutil.copytree(samples / "splits", tmp_path / "splits")
    shutil.copy(samples / "00001_mmm.xml", tmp_path)
    found, problems = open_folder(tmp_path), {}
    assert {part: len(ids) for part, ids in found.parts.items()} == {
        part: len((samples / "splits" / f"{part}.txt").read_text().split()) for part in ("train", "val", "test")
    }
    assert len(found.captions["00004"]) == 2
    train = {sample.name: sample for sample in found.read("train", problems)}
    assert "00001" in train
    assert len(train["00001"].motion.positions) == 378
    assert train["00001"].captions == ("A person is walking forwards.",)
    assert len(problems) == len(found.parts["train"]) - len(train)
    if "M00001" in train:
        left = train["M00001"].motion.positions[:, JOINT["left_knee"]]
        np.testing.assert_allclose(
            left * [-1, 1, 1], train["00001"].motion.positions[:, JOINT["right_knee"]], atol=1e-6
        )


def test_motions_are_split_by_number_where_no_file_says_it(tmp_path: Path) -> None:
    for number in range(400):
        for mirror in ("", "M"):
            (tmp_path / f"{mirror}{number:05d}_annotations.json").write_text('["A person walks."]')
    parts = open_folder(tmp_path).parts
    assert [round(len(parts[part]) / 8.0) for part in ("train", "val", "test")] == pytest.approx([80, 5, 15], abs=5)
    assert {f"M{one}" for one in parts["test"] if not one.startswith("M")} <= set(parts["test"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("readme.txt", "nothing", "holds no motions with sentences. Known: ID_mmm.xml"),
        ("00001_annotations.json", "{", "is no JSON"),
        ("00001_annotations.json", '{"a": 1}', "is no list of sentences"),
        ("annotations.json", '{"00001": {"text": []}}', "is not as TMR writes annotations"),
        ("texts/00001.txt", "a person walks.#a/DET#now#then", "is not 'sentence#words#begin#end'"),
    ],
)
def test_other_folders_and_damaged_annotations_are_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=message):
        open_folder(tmp_path)
